//! The same work by OpenSSH's client: one process per host, all at once.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rustix::process::{Signal, kill_process};
use tests::fleet::Fleet;

use crate::clock::Sample;

/// The ssh client with the fleet's key and host keys, and nothing of the user's own configuration.
pub(crate) struct OpenSsh {
    key: PathBuf,
    known_hosts: PathBuf,
    addresses: Vec<String>,
    sockets: tempfile::TempDir,
    masters: Vec<Child>,
}

/// How connections are made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A new connection for every command.
    Fresh,
    /// Over a master that is already connected.
    ControlMaster,
}

impl OpenSsh {
    /// A client for these hosts.
    pub(crate) fn new(fleet: &Fleet, hosts: usize) -> anyhow::Result<Self> {
        let addresses = fleet.hosts().iter().take(hosts).map(|host| host.address().to_string()).collect();
        Ok(Self {
            key: fleet.ssh_key(),
            known_hosts: fleet.known_hosts(),
            addresses,
            sockets: tempfile::Builder::new().prefix("exed-cm-").tempdir()?,
            masters: Vec::new(),
        })
    }

    fn command(&self, socket: &str) -> Command {
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"]);
        // The key exchange that exed uses: OpenSSH's default costs 55 ms of client CPU for each connection.
        ssh.args(["-o", "KexAlgorithms=curve25519-sha256"]);
        ssh.arg("-o").arg(format!("UserKnownHostsFile={}", self.known_hosts.display()));
        ssh.arg("-i").arg(&self.key).args(["-l", "root"]);
        ssh.arg("-o").arg(format!("ControlPath={socket}"));
        ssh.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        ssh
    }

    fn socket(&self, address: &str) -> String {
        self.sockets.path().join(address).display().to_string()
    }

    /// Connects a master to every host.
    pub(crate) fn connect(&mut self) -> anyhow::Result<()> {
        for address in self.addresses.clone() {
            let mut ssh = self.command(&self.socket(&address));
            ssh.args(["-M", "-N", &address]);
            self.masters.push(ssh.spawn().context("cannot start ssh: apt-get install openssh-client")?);
        }
        let give_up = Instant::now() + Duration::from_secs(60);
        for address in &self.addresses {
            while !answers(Path::new(&self.socket(address))) {
                ensure!(Instant::now() < give_up, "no ControlMaster to {address} within a minute");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }

    /// Runs a command on every host at once.
    pub(crate) fn run(&self, mode: Mode, remote: &str) -> anyhow::Result<Sample> {
        Sample::of(|| self.cpu(), || self.run_all(mode, remote)).map(|(sample, ())| sample)
    }

    /// Processor seconds of the masters and of every `ssh` that has ended.
    fn cpu(&self) -> f64 {
        children_cpu() + self.masters.iter().map(|master| process_cpu(master.id())).sum::<f64>()
    }

    fn run_all(&self, mode: Mode, remote: &str) -> anyhow::Result<()> {
        let mut children = Vec::with_capacity(self.addresses.len());
        for address in &self.addresses {
            // The first value of an option counts.
            let mut ssh = match mode {
                Mode::Fresh => self.command("none"),
                Mode::ControlMaster => self.command(&self.socket(address)),
            };
            ssh.args(["-o", "ControlMaster=no", address, remote]);
            children.push(ssh.spawn().context("cannot start ssh: apt-get install openssh-client")?);
        }
        for mut child in children {
            ensure!(child.wait()?.success(), "`ssh` failed during the benchmark");
        }
        Ok(())
    }
}

impl Drop for OpenSsh {
    fn drop(&mut self) {
        for master in &mut self.masters {
            if let Some(pid) = rustix::process::Pid::from_raw(i32::try_from(master.id()).unwrap_or(0)) {
                let _ = kill_process(pid, Signal::TERM);
            }
            let _ = master.wait();
        }
    }
}

fn answers(socket: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(socket).is_ok()
}

/// Processor seconds of every child that was waited for.
fn children_cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    ticks(&text, 15) + ticks(&text, 16)
}

/// Processor seconds of a living process.
pub(crate) fn process_cpu(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    ticks(&text, 13) + ticks(&text, 14)
}

/// Field `index` (from 0) of a stat line, in seconds. The name of the process may contain blanks.
fn ticks(stat: &str, index: usize) -> f64 {
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let field = rest.split_whitespace().nth(index - 2).and_then(|field| field.parse::<f64>().ok());
    field.unwrap_or(0.0) / 100.0
}

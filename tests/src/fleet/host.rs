//! One host of a fleet.

use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::Init;
use super::supervisor::{Commands, Supervisor};
use crate::process::{run, wait_until};

/// What a program started from outside may not do either; see `host.sh`.
const DROPPED: &str = "-sys_time,-wake_alarm,-sys_module,-mknod,-sys_rawio,-syslog,-mac_admin,\
                       -mac_override,-linux_immutable";

/// A host. It may be down for a while: after [`FleetHost::kill`], or while it reboots.
#[derive(Debug)]
pub struct FleetHost {
    number: usize,
    name: String,
    address: Ipv4Addr,
    work: PathBuf,
    supervisor: u32,
    commands: Commands,
    init: Init,
}

impl FleetHost {
    pub(super) fn new(
        number: usize,
        address: Ipv4Addr,
        work: &Path,
        supervisor: &Supervisor,
        init: Init,
    ) -> anyhow::Result<Self> {
        let name = format!("host{number:02}");
        ensure!(work.join(format!("{name}.hostkey")).is_file(), "the supervisor has prepared no {name}");
        Ok(Self {
            number,
            name,
            address,
            work: work.to_owned(),
            supervisor: supervisor.pid(),
            commands: supervisor.commands(),
            init,
        })
    }

    /// `host01` and so on; also its hostname.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address, where sshd listens on port 22.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Its process 1, as this process knows it.
    ///
    /// # Errors
    /// While the host is down.
    pub fn pid(&self) -> anyhow::Result<i32> {
        let text = fs::read_to_string(self.pid_file()).with_context(|| format!("{} is down", self.name))?;
        text.trim().parse().with_context(|| format!("the process id of {} is {text:?}", self.name))
    }

    /// Runs a program in the host as its root, without SSH.
    ///
    /// # Errors
    /// When the host is down or the program cannot be started; its exit code is in the output.
    pub fn exec(&self, argv: &[&str]) -> anyhow::Result<Output> {
        let pid = self.pid()?.to_string();
        let more = match self.init {
            Init::Sysvinit => ",-sys_admin",
            Init::Systemd => "",
        };
        Command::new("nsenter")
            .args(["--target", &pid, "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd", "--"])
            .args(["setpriv", "--bounding-set", &format!("{DROPPED}{more}"), "--"])
            .args(argv)
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("starting nsenter for {}", self.name))
    }

    /// Ends the host at once, as a power failure does. Its files stay.
    ///
    /// # Errors
    /// When it is down already, or does not go within ten seconds.
    pub fn kill(&self) -> anyhow::Result<()> {
        let pid = Pid::from_raw(self.pid()?).context("process id 0")?;
        kill_process(pid, Signal::KILL).with_context(|| format!("killing {}", self.name))?;
        wait_until(&format!("{} to go down", self.name), Duration::from_secs(10), || {
            !self.pid_file().exists()
        })
    }

    /// Boots a host that is down, on the files it had, and waits until its sshd answers.
    ///
    /// # Errors
    /// When it is up already, or does not come up within half a minute.
    pub fn start(&self) -> anyhow::Result<()> {
        ensure!(!self.pid_file().exists(), "{} is up", self.name);
        self.commands.send(&format!("start {}", self.number))?;
        self.wait_ready(Duration::from_secs(30))
    }

    /// Has the host reboot itself, and waits until it is up again.
    ///
    /// # Errors
    /// When it is down, or does not come up within half a minute.
    pub fn reboot(&self) -> anyhow::Result<()> {
        let before = self.pid()?;
        let output = self.exec(&["reboot"])?;
        ensure!(
            output.status.success(),
            "reboot in {}: {}",
            self.name,
            String::from_utf8_lossy(&output.stderr)
        );
        wait_until(&format!("{} to reboot", self.name), Duration::from_secs(30), || {
            self.pid().is_ok_and(|pid| pid != before)
        })?;
        self.wait_ready(Duration::from_secs(30))
    }

    /// Pulls the host's network cable: connections stay open and silent on both sides.
    ///
    /// # Errors
    /// When `ip` fails.
    pub fn cut_network(&self) -> anyhow::Result<()> {
        self.port("down")
    }

    /// Puts the cable back.
    ///
    /// # Errors
    /// When `ip` fails.
    pub fn restore_network(&self) -> anyhow::Result<()> {
        self.port("up")
    }

    /// Waits until the host's sshd greets.
    ///
    /// # Errors
    /// When it does not within the time: the error carries the host's console.
    pub fn wait_ready(&self, within: Duration) -> anyhow::Result<()> {
        let waited = wait_until(&format!("the sshd of {}", self.name), within, || self.greets());
        waited.with_context(|| format!("console of {}: {}", self.name, self.console()))
    }

    pub(super) fn known_hosts_line(&self) -> anyhow::Result<String> {
        let key = fs::read_to_string(self.work.join(format!("{}.hostkey", self.name)))?;
        let mut fields = key.split_whitespace();
        let (Some(kind), Some(key)) = (fields.next(), fields.next()) else {
            bail!("the host key of {} is {key:?}", self.name);
        };
        Ok(format!("{},{} {kind} {key}\n", self.address, self.name))
    }

    fn pid_file(&self) -> PathBuf {
        self.work.join(format!("{}.pid", self.name))
    }

    fn port(&self, state: &str) -> anyhow::Result<()> {
        let namespace = format!("--net=/proc/{}/ns/net", self.supervisor);
        run("nsenter", [&namespace, "ip", "link", "set", &format!("port{}", self.number), state]).map(drop)
    }

    pub(super) fn greets(&self) -> bool {
        let address = SocketAddr::from((self.address, 22));
        let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else {
            return false;
        };
        let mut greeting = [0_u8; 4];
        stream.set_read_timeout(Some(Duration::from_secs(1))).is_ok()
            && stream.read_exact(&mut greeting).is_ok()
            && &greeting == b"SSH-"
    }

    /// What the host has printed so far, read through the supervisor's own view of the files.
    fn console(&self) -> String {
        let file =
            format!("/proc/{}/root{}/hosts/{}/console", self.supervisor, self.work.display(), self.name);
        fs::read_to_string(&file).unwrap_or_else(|error| format!("{file}: {error}"))
    }
}

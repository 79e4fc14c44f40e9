//! The hosts of the demo: the best that this user may have on this machine.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use tests::fleet::{Fleet, FleetHost, FleetOptions};
use tests::sshd::{Sshd, SshdOptions};

use crate::{command, packages};

/// What hosts of one's own need, as root.
const FLEET_PACKAGES: &[&str] =
    &["ca-certificates", "curl", "iproute2", "mmdebstrap", "openssh-client", "util-linux"];

/// What an sshd on loopback needs.
const SSHD_PACKAGES: &[&str] = &["curl", "openssh-client", "openssh-server"];

/// Running hosts; they end when this is dropped.
pub(super) enum Hosts {
    /// Debian with a process 1 of its own.
    Fleet(Box<Fleet>),
    /// sshd processes of this user.
    Loopback { servers: Vec<Sshd>, records: Records },
    /// This machine without SSH.
    Local { records: Records },
}

impl Hosts {
    /// Starts `count` of them, and says which and why. Packages that are missing are listed and confirmed
    /// first; where they cannot be had, the next best hosts are taken.
    pub(super) fn start(count: usize) -> anyhow::Result<Self> {
        match may_have_fleet() {
            Ok(()) => {
                println!(
                    "Starting {count} Debian hosts in namespaces of their own. The first time their image is \
                     made from Debian's packages, which takes a minute or two."
                );
                let fleet = Fleet::start_blocking(count, &FleetOptions::default())?;
                println!(
                    "Hosts: {count} Debian hosts with their own process 1, sshd and nginx, on one bridge"
                );
                return Ok(Self::Fleet(Box::new(fleet)));
            }
            Err(reason) => println!("No hosts in namespaces of their own: {reason:#}"),
        }
        match start_loopback(count) {
            Ok(servers) => {
                println!("Hosts: {count} OpenSSH servers of user {} on 127.0.0.1", account(&servers));
                Ok(Self::Loopback { servers, records: Records::look() })
            }
            Err(reason) => {
                println!("No OpenSSH server on loopback: {reason:#}");
                println!("Hosts: this machine itself, by the transport `local`");
                Ok(Self::Local { records: Records::look() })
            }
        }
    }

    /// The names in the inventory.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Self::Fleet(fleet) => fleet.hosts().iter().map(|host| host.name().to_owned()).collect(),
            Self::Loopback { servers, .. } => (1..=servers.len()).map(name).collect(),
            Self::Local { .. } => vec!["localhost".to_owned()],
        }
    }

    /// The hosts of a fleet, which the demo may look into; none where they are this machine itself.
    pub(super) fn of_fleet(&self) -> &[FleetHost] {
        match self {
            Self::Fleet(fleet) => fleet.hosts(),
            Self::Loopback { .. } | Self::Local { .. } => &[],
        }
    }

    /// The server's tables `inventory` and `ssh` for them; files that these need go to `folder`.
    pub(super) fn configuration(&self, folder: &std::path::Path) -> anyhow::Result<String> {
        let inventory = folder.join("inventory.ini");
        let (lines, known_hosts) = match self {
            Self::Fleet(fleet) => {
                let options = tests::harness::ServerOptions::for_fleet(fleet);
                return Ok(options.toml);
            }
            Self::Loopback { servers, .. } => loopback_inventory(servers)?,
            Self::Local { .. } => ("localhost ansible_connection=local\n".to_owned(), String::new()),
        };
        let known = folder.join("known_hosts");
        std::fs::write(&inventory, lines).context("writing the inventory")?;
        std::fs::write(&known, known_hosts).context("writing the known hosts")?;
        Ok(format!(
            "[inventory]\npaths = [{inventory:?}]\n[ssh]\nknown_hosts = {known:?}\nhost_keys = \"strict\"\n"
        ))
    }

    /// Ends them and waits until nothing of them is left.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        match self {
            Self::Fleet(fleet) => fleet.stop(),
            Self::Loopback { servers, records } => {
                drop(servers);
                records.remove()
            }
            Self::Local { records } => records.remove(),
        }
    }
}

/// The folder in which steps leave their records on a host, where that host is this machine.
pub(super) struct Records {
    folder: PathBuf,
    /// It belongs to somebody else's exed, and stays.
    was_there: bool,
}

impl Records {
    fn look() -> Self {
        let user = rustix::process::geteuid().as_raw();
        let folder = PathBuf::from(format!("/var/tmp/exed-{user}"));
        Self { was_there: folder.exists(), folder }
    }

    fn remove(self) -> anyhow::Result<()> {
        if self.was_there || !self.folder.exists() {
            return Ok(());
        }
        std::fs::remove_dir_all(&self.folder).with_context(|| format!("removing {}", self.folder.display()))
    }
}

/// Why there can be no fleet.
fn may_have_fleet() -> anyhow::Result<()> {
    ensure!(rustix::process::geteuid().is_root(), "that needs root");
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "true"]);
    ensure!(
        command::output_of(&mut unshare).is_some(),
        "this root may not make namespaces (`unshare` failed)"
    );
    Ok(())
}

/// Makes sure of the packages before anything is started, because that asks the user.
pub(super) fn ensure_packages(yes: bool) -> anyhow::Result<()> {
    if may_have_fleet().is_ok() {
        return packages::ensure(FLEET_PACKAGES, "run throwaway hosts", yes);
    }
    // What cannot be installed is done without.
    if let Err(reason) = packages::ensure(SSHD_PACKAGES, "run an OpenSSH server on loopback", yes) {
        println!("Going on without: {reason:#}");
    }
    Ok(())
}

fn start_loopback(count: usize) -> anyhow::Result<Vec<Sshd>> {
    let mut servers = Vec::new();
    for _ in 0..count {
        let server = Sshd::start(&SshdOptions::default())?;
        if servers.is_empty() {
            log_in(&server)?;
        }
        servers.push(server);
    }
    Ok(servers)
}

/// An account may be there and still let nobody in: without a shell, or expired.
fn log_in(server: &Sshd) -> anyhow::Result<()> {
    let mut ssh = Command::new("ssh");
    ssh.args(["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"]);
    ssh.args(["-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=10"]);
    ssh.arg("-i").arg(server.user_key()).args(["-p", &server.port().to_string()]);
    ssh.arg(format!("{}@127.0.0.1", server.user())).arg("echo in");
    if command::output_of(&mut ssh).is_some_and(|said| said == "in") {
        return Ok(());
    }
    bail!("user {} cannot run commands over SSH: the account is locked, or has no shell", server.user())
}

fn loopback_inventory(servers: &[Sshd]) -> anyhow::Result<(String, String)> {
    let (mut inventory, mut known) = (String::from("[loopback]\n"), String::new());
    for (index, server) in servers.iter().enumerate() {
        inventory.push_str(&format!(
            "{} ansible_host=127.0.0.1 ansible_port={} ansible_user={} ansible_ssh_private_key_file={}\n",
            name(index + 1),
            server.port(),
            server.user(),
            server.user_key().display()
        ));
        known.push_str(&server.known_hosts_line()?);
    }
    Ok((inventory, known))
}

fn name(number: usize) -> String {
    format!("here{number:02}")
}

fn account(servers: &[Sshd]) -> String {
    servers.first().map(Sshd::user).unwrap_or_default()
}

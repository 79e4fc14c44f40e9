//! Disposable hosts that are real: Debian with its own process 1, its own sshd, cron and nginx, each in
//! mount, pid, network, uts and ipc namespaces of its own, on one bridge.
//!
//! ```text
//!   this machine            the fleet's namespaces                    a host's namespaces
//!   exf-X-Y ──── veth ──── exf-X-Yp ─ br0 ─ port1 ──── veth ──── eth0  10.X.Y.11  host01
//!   10.X.Y.1                              └ port2 ──── veth ──── eth0  10.X.Y.12  host02
//! ```
//!
//! All hosts share one read-only image below an overlay on tmpfs. One supervisor process holds everything:
//! it is process 1 of a pid namespace, and it ends when its standard input closes. So whatever ends the
//! process that started the fleet, the kernel takes every host, mount and interface back with it.
//!
//! It needs root, and the Debian packages named by the error when a tool is missing.

mod host;
mod image;
mod network;
mod supervisor;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

pub use host::FleetHost;
use network::Uplink;
use supervisor::Supervisor;

use crate::process::{require_tools, run};

/// The largest fleet: one subnet of 256 addresses, with ten kept apart at its start.
pub const MAX_HOSTS: usize = 240;

/// Process 1 of the hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Init {
    /// sysvinit: about 3 MiB and 50 ms for each host; the hosts have no `CAP_SYS_ADMIN`.
    #[default]
    Sysvinit,
    /// systemd 252: about 16 MiB for each host. Above 35 of them the machine needs a higher
    /// `fs.inotify.max_user_instances`.
    Systemd,
}

impl Init {
    fn word(self) -> &'static str {
        match self {
            Self::Sysvinit => "sysvinit",
            Self::Systemd => "systemd",
        }
    }
}

/// How a fleet is made.
#[derive(Clone, Debug)]
pub struct FleetOptions {
    /// Process 1 of the hosts.
    pub init: Init,
    /// How long all hosts together may take until their sshd answers.
    pub ready_within: Duration,
}

impl Default for FleetOptions {
    fn default() -> Self {
        Self { init: Init::default(), ready_within: Duration::from_secs(60) }
    }
}

/// Running hosts. Dropping it ends them and leaves nothing behind.
///
/// Root and the user `deploy` (uid 1000, `sudo` without a password) come in with [`Fleet::ssh_key`].
/// cron runs; nginx is installed and stopped.
pub struct Fleet {
    // Dropped in this order: the hosts end before their interface and their folder go.
    supervisor: Supervisor,
    uplink: Uplink,
    hosts: Vec<FleetHost>,
    work: TempDir,
}

impl Fleet {
    /// Builds the image if it is not there yet (about half a minute and 180 MiB, once), starts `count`
    /// hosts named `host01`, `host02` … and returns when the sshd of each of them answers.
    ///
    /// # Errors
    /// Without root, when a tool is missing (the error names its package), or when a host does not come up
    /// (the error carries its console).
    pub async fn start(count: usize, options: FleetOptions) -> anyhow::Result<Self> {
        tokio::task::spawn_blocking(move || Self::start_blocking(count, &options)).await?
    }

    /// [`Fleet::start`] for callers without a runtime.
    ///
    /// # Errors
    /// As there.
    pub fn start_blocking(count: usize, options: &FleetOptions) -> anyhow::Result<Self> {
        ensure!((1..=MAX_HOSTS).contains(&count), "a fleet has 1 to {MAX_HOSTS} hosts, not {count}");
        ensure!(
            rustix::process::geteuid().is_root(),
            "a fleet of test hosts needs root, because it mounts and makes network interfaces; run this as \
             root, or use tests::sshd (an unprivileged sshd on loopback) instead"
        );
        require_tools(&[
            ("ip", "iproute2"),
            ("unshare", "util-linux"),
            ("nsenter", "util-linux"),
            ("setpriv", "util-linux"),
            ("ssh-keygen", "openssh-client"),
        ])?;
        let image = image::ensure()?;
        let work = tempfile::Builder::new().prefix("exed-fleet-").tempdir()?;
        let key = work.path().join("id_ed25519");
        run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "fleet", "-f", text(&key)?])?;

        let subnet = network::free_subnet()?;
        let supervisor = Supervisor::start(work.path(), &image, &subnet, count, options.init)?;
        let uplink = Uplink::create(&subnet, supervisor.pid())?;
        supervisor.connect(&uplink)?;
        let hosts = (1..=count)
            .map(|n| FleetHost::new(n, subnet.host(n), work.path(), &supervisor, options.init))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let fleet = Self { supervisor, uplink, hosts, work };
        for host in &fleet.hosts {
            host.wait_ready(options.ready_within)?;
        }
        fleet.write_known_hosts()?;
        fleet.write_inventory()?;
        Ok(fleet)
    }

    /// The hosts, in the order of their names.
    #[must_use]
    pub fn hosts(&self) -> &[FleetHost] {
        &self.hosts
    }

    /// A host by its name.
    ///
    /// # Errors
    /// When the fleet has no such host.
    pub fn host(&self, name: &str) -> anyhow::Result<&FleetHost> {
        self.hosts
            .iter()
            .find(|host| host.name() == name)
            .with_context(|| format!("the fleet has no host {name}; it has {} hosts", self.hosts.len()))
    }

    /// Runs a program in a host as its root, without SSH, for assertions.
    ///
    /// # Errors
    /// When the host is down or the program cannot be started; its exit code is in the output.
    pub fn exec(&self, host: &str, argv: &[&str]) -> anyhow::Result<Output> {
        self.host(host)?.exec(argv)
    }

    /// An Ansible inventory (INI) of all hosts, in the group `fleet`, with address, user and key.
    #[must_use]
    pub fn inventory_path(&self) -> PathBuf {
        self.work.path().join("inventory.ini")
    }

    /// The private key that every host accepts, for root and for `deploy`.
    #[must_use]
    pub fn ssh_key(&self) -> PathBuf {
        self.work.path().join("id_ed25519")
    }

    /// The host keys of all hosts, by address.
    #[must_use]
    pub fn known_hosts(&self) -> PathBuf {
        self.work.path().join("known_hosts")
    }

    /// The address of this machine on the fleet's network.
    #[must_use]
    pub fn gateway(&self) -> Ipv4Addr {
        self.uplink.address()
    }

    /// Ends all hosts and waits until nothing of them is left.
    ///
    /// # Errors
    /// When something does not go within ten seconds.
    pub fn stop(self) -> anyhow::Result<()> {
        let Self { mut supervisor, uplink, hosts, work } = self;
        drop(hosts);
        supervisor.stop()?;
        drop(uplink);
        drop(work);
        Ok(())
    }

    fn write_known_hosts(&self) -> anyhow::Result<()> {
        let mut lines = String::new();
        for host in &self.hosts {
            lines.push_str(&host.known_hosts_line()?);
        }
        std::fs::write(self.known_hosts(), lines).context("writing known_hosts of the fleet")
    }

    fn write_inventory(&self) -> anyhow::Result<()> {
        let mut lines = String::from("[fleet]\n");
        for host in &self.hosts {
            lines.push_str(&format!("{} ansible_host={}\n", host.name(), host.address()));
        }
        lines.push_str("\n[fleet:vars]\nansible_user=root\nansible_ssh_private_key_file=");
        lines.push_str(text(&self.ssh_key())?);
        lines.push('\n');
        std::fs::write(self.inventory_path(), lines).context("writing the inventory of the fleet")
    }
}

/// A path of ours as text; the folders of a fleet are named in ASCII.
fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}

#[cfg(test)]
mod tests;

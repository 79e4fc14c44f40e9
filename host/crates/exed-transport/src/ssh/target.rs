//! Where a connection goes and how it proves itself: everything that tells two connections apart.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::options::HostKeyPolicy;

/// A password that no log shows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The end of a connection. Two hosts of the inventory with equal targets share their connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) address: String,
    pub(super) port: u16,
    pub(super) user: String,
    /// The machine whose connection carries this one.
    pub(super) jump: Option<Box<Target>>,
    /// Private keys the host or the configuration names, in the order in which they are tried.
    pub(super) identities: Vec<PathBuf>,
    /// Whether only those keys are tried.
    pub(super) identities_only: bool,
    pub(super) agent: Option<PathBuf>,
    pub(super) password: Option<Secret>,
    pub(super) policy: HostKeyPolicy,
    pub(super) known_hosts: Vec<PathBuf>,
    pub(super) connect_timeout: Duration,
    pub(super) keepalive: Option<Duration>,
}

impl Target {
    /// `user@address:port`, for messages.
    pub(super) fn label(&self) -> String {
        format!("{}@{}", self.user, endpoint(&self.address, self.port))
    }
}

/// `address:port`, with brackets around an IPv6 address.
pub(super) fn endpoint(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

//! What an operator can set for SSH.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// What happens with a host key that is not in the known hosts files. A key that differs from the recorded
/// one is refused by `Strict` and `AcceptNew`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostKeyPolicy {
    /// Refuse it (`StrictHostKeyChecking yes`).
    Strict,
    /// Record and accept it (`accept-new`).
    AcceptNew,
    /// Accept anything and record nothing (`no`). A password is never sent to a host whose key differs from
    /// the recorded one.
    Off,
}

/// Settings of an [`SshConnector`](super::SshConnector). `default()` reads `$HOME`, `$SSH_AUTH_SOCK` and
/// the user's account once; tests set every path, so that nothing of the real home is read.
#[derive(Clone, Debug)]
pub struct SshOptions {
    /// What `~` means: default keys, `~/.ssh/config`, `~/.ssh/known_hosts`.
    pub home: PathBuf,
    /// OpenSSH client configuration files, the first has precedence. Missing files are skipped.
    pub config_files: Vec<PathBuf>,
    /// Known hosts files used where the configuration names none (`UserKnownHostsFile`). New keys are
    /// appended to the first.
    pub known_hosts: Vec<PathBuf>,
    /// Known hosts files that are consulted besides, and never written.
    pub global_known_hosts: Vec<PathBuf>,
    /// Wins over `StrictHostKeyChecking` of the configuration files; the host's own variables win over it.
    pub host_key_policy: Option<HostKeyPolicy>,
    /// A private key that is tried for every host, after those that the host or the configuration names.
    pub default_key: Option<PathBuf>,
    /// The user where neither the host nor the configuration names one.
    pub default_user: String,
    /// The socket of an ssh-agent, where the configuration names none (`IdentityAgent`).
    pub agent_socket: Option<PathBuf>,
    /// Channels on one connection; lowered by itself where the server allows fewer.
    pub channels_per_connection: usize,
    /// Connections to one host, when all channels of the others are taken.
    pub connections_per_host: usize,
    /// Tunnels through one connection to a jump host.
    pub tunnels_per_connection: usize,
    /// Connections to one jump host.
    pub connections_per_jump: usize,
    /// Handshakes under way at the same time in the whole process.
    pub handshakes: usize,
    /// For TCP connect, handshake and authentication, each.
    pub connect_timeout: Duration,
    /// A connection without channels is closed after this time.
    pub idle_timeout: Duration,
    /// After this silence the server is asked for a sign of life; three without answer end the connection.
    pub keepalive: Duration,
}

impl SshOptions {
    /// The defaults for a given home: nothing of the environment is read.
    #[must_use]
    pub fn for_home(home: &Path) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            home: home.to_owned(),
            config_files: vec![home.join(".ssh/config")],
            known_hosts: vec![home.join(".ssh/known_hosts"), home.join(".ssh/known_hosts2")],
            global_known_hosts: Vec::new(),
            host_key_policy: None,
            default_key: None,
            default_user: account_name(),
            agent_socket: None,
            channels_per_connection: 8,
            connections_per_host: 4,
            tunnels_per_connection: 64,
            connections_per_jump: 64,
            // A handshake costs about a millisecond of CPU and several round trips: enough of them to fill
            // the cores while most wait for the network.
            handshakes: (16 * cores).max(32),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(600),
            keepalive: Duration::from_secs(15),
        }
    }
}

impl Default for SshOptions {
    fn default() -> Self {
        let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from);
        let mut options = Self::for_home(&home);
        options.config_files.push(PathBuf::from("/etc/ssh/ssh_config"));
        options.global_known_hosts =
            vec!["/etc/ssh/ssh_known_hosts".into(), "/etc/ssh/ssh_known_hosts2".into()];
        options.agent_socket = std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from);
        options
    }
}

/// The name of the account this process runs as, from the account database, else from the environment.
fn account_name() -> String {
    let uid = rustix::process::getuid().as_raw().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    found.or_else(|| std::env::var("USER").ok()).unwrap_or_else(|| "root".to_owned())
}

//! What is so when nothing is set.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use exed_plugins::Limits;
use tracing::level_filters::LevelFilter;

use super::{Config, JobsConfig, LogConfig, LogFormat, PluginsConfig, SshConfig};

/// EXEd's port.
pub(super) const PORT: u16 = 16808;
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Default for Config {
    fn default() -> Self {
        let data = data_folder();
        Self {
            source: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)),
            pid_file: None,
            drain_timeout: Duration::from_secs(30),
            log: LogConfig {
                level: LevelFilter::INFO,
                format: LogFormat::Text,
                error_log: None,
                access_log: None,
            },
            inventory: Vec::new(),
            ssh: SshConfig::default(),
            jobs: JobsConfig::default(),
            plugins: PluginsConfig {
                folder: data.join("plugins"),
                maxima: Limits::MAXIMA,
                grants: Default::default(),
                operations: Default::default(),
                config: Default::default(),
            },
            data,
            policies: Default::default(),
            unused: Vec::new(),
        }
    }
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self {
            sync_wait: Duration::from_secs(60),
            at_once: None,
            hosts_at_once: 500,
            lease: Duration::from_secs(30),
            timeout: DAY,
            keep_events: DAY * 14,
            keep_jobs: DAY * 90,
        }
    }
}

/// `/var/lib/exed` for root, `$XDG_STATE_HOME/exed` or `~/.local/state/exed` for everybody else.
fn data_folder() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/exed");
    }
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    state.or_else(home).unwrap_or_default().join("exed")
}

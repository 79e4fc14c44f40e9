//! The configuration: one [`Config`], read from TOML, from the INI file of an EXEd installation, or made
//! of defaults.

mod defaults;
mod error;
mod exed_ini;
mod ini;
mod native;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use exed_domain::plugin::PluginRequirement;
use exed_plugins::Limits;
use exed_transport::ssh::HostKeyPolicy;
use serde_json::Value;
use tracing::level_filters::LevelFilter;

pub(crate) use error::ConfigError;

/// Everything that can be set. Paths are absolute, or relative to the working directory.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// Where it came from; none for the defaults.
    pub(crate) source: Option<PathBuf>,
    /// Where the server listens; always a loopback address.
    pub(crate) listen: SocketAddr,
    /// Where the process id is written.
    pub(crate) pid_file: Option<PathBuf>,
    /// How long requests and jobs under way may take once the server was told to end.
    pub(crate) drain_timeout: Duration,
    /// The database and the cache of compiled plugins.
    pub(crate) data: PathBuf,
    /// The logs.
    pub(crate) log: LogConfig,
    /// Inventory files and folders.
    pub(crate) inventory: Vec<PathBuf>,
    /// SSH.
    pub(crate) ssh: SshConfig,
    /// Jobs.
    pub(crate) jobs: JobsConfig,
    /// Plugins.
    pub(crate) plugins: PluginsConfig,
    /// Policies by operation.
    pub(crate) policies: BTreeMap<String, Vec<String>>,
    /// What was read and has no effect, as sentences for the log.
    pub(crate) unused: Vec<String>,
}

/// The logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogConfig {
    pub(crate) level: LevelFilter,
    pub(crate) format: LogFormat,
    /// The log; standard output if absent.
    pub(crate) error_log: Option<PathBuf>,
    /// One line per request; standard output if absent.
    pub(crate) access_log: Option<PathBuf>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// SSH; what is absent follows the user's own configuration.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct SshConfig {
    pub(crate) key: Option<PathBuf>,
    pub(crate) user: Option<String>,
    pub(crate) known_hosts: Option<PathBuf>,
    pub(crate) host_keys: Option<HostKeyPolicy>,
    pub(crate) config: Option<PathBuf>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) keepalive: Option<Duration>,
}

/// Jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobsConfig {
    /// How long a synchronous call waits before it answers that the job goes on.
    pub(crate) sync_wait: Duration,
    /// Jobs at once; none means as many as the capacity allows.
    pub(crate) at_once: Option<usize>,
    /// Hosts at once over all jobs.
    pub(crate) hosts_at_once: usize,
    /// How long a claim lasts without being renewed.
    pub(crate) lease: Duration,
    /// Wall time of a job that asks for none.
    pub(crate) timeout: Duration,
    /// How long the events of ended jobs are kept.
    pub(crate) keep_events: Duration,
    /// How long ended jobs are kept.
    pub(crate) keep_jobs: Duration,
}

/// Plugins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PluginsConfig {
    /// Watched for components.
    pub(crate) folder: PathBuf,
    /// What no plugin may exceed.
    pub(crate) maxima: Limits,
    /// Capabilities granted by plugin name.
    pub(crate) grants: BTreeMap<String, Vec<String>>,
    /// Which plugin performs an operation.
    pub(crate) operations: BTreeMap<String, PluginRequirement>,
    /// What a plugin is configured with, by plugin name.
    pub(crate) config: BTreeMap<String, Opaque>,
}

/// A value that belongs to a plugin. It may be secret, so it is never printed.
#[derive(Clone, PartialEq)]
pub(crate) struct Opaque(pub(crate) Value);

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Looked for in the working directory, in this order.
const DEFAULT_FILES: [&str; 3] = ["exe.conf", "exed.conf", "exed.toml"];

impl Config {
    /// Reads the file, or the first default file that is there, or takes the defaults.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let found = file
            .map(Path::to_owned)
            .or_else(|| DEFAULT_FILES.iter().map(PathBuf::from).find(|path| path.is_file()));
        match found {
            Some(path) => Self::read(&path),
            None => Ok(Self::default()),
        }
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::new(path, None, format!("cannot be read: {error}")))?;
        let mut config = if path.extension().is_some_and(|extension| extension == "toml") {
            native::parse(path, &text)?
        } else {
            exed_ini::parse(path, &text)?
        };
        config.source = Some(path.to_owned());
        Ok(config)
    }
}

#[cfg(test)]
mod tests;

//! The native format: TOML. Unknown keys are errors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use exed_domain::plugin::PluginRequirement;
use exed_transport::ssh::HostKeyPolicy;
use serde::Deserialize;
use serde_json::Value;

use super::{Config, ConfigError, LogFormat, Opaque, PluginsConfig, values};

const MIB: u64 = 1 << 20;
const DAY: u64 = 24 * 3600;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    listen: Option<String>,
    listen_port: Option<u16>,
    pid_file: Option<PathBuf>,
    data: Option<PathBuf>,
    drain_timeout_seconds: Option<u64>,
    log: Log,
    inventory: Inventory,
    ssh: Ssh,
    jobs: Jobs,
    plugins: Plugins,
    operations: BTreeMap<String, String>,
    policies: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Log {
    level: Option<String>,
    format: LogFormat,
    error_log: Option<PathBuf>,
    access_log: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Inventory {
    paths: Vec<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Ssh {
    key: Option<PathBuf>,
    user: Option<String>,
    known_hosts: Option<PathBuf>,
    host_keys: Option<HostKeys>,
    config: Option<PathBuf>,
    connect_timeout_seconds: Option<u64>,
    idle_timeout_seconds: Option<u64>,
    keepalive_seconds: Option<u64>,
}

/// OpenSSH's words.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum HostKeys {
    Strict,
    AcceptNew,
    Off,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Jobs {
    sync_wait_seconds: Option<u64>,
    at_once: Option<usize>,
    hosts_at_once: Option<usize>,
    lease_seconds: Option<u64>,
    timeout_seconds: Option<u64>,
    keep_events_days: Option<u64>,
    keep_jobs_days: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Plugins {
    folder: Option<PathBuf>,
    limits: LimitsTable,
    grants: BTreeMap<String, Vec<String>>,
    config: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsTable {
    memory_mib: Option<u64>,
    cpu_seconds: Option<u64>,
    wall_seconds: Option<u64>,
    output_mib: Option<u64>,
}

pub(super) fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let file: File = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map(|before| before.matches('\n').count() + 1);
        // Only the key and the message: the value may hold a secret of a plugin.
        let field = line.and_then(|line| field(text, line)).map(|field| format!("{field}: "));
        ConfigError::new(path, line, format!("{}{}", field.unwrap_or_default(), error.message()))
    })?;
    let base = path.parent().unwrap_or(Path::new(""));
    file.into_config(base)
        .map_err(|(field, problem)| ConfigError::new(path, None, format!("{field}: {problem}")))
}

/// The key that stands in a line, counted from 1, with the table that it belongs to.
fn field(text: &str, line: usize) -> Option<String> {
    let key = text.lines().nth(line - 1)?.split_once('=')?.0.trim();
    let above: Vec<&str> = text.lines().take(line).collect();
    let header = above.iter().rev().find_map(|line| line.trim().strip_prefix('[')?.split(']').next());
    Some(header.map_or_else(|| key.to_owned(), |table| format!("[{table}] {key}")))
}

type FieldProblem = (String, String);

impl File {
    /// Paths of the file are relative to the folder that it stands in.
    fn into_config(self, base: &Path) -> Result<Config, FieldProblem> {
        let mut config = Config::default();
        if let Some(listen) = self.listen {
            config.listen.set_ip(values::listen(&listen).map_err(|problem| ("listen".to_owned(), problem))?);
        }
        if let Some(port) = self.listen_port {
            config.listen.set_port(port);
        }
        config.pid_file = self.pid_file.map(|path| base.join(path));
        if let Some(data) = self.data {
            config.data = base.join(data);
            config.plugins.folder = config.data.join("plugins");
        }
        set_seconds(&mut config.drain_timeout, "drain_timeout_seconds", self.drain_timeout_seconds, 0)?;
        if let Some(level) = self.log.level {
            config.log.level = values::level(&level).map_err(|problem| ("log.level".to_owned(), problem))?;
        }
        config.log.format = self.log.format;
        config.log.error_log = self.log.error_log.map(|path| base.join(path));
        config.log.access_log = self.log.access_log.map(|path| base.join(path));
        config.inventory = self.inventory.paths.into_iter().map(|path| base.join(path)).collect();
        self.ssh.fill(&mut config, base);
        self.jobs.fill(&mut config)?;
        self.plugins.fill(&mut config.plugins, base)?;
        config.plugins.operations = self.operations.iter().map(binding).collect::<Result<_, _>>()?;
        config.policies = self.policies;
        Ok(config)
    }
}

impl Ssh {
    fn fill(self, config: &mut Config, base: &Path) {
        let ssh = &mut config.ssh;
        ssh.key = self.key.map(|path| base.join(path));
        ssh.user = self.user;
        ssh.known_hosts = self.known_hosts.map(|path| base.join(path));
        ssh.host_keys = self.host_keys.map(|policy| match policy {
            HostKeys::Strict => HostKeyPolicy::Strict,
            HostKeys::AcceptNew => HostKeyPolicy::AcceptNew,
            HostKeys::Off => HostKeyPolicy::Off,
        });
        ssh.config = self.config.map(|path| base.join(path));
        ssh.connect_timeout = self.connect_timeout_seconds.map(Duration::from_secs);
        ssh.idle_timeout = self.idle_timeout_seconds.map(Duration::from_secs);
        ssh.keepalive = self.keepalive_seconds.map(Duration::from_secs);
    }
}

impl Jobs {
    fn fill(self, config: &mut Config) -> Result<(), FieldProblem> {
        let jobs = &mut config.jobs;
        set_seconds(&mut jobs.sync_wait, "jobs.sync_wait_seconds", self.sync_wait_seconds, 1)?;
        set_seconds(&mut jobs.lease, "jobs.lease_seconds", self.lease_seconds, 5)?;
        set_seconds(&mut jobs.timeout, "jobs.timeout_seconds", self.timeout_seconds, 1)?;
        let days = |days: Option<u64>| days.map(|days| days.saturating_mul(DAY));
        set_seconds(&mut jobs.keep_events, "jobs.keep_events_days", days(self.keep_events_days), 0)?;
        set_seconds(&mut jobs.keep_jobs, "jobs.keep_jobs_days", days(self.keep_jobs_days), 0)?;
        jobs.at_once = self.at_once.filter(|count| *count > 0);
        if let Some(count) = self.hosts_at_once {
            let checked = values::at_least(1, count as u64);
            checked.map_err(|problem| ("jobs.hosts_at_once".to_owned(), problem))?;
            jobs.hosts_at_once = count;
        }
        Ok(())
    }
}

impl Plugins {
    fn fill(self, plugins: &mut PluginsConfig, base: &Path) -> Result<(), FieldProblem> {
        if let Some(folder) = self.folder {
            plugins.folder = base.join(folder);
        }
        let maxima = &mut plugins.maxima;
        set_seconds(&mut maxima.cpu, "plugins.limits.cpu_seconds", self.limits.cpu_seconds, 1)?;
        set_seconds(&mut maxima.wall, "plugins.limits.wall_seconds", self.limits.wall_seconds, 1)?;
        if let Some(mib) = self.limits.memory_mib {
            let mib = values::at_least(1, mib)
                .map_err(|problem| ("plugins.limits.memory_mib".to_owned(), problem))?;
            maxima.memory = mib.saturating_mul(MIB);
        }
        if let Some(mib) = self.limits.output_mib {
            let mib = values::at_least(1, mib)
                .map_err(|problem| ("plugins.limits.output_mib".to_owned(), problem))?;
            maxima.output = mib.saturating_mul(MIB);
        }
        plugins.grants = self.grants;
        plugins.config = self.config.into_iter().map(|(name, value)| (name, Opaque(value))).collect();
        Ok(())
    }
}

fn binding((operation, plugin): (&String, &String)) -> Result<(String, PluginRequirement), FieldProblem> {
    let requirement = plugin.parse().map_err(|error| {
        let problem = format!("{plugin:?} is not a plugin: {error}; accepted are NAME and NAME@VERSIONS");
        (format!("operations.{operation}"), problem)
    })?;
    Ok((operation.clone(), requirement))
}

fn set_seconds(to: &mut Duration, field: &str, value: Option<u64>, least: u64) -> Result<(), FieldProblem> {
    if let Some(seconds) = value {
        let seconds = values::at_least(least, seconds).map_err(|problem| (field.to_owned(), problem))?;
        *to = Duration::from_secs(seconds);
    }
    Ok(())
}

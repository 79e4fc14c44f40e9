//! The INI file of an existing EXEd installation, unchanged. What this server does not need is accepted
//! and said to be unused, so that the same file goes on serving both.

use std::path::{Path, PathBuf};

use tracing::level_filters::LevelFilter;

use super::ini::{self, Entry};
use super::{Config, ConfigError, values};

pub(super) fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let entries = ini::parse(text).map_err(|(line, problem)| ConfigError::new(path, Some(line), problem))?;
    let mut reader = Reader { config: Config::default(), workdir: PathBuf::new(), inventory: None };
    // EXEd logs at this level unless the file says otherwise.
    reader.config.log.level = LevelFilter::DEBUG;
    for entry in &entries {
        reader.take(entry).map_err(|problem| {
            ConfigError::new(path, Some(entry.line), format!("[{}] {}: {problem}", entry.section, entry.key))
        })?;
    }
    Ok(reader.finish())
}

struct Reader {
    config: Config,
    workdir: PathBuf,
    inventory: Option<PathBuf>,
}

impl Reader {
    fn take(&mut self, entry: &Entry) -> Result<(), String> {
        let value = entry.value.as_str();
        let config = &mut self.config;
        match (entry.section.as_str(), entry.key.as_str()) {
            // An option without a value is an option that is absent.
            (_, _) if value.is_empty() => {}
            ("api", "listen" | "listen_addr") => config.listen.set_ip(values::listen(value)?),
            ("api", "listen_port") => config.listen.set_port(values::port(value)?),
            ("api", "pid_file") => config.pid_file = Some(value.into()),
            ("runner", "executor") => executor(value)?,
            ("runner", "concurrency") => config.jobs.at_once = concurrency(value)?,
            ("runner", "redis_url" | "broker_url") => config.unused.push(format!(
                "[runner] {} is unused: this server needs neither a broker nor Redis and connects to none",
                entry.key
            )),
            ("log", "log_level") => config.log.level = values::level(value)?,
            ("log", "error_log") => config.log.error_log = Some(value.into()),
            ("log", "access_log") => config.log.access_log = Some(value.into()),
            ("ansible", "workdir") => self.workdir = value.into(),
            ("ansible", "inventory") => self.inventory = Some(value.into()),
            ("ansible", "sshkey") => config.ssh.key = Some(value.into()),
            ("ansible", "playbooks") => config
                .unused
                .push("[ansible] playbooks is unused until a plugin that runs roles is installed".to_owned()),
            (section, key) => config
                .unused
                .push(format!("line {}: [{section}] {key} is not known and has no effect", entry.line)),
        }
        Ok(())
    }

    /// Paths of the section `ansible` are relative to its working directory. The default inventory is used
    /// only where it exists; one that is named is used in any case, so that its absence is told.
    fn finish(mut self) -> Config {
        let named = self.inventory.map(|path| self.workdir.join(path));
        let default = Some(self.workdir.join("inventory")).filter(|path| path.exists());
        self.config.inventory = named.or(default).into_iter().collect();
        if let Some(key) = self.config.ssh.key.take() {
            self.config.ssh.key = Some(self.workdir.join(key));
        }
        self.config
    }
}

/// Every operation of EXEd goes to the first-party plugins, which is what `ansible` stands for.
fn executor(value: &str) -> Result<(), String> {
    match value {
        "ansible" => Ok(()),
        _ => Err(format!(
            "{value:?} is not an executor of this server; `ansible` selects the first-party plugins, and \
             others are bound to operations in the [operations] table of a TOML configuration"
        )),
    }
}

fn concurrency(value: &str) -> Result<Option<usize>, String> {
    match value.parse() {
        Ok(0) => Ok(None),
        Ok(count) => Ok(Some(count)),
        Err(_) => Err(format!("{value:?} is not a number of jobs; accepted are 0 (no limit) and more")),
    }
}

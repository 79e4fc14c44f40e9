//! SIGHUP: the logs are opened anew, and what can change while the server runs is read again. What cannot
//! is said. The plugin folder needs none of this: it is watched.

use std::sync::Arc;

use exed_domain::ports::{InventorySource as _, InventoryStatus};
use exed_inventory::FileInventory;
use exed_services::PolicyBindings;
use exed_transport::ssh::SshConnector;

use crate::app::Adapters;
use crate::config::Config;
use crate::telemetry::Telemetry;

/// What a reload acts on.
pub(crate) struct Reloader {
    config: Config,
    telemetry: Telemetry,
    policies: PolicyBindings,
    inventory: Arc<FileInventory>,
    ssh: Arc<SshConnector>,
}

impl Reloader {
    pub(crate) fn new(
        config: Config,
        telemetry: Telemetry,
        policies: PolicyBindings,
        adapters: &Adapters,
    ) -> Self {
        let (inventory, ssh) = (Arc::clone(&adapters.inventory), Arc::clone(&adapters.ssh));
        Self { config, telemetry, policies, inventory, ssh }
    }

    /// Reloads. A configuration with a mistake changes nothing but the logs.
    pub(crate) async fn reload(&mut self) {
        self.telemetry.reopen();
        tracing::info!("reloading");
        match Config::load(self.config.source.as_deref()) {
            Ok(new) => self.apply(new),
            Err(error) => tracing::error!(%error, "the configuration stays as it was"),
        }
        self.ssh.reload();
        let inventory = Arc::clone(&self.inventory);
        let status = tokio::task::spawn_blocking(move || {
            inventory.reload();
            inventory.status()
        })
        .await;
        match status {
            Ok(InventoryStatus { errors, .. }) if errors.is_empty() => tracing::info!("reloaded"),
            Ok(status) => tracing::error!(errors = ?status.errors, "the inventory stays as it was"),
            Err(error) => tracing::error!(%error, "the inventory could not be reloaded"),
        }
    }

    fn apply(&mut self, new: Config) {
        self.telemetry.set_level(new.log.level);
        self.policies.replace(new.policies.clone());
        let waiting = self.config.differs_at_start(&new);
        if !waiting.is_empty() {
            tracing::warn!(settings = waiting.join(", "), "these settings change at the next start");
        }
        // The running server is still what it was started with; only these two have changed.
        self.config.log.level = new.log.level;
        self.config.policies = new.policies;
    }
}

impl Config {
    /// The settings that differ and are looked at only when the server starts.
    fn differs_at_start(&self, new: &Self) -> Vec<&'static str> {
        let logs =
            |config: &Self| (config.log.format, config.log.error_log.clone(), config.log.access_log.clone());
        [
            ("listen", self.listen != new.listen),
            ("pid_file", self.pid_file != new.pid_file),
            ("data", self.data != new.data),
            ("drain_timeout", self.drain_timeout != new.drain_timeout),
            ("log files and format", logs(self) != logs(new)),
            ("inventory paths", self.inventory != new.inventory),
            ("ssh", self.ssh != new.ssh),
            ("jobs", self.jobs != new.jobs),
            ("plugins and operations", self.plugins != new.plugins),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_the_next_start_is_named() {
        let old = Config::default();
        let mut new = old.clone();
        new.log.level = tracing::level_filters::LevelFilter::TRACE;
        new.policies.insert("execute".to_owned(), vec!["command-allowlist".to_owned()]);
        assert!(old.differs_at_start(&new).is_empty());
        new.listen.set_port(1);
        new.jobs.hosts_at_once = 1;
        assert_eq!(old.differs_at_start(&new), ["listen", "jobs"]);
    }
}

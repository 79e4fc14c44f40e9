//! The adapters of the embedded mode, opened from the configuration.

use std::sync::Arc;

use anyhow::Context as _;
use exed_bus::InProcessBus;
use exed_domain::ports::StepTransport as _;
use exed_inventory::{FileInventory, InventoryOptions};
use exed_plugins::{Embedded, PluginHost, PluginOptions};
use exed_services::{PolicyBindings, Ports, RetentionSettings, Settings, SystemClock};
use exed_store::{SqliteOptions, SqliteStore};
use exed_transport::local::LocalConnector;
use exed_transport::ssh::{SshConnector, SshOptions};
use exed_transport::{HostTransport, TransportOptions};

use crate::config::{Config, SshConfig};
use crate::embedded;

/// The open adapters.
pub(crate) struct Adapters {
    pub(crate) inventory: Arc<FileInventory>,
    pub(crate) ssh: Arc<SshConnector>,
    store: Arc<SqliteStore>,
    bus: Arc<InProcessBus>,
    transport: Arc<HostTransport>,
    plugins: Arc<PluginHost>,
}

impl Adapters {
    /// Opens everything; the store first, because its lock keeps a second server away.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        let store = open_store(config).await?;
        let inventory = open_inventory(config).await?;
        let plugins = PluginHost::start(plugin_options(config)).await.context("starting the plugin host")?;
        let ssh = Arc::new(SshConnector::new(ssh_options(&config.ssh)));
        let local = Arc::new(LocalConnector::new());
        let transport = HostTransport::new(Arc::clone(&ssh) as _, local, TransportOptions::default());
        Ok(Self {
            inventory: Arc::new(inventory),
            ssh,
            store: Arc::new(store),
            bus: Arc::new(InProcessBus::new()),
            transport: Arc::new(transport),
            plugins,
        })
    }

    /// The adapters as the services know them.
    pub(crate) fn ports(&self) -> Ports {
        Ports {
            store: Arc::clone(&self.store) as _,
            bus: Arc::clone(&self.bus) as _,
            inventory: Arc::clone(&self.inventory) as _,
            transport: Arc::clone(&self.transport) as _,
            executors: Arc::clone(&self.plugins) as _,
            plugins: Arc::clone(&self.plugins) as _,
            policies: Arc::clone(&self.plugins) as _,
            clock: Arc::new(SystemClock),
        }
    }

    /// Closes every connection to a host.
    pub(crate) async fn close(&self) {
        self.transport.close().await;
    }
}

async fn open_store(config: &Config) -> anyhow::Result<SqliteStore> {
    let options = SqliteOptions::new(config.data.join("exed.sqlite"));
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(options)).await?;
    opened.with_context(|| format!("opening the store in the data folder {}", config.data.display()))
}

async fn open_inventory(config: &Config) -> anyhow::Result<FileInventory> {
    if config.inventory.is_empty() {
        return Ok(FileInventory::empty());
    }
    let options = InventoryOptions { paths: config.inventory.clone(), watch: true };
    Ok(tokio::task::spawn_blocking(move || FileInventory::open(options)).await?)
}

/// The settings of the services.
pub(crate) fn settings(config: &Config, policies: PolicyBindings) -> Settings {
    let defaults = Settings::default();
    let jobs = &config.jobs;
    Settings {
        jobs_at_once: jobs.at_once.unwrap_or(defaults.jobs_at_once),
        hosts_at_once: jobs.hosts_at_once,
        lease: jobs.lease,
        job_timeout: jobs.timeout,
        retention: RetentionSettings {
            events: jobs.keep_events,
            jobs: jobs.keep_jobs,
            every: defaults.retention.every,
        },
        policies,
        ..defaults
    }
}

fn plugin_options(config: &Config) -> PluginOptions {
    let embedded: Vec<_> =
        embedded::components().iter().map(|&(file, bytes)| Embedded { file, bytes }).collect();
    if embedded.is_empty() {
        tracing::warn!("{}", embedded::NONE_EMBEDDED);
    }
    let plugins = &config.plugins;
    PluginOptions {
        embedded,
        folder: Some(plugins.folder.clone()),
        cache: Some(config.data.join("cache")),
        maxima: plugins.maxima.clone(),
        grants: plugins.grants.clone(),
        policy_config: plugins.config.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect(),
        bindings: plugins.operations.clone(),
        ..PluginOptions::default()
    }
}

/// What is set replaces what the user's own SSH configuration says.
fn ssh_options(config: &SshConfig) -> SshOptions {
    let mut options = SshOptions::default();
    options.default_key.clone_from(&config.key);
    if let Some(user) = &config.user {
        options.default_user.clone_from(user);
    }
    if let Some(file) = &config.known_hosts {
        options.known_hosts = vec![file.clone()];
        options.global_known_hosts = Vec::new();
    }
    options.host_key_policy = config.host_keys;
    if let Some(file) = &config.config {
        options.config_files = vec![file.clone()];
    }
    options.connect_timeout = config.connect_timeout.unwrap_or(options.connect_timeout);
    options.idle_timeout = config.idle_timeout.unwrap_or(options.idle_timeout);
    options.keepalive = config.keepalive.unwrap_or(options.keepalive);
    options
}

//! What exed does, over the ports of `exed-domain`: the host registry, jobs (submit, follow, cancel,
//! claim, run) and the administration of plugins. Façades call these services and nothing below them.
//!
//! [`Services::new`] gives the cheap-clone handle that façades hold, and the [`Worker`] that claims and
//! runs jobs until it is told to stop.

mod clock;
mod hosts;
mod jobs;
mod plugins;
mod settings;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use exed_domain::ports::{
    Bus, Clock, Executors, InventorySource, JobStore, PluginAdmin, Policies, StepTransport,
};

pub use clock::SystemClock;
pub use hosts::Hosts;
pub use jobs::{Ended, Jobs, NoMatch, SubmitRequest, Submitted};
pub use plugins::Plugins;
pub use settings::{PolicyBindings, RetentionSettings, Settings};
pub use worker::{Stop, Worker};

/// The adapters that the services run on.
#[derive(Clone)]
pub struct Ports {
    /// Durable jobs.
    pub store: Arc<dyn JobStore>,
    /// Wake-ups.
    pub bus: Arc<dyn Bus>,
    /// Hosts.
    pub inventory: Arc<dyn InventorySource>,
    /// The way to hosts.
    pub transport: Arc<dyn StepTransport>,
    /// Loaded executors.
    pub executors: Arc<dyn Executors>,
    /// Loaded plugins.
    pub plugins: Arc<dyn PluginAdmin>,
    /// Loaded policies.
    pub policies: Arc<dyn Policies>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

/// The handle that façades hold.
#[derive(Clone)]
pub struct Services {
    /// Jobs.
    pub jobs: Jobs,
    /// Hosts.
    pub hosts: Hosts,
    /// Plugins.
    pub plugins: Plugins,
}

impl Services {
    /// The services over `ports`, and the worker that must be run for jobs to make progress.
    #[must_use]
    pub fn new(ports: Ports, settings: Settings) -> (Self, Worker) {
        let settings = Arc::new(settings);
        let load = Arc::new(worker::Load::default());
        let services = Self {
            jobs: Jobs::new(ports.clone(), Arc::clone(&settings), Arc::clone(&load)),
            hosts: Hosts::new(Arc::clone(&ports.inventory)),
            plugins: Plugins::new(Arc::clone(&ports.plugins), Arc::clone(&ports.executors)),
        };
        let worker = Worker::new(ports, settings, load);
        (services, worker)
    }
}

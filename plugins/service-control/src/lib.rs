//! The first-party executor for `service`.

mod name;
mod service;
mod verdict;

use exed_sdk::{Entry, Executor};

/// The plugin.
#[derive(Debug)]
pub struct ServiceControl;

impl Executor for ServiceControl {
    const OPERATIONS: &'static [Entry] = &[Entry::of::<service::Service>()];
}

exed_sdk::executor!(ServiceControl, manifest = "plugin.toml", scripts = { "service" => "scripts/service.sh" });

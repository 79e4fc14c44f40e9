//! The first-party executor for `ping`, `facter` and `execute`.

mod execute;
mod facter;
mod facts;
mod ping;

use exed_sdk::{Entry, Executor};

/// The plugin.
#[derive(Debug)]
pub struct RemoteShell;

impl Executor for RemoteShell {
    const OPERATIONS: &'static [Entry] =
        &[Entry::of::<ping::Ping>(), Entry::of::<facter::Facter>(), Entry::of::<execute::Execute>()];
}

exed_sdk::executor!(RemoteShell, manifest = "plugin.toml", scripts = { "facts" => "scripts/facts.sh" });

//! The plugin host: sandboxed WebAssembly components that are loaded, upgraded and rolled back while jobs
//! run.
//!
//! ```text
//!   loader    digest → manifest → introspection → grants → compile (cached) → describe / configure
//!   registry  which version of which plugin is active, draining, retained or refused
//!   folder    watches the plugin folder; host and admin put loader and registry together
//!   executor  one store per run, from a pre-instantiated component in the pool
//!   policy    warm instances, a few milliseconds, fails closed
//! ```
//!
//! Start it with [`PluginHost::start`]; it implements the domain's ports `Executors`, `PluginAdmin` and
//! `Policies`. The domain has no versions: conversions live in one module for each version of the API.

mod admin;
mod capabilities;
mod engine;
mod executor;
mod folder;
mod host;
mod limits;
mod loader;
mod machine;
mod meter;
mod options;
mod outcome;
mod policy;
mod registry;
mod state;
mod v0_1;

pub use host::{PluginHost, StartError};
pub use limits::Limits;
pub use options::{Embedded, PluginOptions};

#[cfg(test)]
mod tests;

//! What the composition root tells the plugin host.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use exed_domain::plugin::PluginRequirement;
use serde_json::Value;

use crate::limits::Limits;

/// A component that the binary carries.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    /// Its file name, for messages (`remote-shell.wasm`).
    pub file: &'static str,
    /// The component.
    pub bytes: &'static [u8],
}

/// How a plugin host is set up. Start from [`PluginOptions::default`] and change what matters.
#[derive(Clone, Debug)]
pub struct PluginOptions {
    /// The first-party components. Each is granted what it declares, and a component of the same name in
    /// the folder inherits that grant.
    pub embedded: Vec<Embedded>,
    /// The folder whose `*.wasm` files are loaded and watched; it is made if it is not there. Without one,
    /// nothing can be installed.
    pub folder: Option<PathBuf>,
    /// Where compiled code is kept between starts (made with mode 0700); without one, every start compiles.
    pub cache: Option<PathBuf>,
    /// What no plugin may exceed, whatever its manifest wishes.
    pub maxima: Limits,
    /// What a plugin has whose manifest wishes nothing; never more than `maxima`.
    pub defaults: Limits,
    /// Capabilities granted by the operator, by plugin name.
    pub grants: BTreeMap<String, Vec<String>>,
    /// What `configure` of a policy receives, by plugin name; an empty object for the others.
    pub policy_config: BTreeMap<String, Value>,
    /// Which plugin performs an operation that several offer.
    pub bindings: BTreeMap<String, PluginRequirement>,
    /// How many replaced versions of a plugin are kept for an instant rollback.
    pub retained: usize,
    /// How many guest instances may be alive at once; further runs wait.
    pub instances: NonZeroUsize,
    /// Threads of the guests' own runtime; the number of cores if absent.
    pub threads: Option<NonZeroUsize>,
}

impl Default for PluginOptions {
    fn default() -> Self {
        Self {
            embedded: Vec::new(),
            folder: None,
            cache: None,
            maxima: Limits::MAXIMA,
            defaults: Limits::DEFAULTS,
            grants: BTreeMap::new(),
            policy_config: BTreeMap::new(),
            bindings: BTreeMap::new(),
            retained: 3,
            instances: NonZeroUsize::MIN.saturating_add(255),
            threads: None,
        }
    }
}

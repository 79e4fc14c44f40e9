//! The operator's half of a capability; the manifest is the other half.

use std::collections::{BTreeMap, BTreeSet};

use exed_domain::plugin::PluginOrigin;

use super::LoadError;
use super::manifest::Manifest;
use crate::capabilities::Capability;

/// Which plugin was granted what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grants {
    by_name: BTreeMap<String, BTreeSet<Capability>>,
}

impl Grants {
    /// Reads the configuration's grants.
    ///
    /// # Errors
    /// One sentence about the word that is no capability.
    pub(crate) fn parse(configured: &BTreeMap<String, Vec<String>>) -> Result<Self, String> {
        let mut grants = Self::default();
        for (name, words) in configured {
            for word in words {
                let capability = Capability::from_word(word).ok_or_else(|| {
                    format!(
                        "plugins.grants.{name}: \"{word}\" is no capability; accepted are {}",
                        Capability::words()
                    )
                })?;
                grants.by_name.entry(name.clone()).or_default().insert(capability);
            }
        }
        Ok(grants)
    }

    /// Grants a capability to plugins of a name.
    pub(crate) fn add(&mut self, name: &str, words: &[String]) {
        let capabilities = words.iter().filter_map(|word| Capability::from_word(word));
        self.by_name.entry(name.to_owned()).or_default().extend(capabilities);
    }

    /// Whether the plugin was granted all that it declares. What the binary carries is trusted.
    pub(super) fn allow(&self, manifest: &Manifest, origin: &PluginOrigin) -> Result<(), LoadError> {
        if *origin == PluginOrigin::Embedded {
            return Ok(());
        }
        let granted = self.by_name.get(&manifest.name);
        let missing: Vec<_> = manifest
            .capabilities
            .iter()
            .filter(|capability| granted.is_none_or(|set| !set.contains(capability)))
            .map(|capability| format!("\"{}\"", capability.word()))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let all: Vec<_> =
            manifest.capabilities.iter().map(|capability| format!("\"{}\"", capability.word())).collect();
        Err(LoadError::NotGranted(format!(
            "{} {} asks for {}, which was not granted; to grant it, set {} = [{}] in the table [plugins.grants] of \
             the configuration and restart",
            manifest.name,
            manifest.version,
            missing.join(" and "),
            key(&manifest.name),
            all.join(", "),
        )))
    }
}

/// A plugin's name as a key of TOML, where a bare key has no dots.
fn key(name: &str) -> String {
    if name.contains('.') { format!("\"{name}\"") } else { name.to_owned() }
}

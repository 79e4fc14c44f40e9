//! The registry of managed machines.

use std::sync::Arc;

use exed_domain::host::pattern::Pattern;
use exed_domain::ports::{InventorySource, InventoryStatus};
use exed_domain::{Error, FieldError, Host, HostName, Inventory, Result};

/// Finds hosts.
#[derive(Clone)]
pub struct Hosts {
    inventory: Arc<dyn InventorySource>,
}

impl Hosts {
    pub(crate) fn new(inventory: Arc<dyn InventorySource>) -> Self {
        Self { inventory }
    }

    /// The hosts that match any of the patterns, in inventory order, each once; may be empty.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a malformed pattern; the field is `targets`.
    pub fn matching(&self, patterns: &[String]) -> Result<Vec<HostName>> {
        resolve(patterns, &self.inventory.snapshot())
    }

    /// One host by its exact name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn host(&self, name: &str) -> Result<Host> {
        let snapshot = self.inventory.snapshot();
        let found = snapshot.hosts.get(&HostName::from(name)).cloned();
        found.ok_or_else(|| Error::NotFound { kind: "host", name: name.to_owned() })
    }

    /// Everything there is now.
    #[must_use]
    pub fn inventory(&self) -> Arc<Inventory> {
        self.inventory.snapshot()
    }

    /// How the last reload went.
    #[must_use]
    pub fn status(&self) -> InventoryStatus {
        self.inventory.status()
    }

    /// Reads the inventory again, on a blocking thread.
    pub async fn reload(&self) {
        let inventory = Arc::clone(&self.inventory);
        // A panic in the loader would be a defect; the last good snapshot stays either way.
        let _ = tokio::task::spawn_blocking(move || inventory.reload()).await;
    }
}

/// Resolves patterns against a snapshot.
pub(crate) fn resolve(patterns: &[String], inventory: &Inventory) -> Result<Vec<HostName>> {
    let parsed = patterns.iter().map(|text| Pattern::parse(text)).collect::<Result<Vec<_>, _>>();
    let parsed = parsed.map_err(|error| FieldError::new("targets", error.to_string()))?;
    Ok(exed_domain::host::pattern::resolve(&parsed, inventory))
}

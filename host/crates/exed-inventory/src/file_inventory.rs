//! The inventory of files as a port of the domain: loaded, watched, and kept while its files are broken.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use exed_domain::Inventory;
use exed_domain::ports::{InventorySource, InventoryStatus};

use crate::load::load;
use crate::watch::Watcher;

/// What a [`FileInventory`] reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryOptions {
    /// Inventory files and folders; the variables of later ones win.
    pub paths: Vec<PathBuf>,
    /// Whether changes of the files are noticed. Without it, [`InventorySource::reload`] reads them again.
    pub watch: bool,
}

/// An inventory in files. Dropping it ends the watching.
pub struct FileInventory {
    shared: Arc<Shared>,
    watcher: Option<Watcher>,
}

/// What the watching thread shares with the owner.
pub(crate) struct Shared {
    paths: Vec<PathBuf>,
    snapshot: RwLock<Arc<Inventory>>,
    status: RwLock<InventoryStatus>,
    /// Why changes are not noticed, if they are not.
    blind: RwLock<Option<String>>,
    /// One load at a time, so that an older one cannot replace a newer one.
    loading: Mutex<()>,
}

impl FileInventory {
    /// Loads the inventory and begins to watch it. Never fails: while the files cannot be read there are no
    /// hosts, and [`InventorySource::status`] tells why. Blocks on file I/O.
    #[must_use]
    pub fn open(options: InventoryOptions) -> Self {
        let shared = Arc::new(Shared::new(options.paths));
        // Watching begins before the first load, so that no change falls between the two.
        let watcher = options.watch.then(|| Watcher::start(Arc::clone(&shared)));
        shared.load();
        Self { shared, watcher }
    }

    /// An inventory without files and hosts.
    #[must_use]
    pub fn empty() -> Self {
        Self { shared: Arc::new(Shared::new(Vec::new())), watcher: None }
    }

    /// The files and folders that are read.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        &self.shared.paths
    }

    /// Whether changes of the files are noticed without [`InventorySource::reload`].
    #[must_use]
    pub fn is_watching(&self) -> bool {
        self.watcher.is_some() && read(&self.shared.blind).is_none()
    }
}

impl InventorySource for FileInventory {
    fn snapshot(&self) -> Arc<Inventory> {
        Arc::clone(&read(&self.shared.snapshot))
    }

    fn status(&self) -> InventoryStatus {
        let mut status = read(&self.shared.status).clone();
        status.warnings.extend(read(&self.shared.blind).clone());
        status
    }

    fn reload(&self) {
        self.shared.load();
    }
}

impl std::fmt::Debug for FileInventory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Variables hold passwords, so the snapshot is not shown.
        f.debug_struct("FileInventory").field("paths", &self.shared.paths).finish_non_exhaustive()
    }
}

impl Shared {
    fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            snapshot: RwLock::default(),
            status: RwLock::default(),
            blind: RwLock::default(),
            loading: Mutex::default(),
        }
    }

    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    pub(crate) fn set_blind(&self, why: Option<String>) {
        if let Some(why) = &why {
            tracing::warn!("{why}");
        }
        *write(&self.blind) = why;
    }

    /// Reads the files now; broken ones keep the snapshot.
    pub(crate) fn load(&self) {
        let _one_at_a_time = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let status = match load(&self.paths) {
            Ok((inventory, warnings)) => {
                tracing::info!(hosts = inventory.hosts.len(), "inventory loaded");
                for warning in &warnings {
                    tracing::warn!("inventory: {warning}");
                }
                *write(&self.snapshot) = Arc::new(inventory);
                InventoryStatus { errors: Vec::new(), warnings }
            }
            Err(errors) => {
                for error in &errors {
                    tracing::error!("inventory: {error}");
                }
                let errors = errors.iter().map(ToString::to_string).collect();
                InventoryStatus { errors, warnings: Vec::new() }
            }
        };
        *write(&self.status) = status;
    }
}

/// A value behind these locks is replaced as a whole, so it is good even where a holder has panicked.
fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

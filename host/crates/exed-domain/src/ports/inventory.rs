//! Where hosts come from.

use std::sync::Arc;

use crate::host::Inventory;

/// How the last reload went.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct InventoryStatus {
    /// Every error of the last attempt, with file and line; empty if it succeeded. While it is not empty
    /// the snapshot is the last good one.
    pub errors: Vec<String>,
    /// Warnings of the last attempt.
    pub warnings: Vec<String>,
}

/// Hands out the current snapshot.
pub trait InventorySource: Send + Sync {
    /// The last good snapshot.
    fn snapshot(&self) -> Arc<Inventory>;
    /// How the last reload went.
    fn status(&self) -> InventoryStatus;
    /// Reads the files again now; a broken one keeps the last good snapshot. Blocks on file I/O.
    fn reload(&self);
}

//! The SQLite store: conformance, and what only a file can get wrong.

mod crash;
mod files;
mod groups;
mod plans;

use std::path::Path;
use std::sync::Arc;

use exed_domain::ports::JobStore;
use tempfile::TempDir;

use super::{SqliteOptions, SqliteStore};
use crate::conformance;

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(SqliteOptions::new(path)).expect("the store opens")
}

/// A store in a folder that lives as long as it.
fn fresh() -> (Arc<dyn JobStore>, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = open(&folder.path().join("exed.db"));
    (Arc::new(store), folder)
}

mod suite {
    use super::*;

    conformance::suite!(fresh);
}

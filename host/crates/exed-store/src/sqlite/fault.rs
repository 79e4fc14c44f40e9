//! Why a piece of work inside the database was given up.

use exed_domain::JobId;
use exed_domain::ports::StoreError;

/// What a write or a read may fail with before it is told to the caller.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The caller's claim is not the current one.
    #[error("the lease on job {0} was lost")]
    LeaseLost(JobId),
    /// SQLite failed, or a row holds what this version cannot read.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

impl Fault {
    /// The port's error, with what was being done.
    pub(super) fn told(self, context: &'static str) -> StoreError {
        match self {
            Self::LeaseLost(job) => StoreError::LeaseLost(job),
            Self::Sqlite(source) => failed(context, source),
        }
    }
}

/// A failure that is not the caller's.
pub(super) fn failed(
    context: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Failed { context, source: source.into() }
}

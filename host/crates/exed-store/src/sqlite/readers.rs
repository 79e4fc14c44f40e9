//! Read-only connections.

use std::path::PathBuf;

use deadpool::managed::{BuildError, Manager, Metrics, Pool, RecycleError, RecycleResult};
use exed_domain::ports::StoreError;
use rusqlite::{Connection, OpenFlags};

use super::fault::{Fault, failed};
use super::open::STATEMENTS;

/// A pool of read-only connections whose queries run on blocking threads. In write-ahead mode a reader
/// sees the last commit and neither waits for the writer nor delays it.
pub(super) struct Readers {
    pool: Pool<ReaderManager>,
}

impl Readers {
    /// A pool of at most `size` connections; they are opened when they are first needed.
    pub(super) fn new(path: PathBuf, size: usize) -> Result<Self, BuildError> {
        let pool = Pool::builder(ReaderManager { path }).max_size(size).build()?;
        Ok(Self { pool })
    }

    /// Runs `query` inside one read transaction, so that all it reads is of one moment.
    pub(super) async fn run<T, F>(&self, context: &'static str, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let connection = self.pool.get().await.map_err(|source| failed(context, source))?;
        let answer = tokio::task::spawn_blocking(move || {
            let transaction = connection.unchecked_transaction()?;
            query(&transaction)
        });
        answer.await.map_err(|source| failed(context, source))?.map_err(|fault: Fault| fault.told(context))
    }
}

struct ReaderManager {
    path: PathBuf,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
enum ReaderError {
    #[error("the database could not be opened for reading")]
    Open(#[source] rusqlite::Error),
    #[error("opening the database for reading was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

impl Manager for ReaderManager {
    type Type = Connection;
    type Error = ReaderError;

    async fn create(&self) -> Result<Connection, ReaderError> {
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            connection.busy_timeout(std::time::Duration::from_secs(10))?;
            Ok(connection)
        })
        .await
        .map_err(ReaderError::Interrupted)?
        .map_err(ReaderError::Open)
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<ReaderError> {
        // An open transaction would show the next reader the past.
        if connection.is_autocommit() {
            Ok(())
        } else {
            Err(RecycleError::message("a read transaction was left open"))
        }
    }
}

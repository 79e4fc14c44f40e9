//! The store of a server that is alone: one SQLite file.
//!
//! All writes go through one thread, which executes as many waiting requests as there are in one
//! transaction and answers them only after its commit (`writer`). Reads run on a pool of read-only
//! connections (`readers`) and never wait for the writer. What happens to a job is decided by
//! [`exed_domain::job::state::transition`] alone.

mod cancel;
mod claim;
mod events;
mod fault;
mod migrations;
mod mutex;
mod open;
mod prune;
mod query;
mod readers;
mod record;
mod rows;
mod submit;
mod writer;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use exed_domain::job::event::Event;
use exed_domain::job::{Job, NewJob, TargetRun};
use exed_domain::ports::store::{
    CancelOutcome, Claimed, DeleteOutcome, JobCounts, JobQuery, JobWrites, LeaseKey, Renewed, Retention,
    Submission,
};
use exed_domain::ports::{JobStore, StoreError};
use exed_domain::{EventSeq, JobAlias, JobId, Timestamp, WorkerId};

pub use open::OpenError;
use readers::Readers;
use writer::Writer;

/// Where the store is and how it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// The database file. It is created with mode 0600, its folder with mode 0700, and `<path>.lock`
    /// beside it keeps a second server away.
    pub path: PathBuf,
    /// How many reads run at once; 0 counts as 1.
    pub readers: usize,
}

impl SqliteOptions {
    /// A store at `path` with four readers.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), readers: 4 }
    }
}

/// Keeps jobs in one SQLite file. Dropping it ends the writer after what was already asked of it, and
/// frees the file for the next server.
pub struct SqliteStore {
    readers: Readers,
    writer: Writer,
}

impl SqliteStore {
    /// Opens or creates the store, takes its lock and brings its schema up to date. Blocks for as long as
    /// that takes.
    ///
    /// # Errors
    /// [`OpenError`]: the file is held by another server, is not a database of exed, is newer than this
    /// program, is damaged, or cannot be reached.
    pub fn open(options: SqliteOptions) -> Result<Self, OpenError> {
        let (connection, lock) = open::open(&options.path)?;
        let writer = Writer::start(connection, lock)
            .map_err(|source| OpenError::Thread { path: options.path.clone(), source })?;
        let readers = Readers::new(options.path.clone(), options.readers.max(1))
            .map_err(|source| OpenError::Readers { path: options.path, source })?;
        Ok(Self { readers, writer })
    }
}

#[async_trait]
impl JobStore for SqliteStore {
    async fn submit(&self, job: NewJob) -> Result<Submission, StoreError> {
        self.writer.run("submitting a job", move |connection| submit::submit(connection, job)).await
    }

    async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.readers.run("reading a job", move |connection| query::job(connection, id)).await
    }

    async fn by_alias(&self, alias: JobAlias) -> Result<Option<JobId>, StoreError> {
        self.readers.run("looking up a job's number", move |c| query::by_alias(c, alias)).await
    }

    async fn jobs(&self, query: JobQuery) -> Result<Vec<Job>, StoreError> {
        self.readers.run("listing jobs", move |connection| query::jobs(connection, &query)).await
    }

    async fn targets(&self, id: JobId) -> Result<Vec<TargetRun>, StoreError> {
        self.readers.run("reading a job's targets", move |c| query::targets(c, id)).await
    }

    async fn events(&self, id: JobId, after: EventSeq, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.readers.run("reading a job's events", move |c| events::read(c, id, after, limit)).await
    }

    async fn claim(
        &self,
        owner: &WorkerId,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        let claim = claim::Claim { owner: owner.clone(), now, until: now.after(lease), limit };
        self.writer.run("claiming jobs", move |connection| claim.take(connection)).await
    }

    async fn renew(&self, key: &LeaseKey, until: Timestamp) -> Result<Renewed, StoreError> {
        let key = key.clone();
        self.writer.run("renewing a lease", move |c| record::renew(c, &key, until)).await
    }

    async fn record(&self, key: &LeaseKey, writes: JobWrites) -> Result<EventSeq, StoreError> {
        let key = key.clone();
        self.writer.run("recording a job's events", move |c| record::record(c, &key, &writes)).await
    }

    async fn release_leases(&self, owner: Option<&WorkerId>, _now: Timestamp) -> Result<u64, StoreError> {
        let owner = owner.cloned();
        self.writer.run("giving leases up", move |c| claim::release(c, owner.as_ref())).await
    }

    async fn cancel(&self, id: JobId, requester: &str, now: Timestamp) -> Result<CancelOutcome, StoreError> {
        let requester = requester.to_owned();
        self.writer.run("canceling a job", move |c| cancel::cancel(c, id, &requester, now)).await
    }

    async fn delete(&self, id: JobId) -> Result<DeleteOutcome, StoreError> {
        self.writer.run("deleting a job", move |connection| prune::delete(connection, id)).await
    }

    async fn prune(&self, retention: Retention) -> Result<u64, StoreError> {
        self.writer.run("removing old jobs", move |connection| prune::prune(connection, retention)).await
    }

    async fn counts(&self) -> Result<JobCounts, StoreError> {
        self.readers.run("counting jobs", query::counts).await
    }
}

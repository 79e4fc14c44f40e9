//! Durable jobs.

use std::time::Duration;

use async_trait::async_trait;

use crate::ids::{EventSeq, FencingToken, HostName, JobAlias, JobId, WorkerId};
use crate::job::event::{Event, NewEvent};
use crate::job::state::{Ending, JobState};
use crate::job::{Job, NewJob, TargetRun};
use crate::plugin::PluginUse;
use crate::time::Timestamp;

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The lease is no longer ours: another worker has the job, or it has ended. Nothing was written.
    #[error("the lease on job {0} was lost")]
    LeaseLost(JobId),
    /// The database failed.
    #[error("the store failed while {context}")]
    Failed {
        /// What was being done.
        context: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What became of a submission. Everything but `Created` has changed nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Submission {
    /// It is durable.
    Created(Job),
    /// The idempotency key is known with the same request: this is its job.
    Existing(Job),
    /// The idempotency key is known with another request.
    KeyReused(JobId),
    /// These hosts are held by other jobs, and the job does not queue.
    HostsBusy(Vec<HostName>),
}

/// A claimed job with what earlier attempts have left.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The job; its lease is ours.
    pub job: Job,
    /// Every target, in order.
    pub targets: Vec<TargetRun>,
}

/// Proof of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseKey {
    /// The job.
    pub job: JobId,
    /// The claim.
    pub token: FencingToken,
}

/// A renewed lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// Whether somebody has asked for the job to be canceled.
    pub cancel_requested: bool,
}

/// Everything that one commit writes about a running job. Target states and results follow from the
/// events: `HostStarted` makes the target running and drops the results of an earlier attempt, `Task`
/// appends a result, and `HostFinished` sets the final state and message.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct JobWrites {
    /// Appended in this order.
    pub events: Vec<NewEvent>,
    /// What the job runs with, once.
    pub plugin: Option<PluginUse>,
    /// Ends the job: its state by [`crate::job::state::transition`], the `Finished` event, the release of
    /// its hosts and of the lease, all in the same commit.
    pub finish: Option<Finish>,
}

/// How a job ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    /// How its targets have ended.
    pub ending: Ending,
    /// Why it failed.
    pub error: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Which jobs to list. Newest first.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct JobQuery {
    /// Only jobs older than this one.
    pub before: Option<JobAlias>,
    /// Only these states; empty means all.
    pub states: Vec<JobState>,
    /// Only this operation.
    pub operation: Option<String>,
    /// At most this many.
    pub limit: usize,
}

/// What a request to cancel has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// The job had not started and is canceled now.
    Canceled,
    /// The job is being stopped by its worker.
    Requested,
    /// The job had already ended in this state.
    AlreadyEnded(JobState),
    /// There is no such job.
    NotFound,
}

/// What a request to delete has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeleteOutcome {
    /// It is gone, with its events.
    Deleted,
    /// It has not ended.
    NotEnded(JobState),
    /// There is no such job.
    NotFound,
}

/// What retention removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Events of jobs that ended before this are removed; the job and its results stay.
    pub events_before: Timestamp,
    /// Jobs that ended before this are removed altogether.
    pub jobs_before: Timestamp,
    /// At most this many jobs are looked at in one commit.
    pub batch: usize,
}

/// Counts for `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct JobCounts {
    /// Waiting to be claimed.
    pub queued: u64,
    /// Claimed and not ended.
    pub running: u64,
}

/// Keeps jobs. Every answer is given only after its commit is durable.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Stores a job with its targets, its `Submitted` event, its mutex on its hosts (if it has one and
    /// does not queue) and its idempotency key, in one commit.
    async fn submit(&self, job: NewJob) -> Result<Submission, StoreError>;
    /// One job.
    async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError>;
    /// The id of an integer id.
    async fn by_alias(&self, alias: JobAlias) -> Result<Option<JobId>, StoreError>;
    /// A page of jobs.
    async fn jobs(&self, query: JobQuery) -> Result<Vec<Job>, StoreError>;
    /// The targets of a job with their results, in the order of the job's hosts.
    async fn targets(&self, id: JobId) -> Result<Vec<TargetRun>, StoreError>;
    /// Events after `after`, in order, at most `limit`.
    async fn events(&self, id: JobId, after: EventSeq, limit: usize) -> Result<Vec<Event>, StoreError>;
    /// Claims up to `limit` jobs, oldest first: queued ones whose hosts are free (or can be taken now, all
    /// or nothing, no earlier queued job wanting one of them), and running ones whose lease has expired.
    async fn claim(
        &self,
        owner: &WorkerId,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError>;
    /// Extends a lease.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    async fn renew(&self, key: &LeaseKey, until: Timestamp) -> Result<Renewed, StoreError>;
    /// Writes under a lease, and returns the number of the last event of the job.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]: nothing was written.
    async fn record(&self, key: &LeaseKey, writes: JobWrites) -> Result<EventSeq, StoreError>;
    /// Gives every lease up, because no other process can hold one: called once at start under the file
    /// lock, or for one owner when it drains. Returns how many jobs are claimable again.
    async fn release_leases(&self, owner: Option<&WorkerId>, now: Timestamp) -> Result<u64, StoreError>;
    /// Asks for a job to be stopped.
    async fn cancel(&self, id: JobId, requester: &str, now: Timestamp) -> Result<CancelOutcome, StoreError>;
    /// Removes a job that has ended.
    async fn delete(&self, id: JobId) -> Result<DeleteOutcome, StoreError>;
    /// Removes what is old; returns how many jobs were touched, so that the caller goes on until it is 0.
    async fn prune(&self, retention: Retention) -> Result<u64, StoreError>;
    /// The state of the queue.
    async fn counts(&self) -> Result<JobCounts, StoreError>;
}

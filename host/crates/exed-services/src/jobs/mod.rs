//! Jobs, as façades see them.

mod follow;
mod submit;
mod wait;

use std::sync::Arc;

use exed_domain::job::{Idempotency, Job, JobOptions, TargetRun};
use exed_domain::ports::store::{CancelOutcome, DeleteOutcome, JobCounts, JobQuery};
use exed_domain::ports::{Signal, StoreError};
use exed_domain::{Error, JobAlias, JobId, Result};
use serde_json::Value;

use crate::Ports;
use crate::settings::Settings;
use crate::worker::Load;

/// What to do with a job whose patterns match no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMatch {
    /// Refuse it with [`Error::NoHosts`].
    Refuse,
    /// Accept it; it ends as failed with the reason.
    Accept,
}

/// A job to submit.
#[derive(Clone, Debug)]
pub struct SubmitRequest {
    /// What to do.
    pub operation: String,
    /// The operation's arguments, as its plugin takes them.
    pub args: Value,
    /// Where: target patterns.
    pub patterns: Vec<String>,
    /// Who asks.
    pub requester: String,
    /// How.
    pub options: JobOptions,
    /// Makes a repetition of the same request harmless.
    pub idempotency: Option<Idempotency>,
    /// What to do when nothing matches.
    pub no_match: NoMatch,
}

/// A submitted job.
#[derive(Clone, Debug, PartialEq)]
pub struct Submitted {
    /// The job, durable.
    pub job: Job,
    /// Whether it was there already, by its idempotency key.
    pub existing: bool,
}

/// A job that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// The job.
    pub job: Job,
    /// Its targets with their results.
    pub targets: Vec<TargetRun>,
}

/// Submits, shows, follows and stops jobs.
#[derive(Clone)]
pub struct Jobs {
    ports: Ports,
    settings: Arc<Settings>,
    load: Arc<Load>,
}

impl Jobs {
    pub(crate) fn new(ports: Ports, settings: Arc<Settings>, load: Arc<Load>) -> Self {
        Self { ports, settings, load }
    }

    /// One job.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn job(&self, id: JobId) -> Result<Job> {
        self.ports.store.job(id).await.map_err(store_error)?.ok_or_else(|| no_such(id))
    }

    /// The id behind an integer id.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn by_alias(&self, alias: JobAlias) -> Result<JobId> {
        let found = self.ports.store.by_alias(alias).await.map_err(store_error)?;
        found.ok_or_else(|| Error::NotFound { kind: "job", name: alias.0.to_string() })
    }

    /// The targets of a job with their results.
    ///
    /// # Errors
    /// [`Error::Internal`]; a job that is not there has no targets.
    pub async fn targets(&self, id: JobId) -> Result<Vec<TargetRun>> {
        self.ports.store.targets(id).await.map_err(store_error)
    }

    /// A page of jobs, newest first.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn list(&self, query: JobQuery) -> Result<Vec<Job>> {
        self.ports.store.jobs(query).await.map_err(store_error)
    }

    /// Stops a job: at once if it is queued, else its worker ends the remote processes first.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it has ended.
    pub async fn cancel(&self, id: JobId, requester: &str) -> Result<CancelOutcome> {
        let now = self.ports.clock.now();
        let outcome = self.ports.store.cancel(id, requester, now).await.map_err(store_error)?;
        match &outcome {
            CancelOutcome::Canceled => {
                self.load.remove(id);
                self.ports.bus.publish(Signal::JobEnded(id));
                // Its hosts are free, so a job that waits for them may be claimable.
                self.ports.bus.publish(Signal::JobsQueued);
                Ok(outcome)
            }
            CancelOutcome::Requested => {
                self.ports.bus.publish(Signal::CancelRequested(id));
                self.ports.bus.publish(Signal::JobChanged(id));
                Ok(outcome)
            }
            CancelOutcome::AlreadyEnded(state) => {
                Err(Error::Conflict(format!("job {id} has already ended: it is {}", state.word())))
            }
            CancelOutcome::NotFound => Err(no_such(id)),
        }
    }

    /// Removes a job that has ended, with its events.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it has not ended.
    pub async fn delete(&self, id: JobId) -> Result<()> {
        match self.ports.store.delete(id).await.map_err(store_error)? {
            DeleteOutcome::Deleted => {
                self.ports.bus.publish(Signal::JobChanged(id));
                Ok(())
            }
            DeleteOutcome::NotEnded(_) => Err(Error::Conflict("cannot delete a running job".to_owned())),
            DeleteOutcome::NotFound => Err(no_such(id)),
        }
    }

    /// The state of the queue.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn counts(&self) -> Result<JobCounts> {
        self.ports.store.counts().await.map_err(store_error)
    }
}

pub(crate) fn no_such(id: JobId) -> Error {
    Error::NotFound { kind: "jid", name: id.to_string() }
}

pub(crate) fn store_error(error: StoreError) -> Error {
    Error::internal("using the store", error)
}

//! Accepting a job: resolve, validate, store, wake the worker.

use std::time::Duration;

use exed_domain::host::Inventory;
use exed_domain::job::NewJob;
use exed_domain::plugin::OperationInfo;
use exed_domain::ports::store::Submission;
use exed_domain::ports::{PluginError, Signal};
use exed_domain::{Error, FieldError, JobId, Result};

use super::{Jobs, NoMatch, SubmitRequest, Submitted, store_error};
use crate::hosts::resolve;

impl Jobs {
    /// Accepts a job. It is durable when this returns.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when no plugin offers the operation, [`Error::Invalid`] when the plugin
    /// refuses the arguments or a pattern is malformed, [`Error::NoHosts`], [`Error::HostsBusy`],
    /// [`Error::Busy`] when too much is under way.
    pub async fn submit(&self, request: SubmitRequest) -> Result<Submitted> {
        let wanted = request.options.plugin.as_ref();
        let handle = self.ports.executors.resolve(&request.operation, wanted).map_err(refused)?;
        let hosts = resolve(&request.patterns, &self.snapshot())?;
        if hosts.is_empty() && request.no_match == NoMatch::Refuse {
            return Err(Error::NoHosts);
        }
        handle.validate(&request.args).await.map_err(refused)?;
        self.admit(hosts.len())?;
        let job = NewJob {
            id: JobId::new(),
            mutex: mutex_of(handle.operation()),
            operation: request.operation,
            args: request.args,
            patterns: request.patterns,
            hosts,
            requester: request.requester,
            options: request.options,
            idempotency: request.idempotency,
            submitted_at: self.ports.clock.now(),
        };
        let id = job.id;
        self.load.add(id, job.hosts.len());
        let submission = self.ports.store.submit(job).await;
        if !matches!(submission, Ok(Submission::Created(_))) {
            self.load.remove(id);
        }
        self.answer(submission.map_err(store_error)?)
    }

    fn answer(&self, submission: Submission) -> Result<Submitted> {
        match submission {
            Submission::Created(job) => {
                self.ports.bus.publish(Signal::JobsQueued);
                Ok(Submitted { job, existing: false })
            }
            Submission::Existing(job) => Ok(Submitted { job, existing: true }),
            Submission::KeyReused(id) => Err(Error::Conflict(format!(
                "the idempotency key was used for another request, which became job {id}; use a new key"
            ))),
            Submission::HostsBusy(hosts) => {
                let mut hosts: Vec<String> = hosts.into_iter().map(|host| host.0).collect();
                hosts.sort();
                Err(Error::HostsBusy { hosts })
            }
        }
    }

    fn admit(&self, targets: usize) -> Result<()> {
        let most = self.settings.targets_at_most;
        if self.load.targets().saturating_add(targets as u64) <= most {
            return Ok(());
        }
        Err(Error::Busy {
            what: format!("{most} hosts are waiting or under way"),
            retry_after: Duration::from_secs(5),
        })
    }

    fn snapshot(&self) -> std::sync::Arc<Inventory> {
        self.ports.inventory.snapshot()
    }
}

/// The mutex of an operation: its own name, or the part before the slash, so that releases of every type
/// exclude each other.
fn mutex_of(operation: &OperationInfo) -> Option<String> {
    let family = operation.name.split('/').next().unwrap_or(&operation.name);
    operation.exclusive.then(|| family.to_owned())
}

/// What a plugin's refusal to accept a job means to the requester.
fn refused(error: PluginError) -> Error {
    match error {
        PluginError::Invalid(FieldError { field, problem }) => {
            Error::Invalid(FieldError::new(field, problem))
        }
        PluginError::Unavailable(sentence) => Error::Unsupported(sentence),
        PluginError::Failed(_)
        | PluginError::Unreachable(_)
        | PluginError::Unknown(_)
        | PluginError::Canceled
        | PluginError::Limit { .. }
        | PluginError::Trap { .. } => Error::internal("validating the arguments in the plugin", error),
    }
}

//! The durable, user-visible unit of work.

pub mod event;
pub mod state;

use std::time::Duration;

use serde_json::Value;

use crate::ids::{FencingToken, HostName, JobAlias, JobId, WorkerId};
use crate::operate::TaskResult;
use crate::plugin::{PluginRequirement, PluginUse};
use crate::time::Timestamp;
use state::{JobState, TargetState};

/// What a job whose hosts are held by another one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// It is refused at once, as EXEd does.
    #[default]
    Reject,
    /// It waits in the queue until all of its hosts are free.
    Queue,
}

impl OnConflict {
    /// The word used on the wire and in the store.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Queue => "queue",
        }
    }
}

/// Options that every operation has.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct JobOptions {
    /// Wall time for the whole job from its first claim; none means the server's limit.
    pub timeout: Option<Duration>,
    /// What to do when the hosts are held.
    pub on_conflict: OnConflict,
    /// How many hosts at once; none means the server's setting.
    pub hosts_at_once: Option<u32>,
    /// Which plugin is to do it, instead of the one the operation is bound to.
    pub plugin: Option<PluginRequirement>,
}

/// A job about to be submitted.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub operation: String,
    /// The operation's arguments.
    pub args: Value,
    /// The target patterns as they were asked for.
    pub patterns: Vec<String>,
    /// The hosts they resolved to, in inventory order, each once; may be empty.
    pub hosts: Vec<HostName>,
    /// Who asked.
    pub requester: String,
    /// How it is to be run.
    pub options: JobOptions,
    /// The mutex that it holds on each of its hosts for as long as it is not ended; two jobs with the same
    /// mutex exclude each other on a host. None for operations that never conflict.
    pub mutex: Option<String>,
    /// A second submission with the same key and requester returns the first job.
    pub idempotency: Option<Idempotency>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
}

/// An idempotency key with the fingerprint of the request that it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The key as the client gave it.
    pub key: String,
    /// A digest of the request: the same key with another request is an error.
    pub fingerprint: String,
}

/// A claim on a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it.
    pub owner: WorkerId,
    /// Which claim of this job it is; every write is made under it.
    pub token: FencingToken,
    /// When it ends unless it is renewed.
    pub expires_at: Timestamp,
}

/// A job as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Its integer id.
    pub alias: JobAlias,
    /// What it does.
    pub operation: String,
    /// The operation's arguments.
    pub args: Value,
    /// The target patterns as they were asked for.
    pub patterns: Vec<String>,
    /// The hosts they resolved to.
    pub hosts: Vec<HostName>,
    /// Who asked.
    pub requester: String,
    /// How it is run.
    pub options: JobOptions,
    /// The mutex that it holds on each of its hosts.
    pub mutex: Option<String>,
    /// Where it is in its life.
    pub state: JobState,
    /// Why it failed or was canceled.
    pub error: Option<String>,
    /// Who runs it, while it runs.
    pub lease: Option<Lease>,
    /// What it runs with, once it has started.
    pub plugin: Option<PluginUse>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When it was first claimed.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// What a job has done on one host so far.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetRun {
    /// The host.
    pub host: HostName,
    /// Where it is.
    pub state: TargetState,
    /// Why, where the state needs a reason.
    pub message: Option<String>,
    /// The results reported so far, in order.
    pub results: Vec<TaskResult>,
}

//! Jobs, going in and coming out.

use std::time::Duration;

use exed_domain::job::{Job, JobOptions, OnConflict, TargetRun};
use exed_domain::ports::store::CancelOutcome;
use exed_domain::{FieldError, TaskResult};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::plugin::PluginUseView;
use super::time;

/// A job to submit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::native) struct NewJob {
    /// What to do; see `/api/v1/operations`.
    pub(in crate::native) operation: String,
    /// The operation's arguments; an empty object if absent.
    #[serde(default = "no_args")]
    pub(in crate::native) args: Value,
    /// Where: host names and patterns (`web*`, `group`, `a:b`, `!c`, `&d`, `~regex`); at least one.
    pub(in crate::native) targets: Vec<String>,
    /// How.
    #[serde(default)]
    pub(in crate::native) options: NewJobOptions,
}

fn no_args() -> Value {
    json!({})
}

/// Options that every operation has.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::native) struct NewJobOptions {
    /// Wall time for the whole job from its first claim.
    timeout_seconds: Option<u64>,
    /// What to do when another job holds the hosts; `reject` if absent.
    on_conflict: OnConflictWord,
    /// How many hosts at once.
    hosts_at_once: Option<u32>,
    /// Which plugin is to do it: `name` or `name@requirement`.
    plugin: Option<String>,
}

/// What a job does when another one holds its hosts.
#[derive(Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::native) enum OnConflictWord {
    /// It is refused at once.
    #[default]
    Reject,
    /// It waits until all of its hosts are free.
    Queue,
}

impl NewJobOptions {
    /// The options as the services take them.
    pub(in crate::native) fn convert(self) -> Result<JobOptions, FieldError> {
        if self.timeout_seconds == Some(0) {
            return Err(FieldError::new("options.timeout_seconds", "must be 1 or more"));
        }
        if self.hosts_at_once == Some(0) {
            return Err(FieldError::new("options.hosts_at_once", "must be 1 or more"));
        }
        let wrong = |error: &dyn std::fmt::Display| {
            let problem = format!("must be `name` or `name@requirement`: {error}");
            FieldError::new("options.plugin", problem)
        };
        let plugin = self.plugin.map(|text| text.parse().map_err(|error| wrong(&error))).transpose()?;
        Ok(JobOptions {
            timeout: self.timeout_seconds.map(Duration::from_secs),
            on_conflict: match self.on_conflict {
                OnConflictWord::Reject => OnConflict::Reject,
                OnConflictWord::Queue => OnConflict::Queue,
            },
            hosts_at_once: self.hosts_at_once,
            plugin,
        })
    }
}

/// How a job is run.
#[derive(Serialize, ToSchema)]
#[schema(as = JobOptions)]
pub(in crate::native) struct OptionsView {
    timeout_seconds: Option<u64>,
    /// `reject` or `queue`.
    on_conflict: &'static str,
    hosts_at_once: Option<u32>,
    plugin: Option<String>,
}

impl From<&JobOptions> for OptionsView {
    fn from(options: &JobOptions) -> Self {
        Self {
            timeout_seconds: options.timeout.map(|timeout| timeout.as_secs()),
            on_conflict: options.on_conflict.word(),
            hosts_at_once: options.hosts_at_once,
            plugin: options.plugin.as_ref().map(ToString::to_string),
        }
    }
}

/// A job.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(in crate::native) struct JobView {
    /// A UUID.
    id: String,
    /// The increasing integer of the job; paths accept it in place of the id.
    alias: i64,
    operation: String,
    args: Value,
    /// The patterns as they were asked for.
    targets: Vec<String>,
    /// The hosts they resolved to.
    hosts: Vec<String>,
    requester: String,
    options: OptionsView,
    /// `queued`, `running`, `canceling`, `done`, `failed` or `canceled`.
    state: &'static str,
    /// Why it failed or was canceled.
    error: Option<String>,
    /// What it runs with, once it has started.
    plugin: Option<PluginUseView>,
    /// RFC 3339, as all times.
    submitted_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
}

impl From<&Job> for JobView {
    fn from(job: &Job) -> Self {
        Self {
            id: job.id.to_string(),
            alias: job.alias.0,
            operation: job.operation.clone(),
            args: job.args.clone(),
            targets: job.patterns.clone(),
            hosts: job.hosts.iter().map(|host| host.0.clone()).collect(),
            requester: job.requester.clone(),
            options: OptionsView::from(&job.options),
            state: job.state.word(),
            error: job.error.clone(),
            plugin: job.plugin.as_ref().map(PluginUseView::from),
            submitted_at: time(job.submitted_at),
            started_at: job.started_at.map(time),
            finished_at: job.finished_at.map(time),
        }
    }
}

/// A job with what it has done on each of its hosts.
#[derive(Serialize, ToSchema)]
#[schema(as = JobDetail)]
pub(in crate::native) struct JobDetail {
    #[serde(flatten)]
    pub(in crate::native) job: JobView,
    /// In the order of `hosts`.
    pub(in crate::native) runs: Vec<RunView>,
}

/// What a job has done on one host so far.
#[derive(Serialize, ToSchema)]
#[schema(as = HostRun)]
pub(in crate::native) struct RunView {
    host: String,
    /// `pending`, `running`, `done`, `failed`, `unreachable`, `canceled` or `unknown`.
    state: &'static str,
    /// Why, where the state needs a reason.
    message: Option<String>,
    results: Vec<ResultView>,
}

impl From<TargetRun> for RunView {
    fn from(run: TargetRun) -> Self {
        Self {
            host: run.host.0,
            state: run.state.word(),
            message: run.message,
            results: run.results.into_iter().map(ResultView::from).collect(),
        }
    }
}

/// The result of one task on one host.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskResult)]
pub(in crate::native) struct ResultView {
    task: String,
    /// `ok`, `skipped`, `failed`, `unreachable` or `changed`.
    state: &'static str,
    /// What the plugin reports; its keys belong to the operation.
    data: Value,
    /// Why, where the state needs a reason.
    message: Option<String>,
}

impl From<TaskResult> for ResultView {
    fn from(result: TaskResult) -> Self {
        Self { task: result.name, state: result.state.word(), data: result.data, message: result.message }
    }
}

/// What a request to cancel has done.
#[derive(Serialize, ToSchema)]
#[schema(as = CancelOutcome)]
pub(in crate::native) struct CancelView {
    /// `canceled`: it had not started. `requested`: its worker ends what runs, then the job is `canceled`.
    outcome: &'static str,
}

impl CancelView {
    /// None for outcomes that are errors, which the service has already turned into one.
    pub(in crate::native) fn of(outcome: &CancelOutcome) -> Option<Self> {
        match outcome {
            CancelOutcome::Canceled => Some(Self { outcome: "canceled" }),
            CancelOutcome::Requested => Some(Self { outcome: "requested" }),
            CancelOutcome::AlreadyEnded(_) | CancelOutcome::NotFound => None,
        }
    }
}

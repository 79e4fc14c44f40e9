//! The resources of the native API as this client reads them. Keys that a newer server adds are ignored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A page of a list.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Give this as `after` to have the next page; none on the last one.
    #[serde(default)]
    pub next: Option<String>,
}

/// A managed machine.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Host {
    /// Its name in the inventory.
    pub name: String,
    /// Where it is reached.
    pub address: String,
    /// How it is reached.
    pub transport: String,
    /// Its groups, sorted.
    pub groups: Vec<String>,
    /// Free labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// A page of hosts.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct HostPage {
    /// The hosts.
    pub items: Vec<Host>,
    /// As in [`Page`].
    pub next: Option<String>,
    /// How the last reading of the inventory went.
    pub inventory: Inventory,
}

/// How the last reading of the inventory went.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Inventory {
    /// Errors, with file and line.
    pub errors: Vec<String>,
    /// What is doubtful.
    pub warnings: Vec<String>,
}

/// A job to submit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewJob {
    /// What to do.
    pub operation: String,
    /// The operation's arguments.
    pub args: Value,
    /// Target patterns.
    pub targets: Vec<String>,
    /// How.
    pub options: NewJobOptions,
}

/// Options of a job to submit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NewJobOptions {
    /// Wall time for the whole job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
    /// How many hosts at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts_at_once: Option<u32>,
    /// `reject` or `queue`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_conflict: Option<String>,
    /// `name` or `name@requirement`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
}

/// A job.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Job {
    /// A UUID.
    pub id: String,
    /// The increasing integer, accepted wherever an id is.
    pub alias: i64,
    /// What it does.
    pub operation: String,
    /// Its arguments.
    pub args: Value,
    /// The patterns as they were asked for.
    pub targets: Vec<String>,
    /// The hosts they resolved to.
    pub hosts: Vec<String>,
    /// Who asked.
    pub requester: String,
    /// `queued`, `running`, `canceling`, `done`, `failed` or `canceled`.
    pub state: String,
    /// Why it failed.
    pub error: Option<String>,
    /// What it runs with.
    pub plugin: Option<PluginUse>,
    /// RFC 3339.
    pub submitted_at: String,
    /// RFC 3339.
    pub started_at: Option<String>,
    /// RFC 3339.
    pub finished_at: Option<String>,
    /// What it has done on each host; only when one job is asked for.
    #[serde(default)]
    pub runs: Vec<HostRun>,
}

/// What a job has done on one host so far.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct HostRun {
    /// The host.
    pub host: String,
    /// `pending`, `running`, `done`, `failed`, `unreachable`, `canceled` or `unknown`.
    pub state: String,
    /// Why, where the state needs a reason.
    pub message: Option<String>,
    /// The results in order.
    pub results: Vec<TaskResult>,
}

/// The result of one task.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct TaskResult {
    /// Its name.
    pub task: String,
    /// `ok`, `skipped`, `failed`, `unreachable` or `changed`.
    pub state: String,
    /// What the plugin reports.
    pub data: Value,
    /// Why, where the state needs a reason.
    pub message: Option<String>,
}

/// Exactly which component something runs with.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PluginUse {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256, lower-case hex.
    pub digest: String,
    /// The version of the plugin API.
    pub api: String,
    /// Its capabilities.
    pub grants: Vec<String>,
}

/// One loaded version of a plugin.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Plugin {
    /// Which component.
    #[serde(flatten)]
    pub used: PluginUse,
    /// `executor` or `policy`.
    pub kind: String,
    /// One sentence.
    pub summary: String,
    /// `active`, `draining` or `retained`.
    pub state: String,
    /// The file; none for one that the server carries.
    pub file: Option<String>,
    /// Its operations.
    pub operations: Vec<String>,
    /// Runs under way.
    pub running: u64,
}

/// Loaded versions and refused files.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PluginList {
    /// Loaded versions.
    pub items: Vec<Plugin>,
    /// Files that were not loaded.
    pub refusals: Vec<Refusal>,
}

/// A file that was not loaded.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Refusal {
    /// The file.
    pub file: String,
    /// One sentence.
    pub reason: String,
}

/// An operation.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Whether two jobs of it exclude each other on a host.
    pub exclusive: bool,
    /// JSON Schema of the arguments.
    pub args_schema: Value,
    /// The plugin that new jobs take.
    pub plugin: PluginUse,
}

/// What a request to cancel has done.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Canceled {
    /// `canceled` or `requested`.
    pub outcome: String,
}

/// Something that happened to a job.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Event {
    /// Its position within the job, from 1.
    pub seq: u64,
    /// RFC 3339.
    pub time: String,
    /// On which host; none for the job itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// `submitted`, `claimed`, `host_started`, `output`, `task`, `log`, `host_finished`,
    /// `cancel_requested` or `finished`; a newer server may have more.
    pub kind: String,
    /// What belongs to the kind.
    #[serde(flatten)]
    pub data: serde_json::Map<String, Value>,
}

impl Event {
    /// A text that belongs to the kind.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.data.get(key).and_then(Value::as_str)
    }

    /// Whether no event follows.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.kind == "finished"
    }
}

/// A problem document (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Problem {
    /// `urn:exed:problem:` and a stable word.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened.
    pub detail: String,
    /// The id under which the server has logged the request.
    #[serde(default)]
    pub request_id: String,
}

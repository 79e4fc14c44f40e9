//! Executor plugins, as the services drive them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;

use crate::error::FieldError;
use crate::host::Host;
use crate::ids::{HostName, JobId};
use crate::operate::TaskResult;
use crate::plugin::{OperationInfo, PluginInfo, PluginRefusal, PluginRequirement, PluginUse};
use crate::step::{Step, StepError, StepOutput};

use super::transport::{Transfer, TransferRequest};

/// Why a call of a plugin has no result. Each names the plugin and its version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// The plugin does not accept the arguments.
    #[error(transparent)]
    Invalid(#[from] FieldError),
    /// The plugin reports that the host failed.
    #[error("{0}")]
    Failed(String),
    /// The plugin reports that the host could not be reached.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The plugin reports that the fate of a step is unknown.
    #[error("fate unknown: {0}")]
    Unknown(String),
    /// The run was stopped because the job was canceled.
    #[error("canceled")]
    Canceled,
    /// A limit was breached: memory, CPU, wall time, output, host calls.
    #[error("plugin {plugin} breached its {limit} limit: {detail}")]
    Limit {
        /// `name version`.
        plugin: String,
        /// Which limit: `memory`, `cpu`, `wall time`, `output` …
        limit: &'static str,
        /// What was allowed.
        detail: String,
    },
    /// The plugin trapped.
    #[error("plugin {plugin} trapped: {detail}")]
    Trap {
        /// `name version`.
        plugin: String,
        /// The trap and its symbolised backtrace.
        detail: String,
    },
    /// Nothing that is loaded can do this.
    #[error("{0}")]
    Unavailable(String),
}

/// What `plan` is told, once per job.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// The job.
    pub job: JobId,
    /// The operation.
    pub operation: String,
    /// Its arguments.
    pub args: Value,
    /// Every host of the job.
    pub hosts: Vec<HostName>,
}

/// What `plan` returns.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Plan {
    /// Opaque; every run receives it.
    pub blob: Bytes,
}

/// What one run is told.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// The job.
    pub job: JobId,
    /// The operation.
    pub operation: String,
    /// Its arguments.
    pub args: Value,
    /// The plan of the job.
    pub plan: Plan,
    /// The host.
    pub host: Arc<Host>,
    /// Wall time for this run; the plugin's own limit if that is smaller.
    pub wall: Option<Duration>,
}

/// What a run may ask of the server: the services implement it and hold policy, check mode, the lease and
/// the event log behind it. A plugin host calls it only for capabilities that are declared and granted.
#[async_trait]
pub trait RunHost: Send + Sync {
    /// Runs a batch of steps in one round trip. One result per step; after a step that failed to run, the
    /// rest is not run unless `keep_going`.
    async fn steps(
        &self,
        task: &str,
        steps: Vec<Step>,
        keep_going: bool,
    ) -> Vec<Result<StepOutput, StepError>>;
    /// Opens a transfer of any size, from or to the host.
    async fn transfer(&self, request: TransferRequest) -> Result<Box<dyn Transfer>, StepError>;
    /// Reports the result of a task: an event, and a part of the host's result list.
    async fn report(&self, result: TaskResult);
    /// A line for people.
    async fn log(&self, level: &str, message: &str);
}

/// An executor in one exact version. Jobs hold it until they end.
#[async_trait]
pub trait ExecutorHandle: Send + Sync {
    /// Which component this is.
    fn used(&self) -> &PluginUse;
    /// The operation that it was resolved for.
    fn operation(&self) -> &OperationInfo;
    /// Checks the arguments, without any host.
    async fn validate(&self, args: &Value) -> Result<(), PluginError>;
    /// Called once per job before the fan-out.
    async fn plan(&self, request: PlanRequest) -> Result<Plan, PluginError>;
    /// Does the work on one host, in a store of its own.
    async fn run(&self, request: RunRequest, host: Arc<dyn RunHost>) -> Result<(), PluginError>;
}

/// The loaded executors.
pub trait Executors: Send + Sync {
    /// Every operation with the plugin that new jobs would take.
    fn operations(&self) -> Vec<(OperationInfo, PluginUse)>;
    /// The active version of the plugin that the operation is bound to, or of the one asked for.
    ///
    /// # Errors
    /// [`PluginError::Unavailable`] with one sentence.
    fn resolve(
        &self,
        operation: &str,
        wanted: Option<&PluginRequirement>,
    ) -> Result<Arc<dyn ExecutorHandle>, PluginError>;
}

/// Administration of the loaded plugins.
#[async_trait]
pub trait PluginAdmin: Send + Sync {
    /// Every live version, and the files that were refused.
    fn list(&self) -> (Vec<PluginInfo>, Vec<PluginRefusal>);
    /// Checks a component and puts it into the plugin folder; it is active when this returns.
    async fn install(&self, component: Bytes) -> Result<PluginInfo, crate::Error>;
    /// Makes the version that was active before this one active again.
    async fn rollback(&self, name: &str) -> Result<PluginInfo, crate::Error>;
    /// Removes the file of a plugin; an embedded one of that name becomes active again.
    async fn remove(&self, name: &str) -> Result<(), crate::Error>;
}

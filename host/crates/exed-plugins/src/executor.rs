//! Executors: one store per run.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use exed_domain::plugin::{OperationInfo, PluginUse};
use exed_domain::ports::{ExecutorHandle, Plan, PlanRequest, PluginError, RunHost, RunRequest};
use exed_plugin_api::v0_1::executor::{ExecutorPlugin, ExecutorPluginPre};
use serde_json::Value;
use wasmtime::component::InstancePre;
use wasmtime::{Store, UpdateDeadline};

use crate::limits::Limits;
use crate::machine::{Lane, Machine};
use crate::meter::Meter;
use crate::registry::Plugin;
use crate::state::{Identity, RunState};
use crate::v0_1::executor as convert;

/// Wall time of the calls that have no capability behind them.
const WITHOUT_HOST: Duration = Duration::from_secs(30);
/// What a guest may pass in one host call at most, in bytes of the canonical ABI.
const HOSTCALL_BYTES: usize = 64 << 20;
/// Handles in the guest's own tables; those of the server have a limit of their own.
const MOST_GUEST_HANDLES: usize = 10_000;

/// A compiled executor, ready to be instantiated.
pub(crate) struct ExecutorProgram {
    identity: Arc<Identity>,
    limits: Limits,
    pre: ExecutorPluginPre<RunState>,
}

/// A live instance with its store.
struct Guest {
    store: Store<RunState>,
    api: ExecutorPlugin,
}

impl ExecutorProgram {
    /// # Errors
    /// The component does not export the world as this server knows it.
    pub(crate) fn new(
        identity: Arc<Identity>,
        limits: Limits,
        pre: InstancePre<RunState>,
    ) -> wasmtime::Result<Self> {
        Ok(Self { identity, limits, pre: ExecutorPluginPre::new(pre)? })
    }

    async fn instantiate(
        &self,
        machine: &Machine,
        meter: Arc<Meter>,
        host: Option<Arc<dyn RunHost>>,
    ) -> wasmtime::Result<Guest> {
        let state =
            RunState::new(Arc::clone(&self.identity), Arc::clone(&meter), machine.server.clone(), host);
        let mut store = Store::new(&machine.engine, state);
        store.limiter(|state| &mut state.confines);
        store.set_hostcall_fuel(HOSTCALL_BYTES);
        store.set_max_component_handles(MOST_GUEST_HANDLES);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            meter.check_cpu()?;
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        let api = self.pre.instantiate_async(&mut store).await?;
        Ok(Guest { store, api })
    }

    /// A meter for a call without capabilities.
    fn brief(&self) -> Arc<Meter> {
        let wall = self.limits.wall.min(WITHOUT_HOST);
        Arc::new(Meter::new(Limits { wall, ..self.limits.clone() }))
    }

    pub(crate) async fn describe(
        self: &Arc<Self>,
        machine: &Arc<Machine>,
    ) -> Result<Result<Vec<OperationInfo>, String>, PluginError> {
        let meter = self.brief();
        let (program, for_guest, at) = (Arc::clone(self), Arc::clone(&meter), Arc::clone(machine));
        let call = async move {
            let mut guest = program.instantiate(&at, for_guest, None).await?;
            guest.api.exed_executor_executor().call_describe(&mut guest.store).await
        };
        machine.call(Lane::Brief, &self.identity.label, &meter, call).await.map(convert::operations)
    }

    async fn validate(
        self: &Arc<Self>,
        machine: &Arc<Machine>,
        operation: String,
        args: String,
    ) -> Result<(), PluginError> {
        let meter = self.brief();
        let (program, for_guest, at) = (Arc::clone(self), Arc::clone(&meter), Arc::clone(machine));
        let call = async move {
            let mut guest = program.instantiate(&at, for_guest, None).await?;
            guest.api.exed_executor_executor().call_validate(&mut guest.store, &operation, &args).await
        };
        machine.call(Lane::Brief, &self.identity.label, &meter, call).await?.map_err(convert::field_error)
    }

    async fn plan(
        self: &Arc<Self>,
        machine: &Arc<Machine>,
        request: &PlanRequest,
    ) -> Result<Plan, PluginError> {
        let meter = self.brief();
        let request = convert::plan_request(request);
        let (program, for_guest, at) = (Arc::clone(self), Arc::clone(&meter), Arc::clone(machine));
        let call = async move {
            let mut guest = program.instantiate(&at, for_guest, None).await?;
            guest.api.exed_executor_executor().call_plan(&mut guest.store, &request).await
        };
        let answer = machine.call(Lane::Brief, &self.identity.label, &meter, call).await?;
        answer.map(|blob| Plan { blob: blob.into() }).map_err(convert::field_error)
    }

    async fn run(
        self: &Arc<Self>,
        machine: &Arc<Machine>,
        request: &RunRequest,
        host: Arc<dyn RunHost>,
    ) -> Result<(), PluginError> {
        let wall = request.wall.map_or(self.limits.wall, |wall| wall.min(self.limits.wall));
        let meter = Arc::new(Meter::new(Limits { wall, ..self.limits.clone() }));
        let request = convert::run_request(request);
        let (program, for_guest, at) = (Arc::clone(self), Arc::clone(&meter), Arc::clone(machine));
        let call = async move {
            let mut guest = program.instantiate(&at, for_guest, Some(host)).await?;
            guest.api.exed_executor_executor().call_run(&mut guest.store, &request).await
        };
        machine.call(Lane::Run, &self.identity.label, &meter, call).await?.map_err(convert::run_error)
    }
}

/// An executor in one exact version, resolved for one operation. The version lives as long as some job holds
/// one of these.
pub(crate) struct Handle {
    machine: Arc<Machine>,
    plugin: Arc<Plugin>,
    program: Arc<ExecutorProgram>,
    operation: OperationInfo,
}

impl Handle {
    pub(crate) fn new(
        machine: Arc<Machine>,
        plugin: Arc<Plugin>,
        program: Arc<ExecutorProgram>,
        operation: OperationInfo,
    ) -> Self {
        plugin.hold();
        Self { machine, plugin, program, operation }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.plugin.release();
    }
}

#[async_trait]
impl ExecutorHandle for Handle {
    fn used(&self) -> &PluginUse {
        &self.plugin.used
    }

    fn operation(&self) -> &OperationInfo {
        &self.operation
    }

    async fn validate(&self, args: &Value) -> Result<(), PluginError> {
        self.program.validate(&self.machine, self.operation.name.clone(), args.to_string()).await
    }

    async fn plan(&self, request: PlanRequest) -> Result<Plan, PluginError> {
        self.program.plan(&self.machine, &request).await
    }

    async fn run(&self, request: RunRequest, host: Arc<dyn RunHost>) -> Result<(), PluginError> {
        let _running = self.plugin.running();
        self.program.run(&self.machine, &request, host).await
    }
}

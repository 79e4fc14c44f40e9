//! Where guests run: the engine with its pool, a runtime of their own, and the clock that interrupts them.

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;

use exed_domain::ports::PluginError;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use wasmtime::Engine;

use crate::engine::config::{Pool, engine};
use crate::engine::guest::Metered;
use crate::engine::ticker::Ticker;
use crate::limits::{Breach, Limits};
use crate::meter::Meter;
use crate::outcome;

/// Instances that policies may hold beside those of the runs, so that a run which waits for a verdict can
/// never keep the policy from being asked.
const POLICY_INSTANCES: usize = 64;
/// Instances for calls without capabilities (`describe`, `validate`, `plan`), so that a submission never
/// waits behind runs that take long.
const BRIEF_INSTANCES: usize = 32;

/// Which instances a call takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lane {
    /// A call without capabilities, over in seconds.
    Brief,
    /// A run, as long as its limits allow.
    Run,
}

/// Everything that guests need to run.
pub(crate) struct Machine {
    pub(crate) engine: Engine,
    pub(crate) ticker: Arc<Ticker>,
    /// The server's runtime, on which host calls act.
    pub(crate) server: Handle,
    /// In front of the pool: a full pool is waited for, not an error.
    slots: Arc<Semaphore>,
    brief_slots: Arc<Semaphore>,
    pub(crate) policy_slots: Arc<Semaphore>,
    runtime: Option<Runtime>,
}

impl Machine {
    /// Must be called on the server's runtime.
    pub(crate) fn start(
        instances: NonZeroUsize,
        threads: Option<NonZeroUsize>,
        maxima: &Limits,
    ) -> Result<Self, MachineError> {
        let total = instances.get().saturating_add(POLICY_INSTANCES + BRIEF_INSTANCES);
        let pool = Pool {
            instances: u32::try_from(total).unwrap_or(u32::MAX),
            memory: usize::try_from(maxima.memory).unwrap_or(usize::MAX),
        };
        let engine = engine(pool).map_err(MachineError::Engine)?;
        let threads = threads.or_else(|| std::thread::available_parallelism().ok());
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.map_or(2, NonZeroUsize::get))
            .thread_name("exed-guest")
            .enable_all()
            .build()
            .map_err(MachineError::Threads)?;
        Ok(Self {
            ticker: Arc::new(Ticker::start(engine.clone()).map_err(MachineError::Threads)?),
            engine,
            server: Handle::current(),
            slots: Arc::new(Semaphore::new(instances.get())),
            brief_slots: Arc::new(Semaphore::new(BRIEF_INSTANCES)),
            policy_slots: Arc::new(Semaphore::new(POLICY_INSTANCES)),
            runtime: Some(runtime),
        })
    }

    /// The guests' runtime.
    pub(crate) fn guests(&self) -> &Handle {
        // The runtime is taken only when this is dropped.
        self.runtime.as_ref().map_or(&self.server, Runtime::handle)
    }

    /// Runs a call of a guest under its limits. Dropping the returned future cancels the call; its store is
    /// gone in every case.
    pub(crate) async fn call<R: Send + 'static>(
        &self,
        lane: Lane,
        label: &str,
        meter: &Arc<Meter>,
        call: impl Future<Output = wasmtime::Result<R>> + Send + 'static,
    ) -> Result<R, PluginError> {
        let slots = match lane {
            Lane::Brief => &self.brief_slots,
            Lane::Run => &self.slots,
        };
        let permit = Arc::clone(slots).acquire_owned().await;
        let Ok(permit) = permit else { return Err(outcome::shutting_down(label)) };
        let wall = meter.limits().wall;
        let metered = Metered::new(call, Arc::clone(meter), Arc::clone(&self.ticker));
        let task = self.guests().spawn(async move {
            let result = timeout(wall, metered).await;
            drop(permit);
            result
        });
        match AbortOnDropHandle::new(task).await {
            Ok(Ok(result)) => result.map_err(|error| outcome::classify(label, &error)),
            Ok(Err(_elapsed)) => Err(outcome::limit(label, &wall_time(wall))),
            Err(ended) if ended.is_cancelled() => Err(outcome::shutting_down(label)),
            Err(ended) => Err(outcome::trap(label, format!("the plugin host itself failed: {ended}"))),
        }
    }
}

fn wall_time(wall: std::time::Duration) -> Breach {
    Breach::new("wall time", format!("at most {} ms, host calls included", wall.as_millis()))
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // It may be dropped on a runtime thread, where waiting is forbidden.
            runtime.shutdown_background();
        }
    }
}

/// Why guests cannot run at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MachineError {
    /// The engine refuses its configuration.
    #[error("the WebAssembly engine cannot be set up: {0:#}")]
    Engine(wasmtime::Error),
    /// No threads.
    #[error("the threads of the plugin host cannot be started")]
    Threads(#[source] std::io::Error),
}

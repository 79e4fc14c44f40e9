//! What plugins cost without exed: the same components in bare wasmtime. For every run the executor is
//! instantiated in a store of its own and called once, and the policy, an instance of which is kept warm, is
//! called once. There are no limits, no clock, no meter and no conversion to the server's own types.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use exed_plugin_api::v0_1::executor::exed::events::events;
use exed_plugin_api::v0_1::executor::exed::transport::steps;
use exed_plugin_api::v0_1::executor::exed::types::types;
use exed_plugin_api::v0_1::executor::exports::exed::executor::executor::RunRequest;
use exed_plugin_api::v0_1::executor::{ExecutorPlugin, ExecutorPluginPre};
use exed_plugin_api::v0_1::policy::exports::exed::policy::policy;
use exed_plugin_api::v0_1::policy::{PolicyPlugin, PolicyPluginPre};
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

/// As many instances as exed's pool has.
const INSTANCES: u32 = 352;

/// Both components, compiled.
pub(crate) struct Bare {
    engine: Engine,
    executor: ExecutorPluginPre<State>,
    policy: Arc<Policy>,
}

struct Policy {
    engine: Engine,
    pre: PolicyPluginPre<()>,
    config: String,
    warm: Mutex<Vec<(Store<()>, PolicyPlugin)>>,
}

struct State {
    policy: Arc<Policy>,
}

impl Bare {
    /// Compiles both components.
    pub(crate) fn new(components: &Path, policy_config: &str) -> anyhow::Result<Arc<Self>> {
        let engine = engine()?;
        let load = |name: &str| {
            let file = components.join(name);
            let loaded = Component::from_file(&engine, &file);
            loaded.map_err(anyhow::Error::from).with_context(|| format!("loading {}", file.display()))
        };
        let component = load("remote-shell.wasm")?;
        let mut linker = Linker::<State>::new(&engine);
        events::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
        steps::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
        linker.define_unknown_imports_as_traps(&component)?;
        let executor = ExecutorPluginPre::new(linker.instantiate_pre(&component)?)?;
        let linker = Linker::<()>::new(&engine);
        let pre = PolicyPluginPre::new(linker.instantiate_pre(&load("command-allowlist.wasm")?)?)?;
        let warm = Mutex::default();
        let policy = Policy { engine: engine.clone(), pre, config: policy_config.to_owned(), warm };
        Ok(Arc::new(Self { engine, executor, policy: Arc::new(policy) }))
    }

    /// One ping.
    pub(crate) async fn run(self: Arc<Self>) -> anyhow::Result<()> {
        let mut store = Store::new(&self.engine, State { policy: Arc::clone(&self.policy) });
        let api: ExecutorPlugin = self.executor.instantiate_async(&mut store).await?;
        let request = RunRequest {
            job: "01912f5a-7f60-7000-8000-000000000000".to_owned(),
            operation: "ping".to_owned(),
            args: "{}".to_owned(),
            plan: Vec::new(),
            host: "host01".to_owned(),
        };
        let ended = api.exed_executor_executor().call_run(&mut store, &request).await?;
        ensure!(ended.is_ok(), "the plugin did not ping");
        Ok(())
    }
}

impl Policy {
    fn allows(&self, argv: Vec<String>) -> wasmtime::Result<bool> {
        let warm = self.warm.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let (mut store, api) = match warm {
            Some(warm) => warm,
            None => self.instantiate()?,
        };
        let subject = policy::Subject {
            actor: "bench".to_owned(),
            operation: "ping".to_owned(),
            plugin: "remote-shell".to_owned(),
            host: "host01".to_owned(),
        };
        let verdicts =
            api.exed_policy_policy().call_evaluate(&mut store, &subject, &[policy::Action::Argv(argv)])?;
        self.warm.lock().unwrap_or_else(PoisonError::into_inner).push((store, api));
        Ok(matches!(verdicts.as_slice(), [policy::Verdict::Allow]))
    }

    fn instantiate(&self) -> wasmtime::Result<(Store<()>, PolicyPlugin)> {
        let mut store = Store::new(&self.engine, ());
        let api = self.pre.instantiate(&mut store)?;
        let accepted = api.exed_policy_policy().call_configure(&mut store, &self.config)?;
        accepted.map_err(wasmtime::Error::msg)?;
        Ok((store, api))
    }
}

impl types::Host for State {}

impl events::Host for State {
    async fn report(&mut self, _outcome: types::TaskResult) -> wasmtime::Result<()> {
        Ok(())
    }

    async fn log(&mut self, _level: events::Level, _message: String) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl steps::Host for State {
    async fn run(
        &mut self,
        _task: String,
        step: steps::Step,
    ) -> wasmtime::Result<Result<steps::Output, steps::StepError>> {
        let steps::Action::Argv(argv) = step.action else {
            return Ok(Err(steps::StepError::Failed("not a ping".to_owned())));
        };
        if !self.policy.allows(argv)? {
            return Ok(Err(steps::StepError::Denied("by the policy".to_owned())));
        }
        Ok(Ok(steps::Output {
            status: steps::ExitStatus::Code(0),
            stdout: Vec::new(),
            stderr: Vec::new(),
            dropped: 0,
            answer: None,
            resumed: false,
        }))
    }

    async fn run_batch(
        &mut self,
        task: String,
        steps: Vec<steps::Step>,
        _keep_going: bool,
    ) -> wasmtime::Result<Vec<Result<steps::Output, steps::StepError>>> {
        let mut results = Vec::with_capacity(steps.len());
        for step in steps {
            results.push(self.run(task.clone(), step).await?);
        }
        Ok(results)
    }
}

/// The pool of exed's own engine, without the epochs that bound what guests compute.
fn engine() -> wasmtime::Result<Engine> {
    let mut pooling = PoolingAllocationConfig::new();
    pooling
        .total_component_instances(INSTANCES)
        .max_component_instance_size(4 << 20)
        .max_core_instances_per_component(128)
        .total_core_instances(INSTANCES * 8)
        .max_core_instance_size(2 << 20)
        .max_memories_per_component(8)
        .total_memories(INSTANCES * 2)
        .max_memories_per_module(2)
        .max_memory_size(256 << 20)
        .max_tables_per_component(64)
        .total_tables(INSTANCES * 8)
        .max_tables_per_module(4)
        .table_elements(65_536)
        .total_stacks(INSTANCES)
        .total_gc_heaps(8)
        .linear_memory_keep_resident(128 << 10)
        .table_keep_resident(16 << 10)
        .async_stack_keep_resident(16 << 10)
        .max_unused_warm_slots(64)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config.concurrency_support(false).allocation_strategy(InstanceAllocationStrategy::Pooling(pooling));
    Engine::new(&config)
}

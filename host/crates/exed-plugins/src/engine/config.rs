//! The one place that decides how guests are compiled and where they live. Another `Config` anywhere would
//! silently invalidate the cache of compiled code.

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy,
    WasmBacktraceDetails,
};

/// How many instances the pool holds and how large they may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    /// Instances alive at once.
    pub(crate) instances: u32,
    /// Linear memory of each, in bytes.
    pub(crate) memory: usize,
}

/// Makes the engine. Where the address space for the pool cannot be reserved (a container with `ulimit -v`),
/// instances are allocated one by one, which is slower and works.
pub(crate) fn engine(pool: Pool) -> wasmtime::Result<Engine> {
    let mut config = base();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling(pool)));
    Engine::new(&config).or_else(|error| {
        tracing::warn!(
            error = format!("{error:#}"),
            instances = pool.instances,
            "the address space for the instance pool cannot be reserved; instances are allocated one by one"
        );
        let mut config = base();
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        Engine::new(&config)
    })
}

fn base() -> Config {
    let mut config = Config::new();
    config
        // Winch has no epochs.
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        // Guests are sync-typed and the host functions async: nothing needs the concurrent machinery.
        .concurrency_support(false)
        .wasm_memory64(false)
        .wasm_threads(false)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(24))
        .memory_init_cow(true);
    config
}

fn pooling(pool: Pool) -> PoolingAllocationConfig {
    let instances = pool.instances;
    let mut pooling = PoolingAllocationConfig::new();
    pooling
        .total_component_instances(instances)
        .max_component_instance_size(4 << 20)
        // Components from Python and JavaScript are made of many core modules.
        .max_core_instances_per_component(128)
        .total_core_instances(instances.saturating_mul(8))
        .max_core_instance_size(2 << 20)
        .max_memories_per_component(8)
        .total_memories(instances.saturating_mul(2))
        .max_memories_per_module(2)
        .max_memory_size(pool.memory)
        .max_tables_per_component(64)
        .total_tables(instances.saturating_mul(8))
        .max_tables_per_module(4)
        .table_elements(65_536)
        .total_stacks(instances)
        .total_gc_heaps(8)
        // What a small guest touches is wiped by hand instead of being given back to the kernel at every
        // run; a larger one gives back the rest.
        .linear_memory_keep_resident(128 << 10)
        .table_keep_resident(16 << 10)
        .async_stack_keep_resident(16 << 10)
        .max_unused_warm_slots(64)
        .pagemap_scan(Enabled::Auto);
    pooling
}

//! What the store of one run holds.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use exed_domain::ports::RunHost;
use tokio::runtime::Handle;
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::capabilities::wasi;
use crate::limits::{Breach, size};
use crate::meter::Meter;

/// What a program is, as its runs need it.
#[derive(Debug)]
pub(crate) struct Identity {
    /// `name version`, for errors and logs.
    pub(crate) label: String,
    /// The name alone.
    pub(crate) name: String,
    /// Its embedded scripts by name.
    pub(crate) scripts: BTreeMap<String, Script>,
}

/// A script whose text is constant inside the component.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) text: Arc<str>,
    /// SHA-256 of the text, lower-case hex.
    pub(crate) digest: String,
    pub(crate) read_only: bool,
}

/// The guest did something that its contract forbids; it ends the call like a trap.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Fault(String);

impl Fault {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

/// Keeps memory and tables within the limits; a breach ends the call instead of answering "no", so that
/// it is named.
#[derive(Debug)]
pub(crate) struct Confines {
    memory: u64,
    used: u64,
}

/// Entries of one table; the pool has room for as many.
const MOST_TABLE_ENTRIES: usize = 65_536;

impl Confines {
    pub(crate) fn new(memory: u64) -> Self {
        Self { memory, used: 0 }
    }
}

impl ResourceLimiter for Confines {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = u64::try_from(desired.saturating_sub(current))?;
        self.used = self.used.saturating_add(growth);
        if self.used <= self.memory {
            return Ok(true);
        }
        Err(Breach::new("memory", format!("at most {}", size(self.memory))).into())
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired <= MOST_TABLE_ENTRIES {
            return Ok(true);
        }
        Err(Breach::new("table", format!("at most {MOST_TABLE_ENTRIES} entries")).into())
    }
}

/// The data of a run's store.
pub(crate) struct RunState {
    pub(crate) identity: Arc<Identity>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) confines: Confines,
    pub(crate) table: ResourceTable,
    /// The runtime on which host calls act.
    pub(crate) server: Handle,
    /// The paths of the once-steps sent so far.
    pub(crate) once_paths: HashSet<String>,
    host: Option<Arc<dyn RunHost>>,
    wasi: Option<WasiCtx>,
}

impl RunState {
    /// Without a `host`, every call of a capability ends the run.
    pub(crate) fn new(
        identity: Arc<Identity>,
        meter: Arc<Meter>,
        server: Handle,
        host: Option<Arc<dyn RunHost>>,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(usize::try_from(meter.limits().handles).unwrap_or(usize::MAX));
        let confines = Confines::new(meter.limits().memory);
        Self { identity, meter, confines, table, server, once_paths: HashSet::new(), host, wasi: None }
    }

    pub(crate) fn host(&self, call: &str) -> Result<Arc<dyn RunHost>, Fault> {
        self.host.clone().ok_or_else(|| {
            Fault::new(format!(
                "{call}: only `run` has capabilities; `describe`, `validate` and `plan` have none"
            ))
        })
    }
}

impl WasiView for RunState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        // Most guests never ask, so it is made when the first one does.
        let ctx = self.wasi.get_or_insert_with(|| wasi::nothing(&self.identity, &self.meter));
        WasiCtxView { ctx, table: &mut self.table }
    }
}

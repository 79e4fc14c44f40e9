//! Turns what ended a call into an error that names the plugin, its version and the limit or trap.

use exed_domain::ports::PluginError;
use wasmtime::{PoolConcurrencyLimitError, WasmBacktrace};

use crate::limits::Breach;

/// The longest text of a trap, in bytes.
const LONGEST_DETAIL: usize = 8 << 10;

pub(crate) fn classify(label: &str, error: &wasmtime::Error) -> PluginError {
    if let Some(breach) = error.downcast_ref::<Breach>() {
        return limit(label, breach);
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return PluginError::Unavailable(format!("plugin {label} found no free instance; try again later"));
    }
    trap(label, detail(error))
}

pub(crate) fn limit(label: &str, breach: &Breach) -> PluginError {
    PluginError::Limit { plugin: label.to_owned(), limit: breach.limit, detail: breach.detail.clone() }
}

pub(crate) fn trap(label: &str, detail: String) -> PluginError {
    PluginError::Trap { plugin: label.to_owned(), detail }
}

pub(crate) fn shutting_down(label: &str) -> PluginError {
    PluginError::Unavailable(format!("plugin {label} was stopped: the server is shutting down"))
}

/// The cause first, then the symbolised backtrace.
pub(crate) fn detail(error: &wasmtime::Error) -> String {
    let mut text = error.root_cause().to_string();
    if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
        text = format!("{text}\n{backtrace}");
    }
    if text.len() > LONGEST_DETAIL {
        let end = text.floor_char_boundary(LONGEST_DETAIL);
        text.truncate(end);
        text.push('…');
    }
    text.trim_end().to_owned()
}

//! One loaded version of a plugin.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use exed_domain::plugin::{OperationInfo, PluginInfo, PluginKind, PluginOrigin, PluginState, PluginUse};

use crate::executor::ExecutorProgram;
use crate::policy::PolicyProgram;

/// The compiled code, by kind.
#[derive(Clone)]
pub(crate) enum Program {
    Executor(Arc<ExecutorProgram>),
    Policy(Arc<PolicyProgram>),
}

/// One loaded version. Its code goes when the last job that holds it has ended and nothing keeps it.
pub(crate) struct Plugin {
    pub(crate) used: PluginUse,
    pub(crate) summary: String,
    pub(crate) origin: PluginOrigin,
    pub(crate) program: Program,
    pub(crate) operations: Vec<OperationInfo>,
    running: AtomicU64,
    holders: AtomicU64,
}

impl Plugin {
    pub(crate) fn new(
        used: PluginUse,
        summary: String,
        origin: PluginOrigin,
        program: Program,
        operations: Vec<OperationInfo>,
    ) -> Self {
        let (running, holders) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { used, summary, origin, program, operations, running, holders }
    }

    pub(crate) fn kind(&self) -> PluginKind {
        match self.program {
            Program::Executor(_) => PluginKind::Executor,
            Program::Policy(_) => PluginKind::Policy,
        }
    }

    pub(crate) fn operation(&self, name: &str) -> Option<&OperationInfo> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// `name version`.
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.used.name, self.used.version)
    }

    /// A job takes this version.
    pub(crate) fn hold(&self) {
        self.holders.fetch_add(1, Relaxed);
    }

    /// A job lets go of it.
    pub(crate) fn release(&self) {
        self.holders.fetch_sub(1, Relaxed);
    }

    /// Whether some job still holds it.
    pub(crate) fn is_held(&self) -> bool {
        self.holders.load(Relaxed) > 0
    }

    /// Counts a run until the returned value is dropped.
    pub(crate) fn running(&self) -> Running<'_> {
        self.running.fetch_add(1, Relaxed);
        Running(self)
    }

    pub(crate) fn info(&self, active: bool) -> PluginInfo {
        let state = if active {
            PluginState::Active
        } else if self.is_held() {
            PluginState::Draining
        } else {
            PluginState::Retained
        };
        PluginInfo {
            used: self.used.clone(),
            kind: self.kind(),
            summary: self.summary.clone(),
            origin: self.origin.clone(),
            state,
            operations: self.operations.clone(),
            running: self.running.load(Relaxed),
        }
    }
}

/// A run under way.
pub(crate) struct Running<'a>(&'a Plugin);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Relaxed);
    }
}

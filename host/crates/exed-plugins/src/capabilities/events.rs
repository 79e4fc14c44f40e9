//! Capability `events`: what a run tells the server.

use exed_domain::{OperateState, TaskResult};
use exed_plugin_api::v0_1::executor::exed::events::events as wit;
use exed_plugin_api::v0_1::executor::exed::types::types as wit_types;
use serde_json::Value;

use crate::engine::guest::OnServer;
use crate::state::{Fault, RunState};

/// The longest name of a task, in bytes.
const LONGEST_NAME: usize = 1024;

impl wit::Host for RunState {
    async fn report(&mut self, outcome: wit_types::TaskResult) -> wasmtime::Result<()> {
        let host = self.host("events.report")?;
        self.meter.host_call(0)?;
        let message = outcome.message.as_ref().map_or(0, String::len);
        self.meter.output(outcome.name.len() + outcome.data.len() + message)?;
        let result = result(outcome)?;
        OnServer::new(host.report(result), self.server.clone()).await;
        Ok(())
    }

    async fn log(&mut self, level: wit::Level, message: String) -> wasmtime::Result<()> {
        let host = self.host("events.log")?;
        self.meter.host_call(0)?;
        self.meter.output(message.len())?;
        let level = match level {
            wit::Level::Debug => "debug",
            wit::Level::Info => "info",
            wit::Level::Warn => "warn",
            wit::Level::Error => "error",
        };
        OnServer::new(host.log(level, &message), self.server.clone()).await;
        Ok(())
    }
}

impl wit_types::Host for RunState {}

fn result(outcome: wit_types::TaskResult) -> Result<TaskResult, Fault> {
    if outcome.name.is_empty() || outcome.name.len() > LONGEST_NAME {
        return Err(Fault::new(format!("events.report: name: must have 1 to {LONGEST_NAME} bytes")));
    }
    let data: Value = serde_json::from_str(&outcome.data)
        .map_err(|error| Fault::new(format!("events.report: data: not JSON: {error}")))?;
    if !data.is_object() {
        return Err(Fault::new("events.report: data: must be a JSON object"));
    }
    Ok(TaskResult {
        name: outcome.name,
        state: match outcome.state {
            wit_types::OperateState::Ok => OperateState::Ok,
            wit_types::OperateState::Skipped => OperateState::Skipped,
            wit_types::OperateState::Failed => OperateState::Failed,
            wit_types::OperateState::Unreachable => OperateState::Unreachable,
            wit_types::OperateState::Changed => OperateState::Changed,
        },
        data,
        message: outcome.message,
    })
}

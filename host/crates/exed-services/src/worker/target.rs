//! One host of a running job.

use std::sync::Arc;
use std::time::Duration;

use exed_domain::job::event::EventKind;
use exed_domain::job::state::TargetState;
use exed_domain::ports::{ExecutorHandle, Plan, PluginError, RunHost, RunKey, RunRequest, TerminateReport};
use exed_domain::{Host, HostName, OperateState, TaskResult};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::control::StopReason;
use super::job::JobRun;
use super::outcome::TargetEnd;
use super::run_host::TargetHost;

/// How long ending the remote processes of one host may take.
const TERMINATE_AT_MOST: Duration = Duration::from_secs(30);

/// What one host needs to run.
pub(crate) struct Target {
    pub(crate) run: Arc<JobRun>,
    pub(crate) name: HostName,
    /// None when the host has left the inventory since the job was submitted.
    pub(crate) host: Option<Arc<Host>>,
    pub(crate) handle: Arc<dyn ExecutorHandle>,
    pub(crate) plan: Plan,
}

impl Target {
    /// Waits for its turn, runs, and records how it ended.
    pub(crate) async fn run(self, slots: Arc<Semaphore>) -> TargetEnd {
        let Some(host) = self.host.clone() else {
            let gone = PluginError::Failed("the host is no longer in the inventory".to_owned());
            return refuse(&self.run, self.name, &gone).await;
        };
        let all = Arc::clone(&self.run.shared.hosts);
        let turn = async {
            let own = slots.acquire_owned().await;
            let shared = all.acquire_owned().await;
            (own, shared)
        };
        let turn = tokio::select! {
            biased;
            reason = self.run.control.stopped() => Err(reason),
            turn = turn => Ok(turn),
        };
        match turn {
            Ok(_held) => self.work(host).await,
            Err(reason) => self.stopped(&host, reason).await,
        }
    }

    async fn work(&self, host: Arc<Host>) -> TargetEnd {
        self.run.recorder.event(Some(&self.name), EventKind::HostStarted).await;
        let port = Arc::new(TargetHost::new(&self.run, Arc::clone(&host), self.handle.used(), self.key()));
        let request = RunRequest {
            job: self.run.job.id,
            operation: self.run.job.operation.clone(),
            args: self.run.job.args.clone(),
            plan: self.plan.clone(),
            host: Arc::clone(&host),
            wall: None,
        };
        let outcome = tokio::select! {
            biased;
            reason = self.run.control.stopped() => Err(reason),
            outcome = self.handle.run(request, Arc::clone(&port) as Arc<dyn RunHost>) => Ok(outcome),
        };
        match outcome {
            Err(reason) => self.stopped(&host, reason).await,
            Ok(Err(PluginError::Canceled)) => {
                let reason = self.run.control.reason().unwrap_or(StopReason::Abandoned);
                self.stopped(&host, reason).await
            }
            Ok(result) => {
                if matches!(result, Err(PluginError::Limit { .. } | PluginError::Trap { .. })) {
                    // What the plugin has started is nobody's any more.
                    self.terminate(&host).await;
                }
                self.ended(&port, result).await
            }
        }
    }

    fn key(&self) -> RunKey {
        RunKey { job: self.run.job.id, host: self.name.clone(), token: self.run.key.token }
    }

    /// Records a run that came to its own end.
    async fn ended(&self, port: &TargetHost, result: Result<(), PluginError>) -> TargetEnd {
        let reported = port.reported();
        match result {
            Ok(()) => {
                let (states, message) = reported;
                finish(&self.run, &self.name, TargetState::of_results(states), message).await
            }
            Err(error) => refuse(&self.run, self.name.clone(), &error).await,
        }
    }

    /// Records a run that was stopped from outside, after ending what it left on the host.
    async fn stopped(&self, host: &Host, reason: StopReason) -> TargetEnd {
        let (state, why) = match reason {
            StopReason::Canceled => (TargetState::Canceled, "canceled".to_owned()),
            StopReason::TimedOut => (TargetState::Canceled, "the job's time ran out".to_owned()),
            StopReason::Abandoned => {
                return TargetEnd { host: self.name.clone(), state: TargetState::Running, message: None };
            }
        };
        let ended = self.terminate(host).await;
        let message = format!("{why}; {ended}");
        report(&self.run, &self.name, OperateState::Failed, &message).await;
        finish(&self.run, &self.name, state, Some(message)).await
    }

    /// Ends the remote processes of this run, and says what was ended.
    async fn terminate(&self, host: &Host) -> String {
        let transport = &self.run.shared.ports.transport;
        let key = self.key();
        match tokio::time::timeout(TERMINATE_AT_MOST, transport.terminate(host, &key)).await {
            Ok(Ok(report)) => told(&report),
            Ok(Err(error)) => format!("its processes could not be ended: {error}"),
            Err(_elapsed) => {
                format!("its processes could not be ended within {} s", TERMINATE_AT_MOST.as_secs())
            }
        }
    }
}

fn told(report: &TerminateReport) -> String {
    let ended = match report.ended.as_slice() {
        [] => "nothing was running".to_owned(),
        ended => format!("ended {}", ended.join(", ")),
    };
    match report.remaining.as_slice() {
        [] => ended,
        remaining => format!("{ended}; still there: {}", remaining.join(", ")),
    }
}

/// Records a host whose run could not be carried out.
pub(crate) async fn refuse(run: &JobRun, host: HostName, error: &PluginError) -> TargetEnd {
    let (state, operate) = match error {
        PluginError::Unreachable(_) => (TargetState::Unreachable, OperateState::Unreachable),
        PluginError::Unknown(_) => (TargetState::Unknown, OperateState::Failed),
        PluginError::Canceled => (TargetState::Canceled, OperateState::Failed),
        PluginError::Invalid(_)
        | PluginError::Failed(_)
        | PluginError::Limit { .. }
        | PluginError::Trap { .. }
        | PluginError::Unavailable(_) => (TargetState::Failed, OperateState::Failed),
    };
    let message = error.to_string();
    report(run, &host, operate, &message).await;
    finish(run, &host, state, Some(message)).await
}

/// Gives the host a result of its own, so that every dialect can tell what happened.
async fn report(run: &JobRun, host: &HostName, state: OperateState, message: &str) {
    let result = TaskResult {
        name: run.job.operation.clone(),
        state,
        data: Value::Object(serde_json::Map::new()),
        message: Some(message.to_owned()),
    };
    run.recorder.event(Some(host), EventKind::Task(result)).await;
}

async fn finish(run: &JobRun, host: &HostName, state: TargetState, message: Option<String>) -> TargetEnd {
    let kind = EventKind::HostFinished { state, message: message.clone() };
    run.recorder.event(Some(host), kind).await;
    TargetEnd { host: host.clone(), state, message }
}

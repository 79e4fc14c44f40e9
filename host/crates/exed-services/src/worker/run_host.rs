//! What a plugin's run may ask of the server: policy, the lease and the event log stand here, between the
//! plugin and the host.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use exed_domain::job::event::EventKind;
use exed_domain::plugin::PluginUse;
use exed_domain::policy::{Proposal, Subject, Verdict};
use exed_domain::ports::{OutputSink, RunHost, RunKey, Transfer, TransferRequest};
use exed_domain::step::{OutputStream, Step, StepError, StepOutput};
use exed_domain::{Host, HostName, OperateState, TaskResult};

use super::job::JobRun;
use super::recorder::Recorder;

/// No step starts so close to the end of the lease that another worker could already be running it.
const LEASE_MARGIN: Duration = Duration::from_secs(2);

/// One run's view of the server.
pub(crate) struct TargetHost {
    run: Arc<JobRun>,
    host: Arc<Host>,
    key: RunKey,
    subject: Subject,
    reported: Mutex<Reported>,
}

#[derive(Debug, Default)]
struct Reported {
    states: Vec<OperateState>,
    /// The message of the last task that failed.
    failure: Option<String>,
}

impl TargetHost {
    pub(crate) fn new(run: &Arc<JobRun>, host: Arc<Host>, used: &PluginUse, key: RunKey) -> Self {
        let subject = Subject {
            actor: run.job.requester.clone(),
            operation: run.job.operation.clone(),
            plugin: used.name.clone(),
            host: key.host.clone(),
        };
        Self { run: Arc::clone(run), host, key, subject, reported: Mutex::default() }
    }

    /// The states of every task reported, and the message of the last one that failed.
    pub(crate) fn reported(&self) -> (Vec<OperateState>, Option<String>) {
        let reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        (reported.states.clone(), reported.failure.clone())
    }

    /// Whether a step may start now.
    fn may_start(&self) -> Result<(), StepError> {
        let now = self.run.shared.ports.clock.now();
        let stopped = self.run.control.reason().is_some();
        let margin = LEASE_MARGIN.min(self.run.shared.settings.lease / 4);
        if stopped || now.after(margin) >= self.run.control.lease_until() {
            return Err(StepError::Canceled);
        }
        Ok(())
    }

    /// Asks the bound policies; one verdict per proposal.
    async fn ask(&self, proposals: &[Proposal]) -> Vec<Verdict> {
        let bound = self.run.shared.settings.policies.of(&self.run.job.operation);
        if bound.is_empty() {
            return proposals.iter().map(|_| Verdict::Allow).collect();
        }
        self.run.shared.ports.policies.evaluate(&bound, &self.subject, proposals).await
    }

    /// None when every step may be sent. A batch with a denied step is not sent at all.
    async fn denied(&self, steps: &[Step]) -> Option<Vec<Result<StepOutput, StepError>>> {
        let proposals: Vec<Proposal> = steps.iter().map(|step| Proposal::from(&step.action)).collect();
        let verdicts = self.ask(&proposals).await;
        if verdicts.len() == steps.len() && verdicts.iter().all(|verdict| *verdict == Verdict::Allow) {
            return None;
        }
        let mut verdicts = verdicts.into_iter();
        let answers = steps.iter().map(|_| Err(refusal(verdicts.next()))).collect();
        Some(answers)
    }
}

/// What a step is told when its batch is not sent.
fn refusal(verdict: Option<Verdict>) -> StepError {
    match verdict {
        Some(Verdict::Deny { policy, reason }) => StepError::Denied { policy, reason },
        Some(Verdict::Allow) => {
            StepError::Failed("not run, because a policy denied another step of the batch".to_owned())
        }
        None => StepError::Denied { policy: "server".to_owned(), reason: "no verdict was given".to_owned() },
    }
}

#[async_trait]
impl RunHost for TargetHost {
    async fn steps(
        &self,
        task: &str,
        steps: Vec<Step>,
        keep_going: bool,
    ) -> Vec<Result<StepOutput, StepError>> {
        if let Err(error) = self.may_start() {
            return steps.iter().map(|_| Err(error.clone())).collect();
        }
        if let Some(answers) = self.denied(&steps).await {
            return answers;
        }
        let sink = Arc::new(LiveOutput {
            recorder: self.run.recorder.clone(),
            host: self.key.host.clone(),
            task: task.to_owned(),
        });
        self.run.shared.ports.transport.run(&self.host, &self.key, &steps, keep_going, sink).await
    }

    async fn transfer(&self, request: TransferRequest) -> Result<Box<dyn Transfer>, StepError> {
        self.may_start()?;
        match self.ask(&[Proposal::from(&request)]).await.into_iter().next() {
            Some(Verdict::Allow) => {
                self.run.shared.ports.transport.transfer(&self.host, &self.key, request).await
            }
            denied => Err(refusal(denied)),
        }
    }

    async fn report(&self, result: TaskResult) {
        {
            let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
            reported.states.push(result.state);
            if result.state.is_failure() {
                reported.failure.clone_from(&result.message);
            }
        }
        self.run.recorder.event(Some(&self.key.host), EventKind::Task(result)).await;
    }

    async fn log(&self, level: &str, message: &str) {
        let kind = EventKind::Log { level: level.to_owned(), message: message.to_owned() };
        self.run.recorder.event(Some(&self.key.host), kind).await;
    }
}

/// Turns output into events. Recording waits while the store is slower, and so the host is slowed down
/// rather than memory filled.
struct LiveOutput {
    recorder: Recorder,
    host: HostName,
    task: String,
}

#[async_trait]
impl OutputSink for LiveOutput {
    async fn chunk(&self, _index: usize, stream: OutputStream, data: Bytes) {
        let kind = EventKind::Output { task: self.task.clone(), stream, data };
        self.recorder.event(Some(&self.host), kind).await;
    }
}

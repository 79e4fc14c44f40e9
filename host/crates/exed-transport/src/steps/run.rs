//! A batch from its first step to its last: which steps go together, and what follows a lost connection.

use std::sync::Arc;
use std::time::Duration;

use exed_domain::Host;
use exed_domain::ports::{OutputSink, RunKey};
use exed_domain::step::{Action, Step, StepError, StepOutput};

use super::capture::Capture;
use super::escalate::Escalation;
use super::session::{Ending, Session};
use super::{check, probe, render};
use crate::connect::Connector;

/// One result per step.
pub(crate) type StepResult = Result<StepOutput, StepError>;

/// What every part of a batch needs.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// Opens channels.
    pub(crate) connector: &'a dyn Connector,
    /// The host.
    pub(crate) host: &'a Host,
    /// The run.
    pub(crate) key: &'a RunKey,
    /// Receives live output.
    pub(crate) sink: &'a Arc<dyn OutputSink>,
    /// Whether steps after a failed one run.
    pub(crate) keep_going: bool,
    /// How long output that nobody writes any more is waited for after a recorded step has ended.
    pub(crate) grace: Duration,
}

/// Runs a batch. Neighbouring steps of one user share a channel.
pub(crate) async fn run(context: Context<'_>, steps: &[Step]) -> Vec<StepResult> {
    let mut results: Vec<StepResult> = Vec::with_capacity(steps.len());
    while let Some(rest) = steps.get(results.len()..)
        && let Some(first) = rest.first()
    {
        if !context.keep_going && results.last().is_some_and(|result| !succeeded(result)) {
            break;
        }
        match prepare(context.host, first) {
            Err(error) => results.push(Err(error)),
            Ok(escalation) => {
                let same = |step: &&Step| prepare(context.host, step).is_ok_and(|other| other == escalation);
                let count = rest.iter().take_while(same).count().max(1);
                let group = rest.get(..count).unwrap_or(rest);
                let group = Group { context, offset: results.len(), steps: group, escalation };
                results.extend(group.run().await);
            }
        }
    }
    pad(&mut results, steps.len());
    let with_probes = steps.iter().zip(results);
    with_probes.map(|(step, result)| answer(step, result)).collect()
}

fn prepare(host: &Host, step: &Step) -> Result<Option<Escalation>, StepError> {
    check::check(step)?;
    Escalation::of(host, &step.user)
}

fn succeeded(result: &StepResult) -> bool {
    result.as_ref().is_ok_and(|output| output.status.success())
}

fn answer(step: &Step, result: StepResult) -> StepResult {
    match &step.action {
        Action::Probe(question) => result.and_then(|raw| probe::answer(question, &raw)),
        Action::PutFile(file) => match result {
            Ok(output) if !output.status.success() => {
                let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                Err(StepError::Failed(format!("{} could not be written: {said}", file.path)))
            }
            other => other,
        },
        Action::Argv(_) | Action::Shell(_) | Action::Script(_) => result,
    }
}

fn pad(results: &mut Vec<StepResult>, count: usize) {
    let after = results.len();
    while results.len() < count {
        results.push(Err(StepError::Failed(format!("not run, because step {after} of the batch failed"))));
    }
}

/// Steps that share a channel.
struct Group<'a> {
    context: Context<'a>,
    offset: usize,
    steps: &'a [Step],
    escalation: Option<Escalation>,
}

impl Group<'_> {
    async fn run(self) -> Vec<StepResult> {
        let mut results: Vec<StepResult> = Vec::new();
        let mut carried: Option<Capture> = None;
        let (mut sent, mut retried, mut detached) = (false, false, false);
        while let Some(rest) = self.steps.get(results.len()..).filter(|rest| !rest.is_empty()) {
            let at = self.offset + results.len();
            let as_user = self.escalation.as_ref();
            let mut session = Session::new(self.context, at, rest, as_user, carried.take(), detached);
            let ending = session.drive().await;
            sent |= session.sent;
            results.append(&mut session.results);
            match ending {
                Ending::Complete => break,
                Ending::Detached => {
                    detached = true;
                    carried = session.current.take();
                }
                Ending::Lost(why) => {
                    let current = self.steps.get(results.len());
                    if sent && !retried && current.is_some_and(render::recorded) {
                        retried = true;
                        detached = false;
                        carried = session.current.take();
                        continue;
                    }
                    self.give_up(&mut results, sent, &why);
                    break;
                }
            }
        }
        if self.context.keep_going {
            pad(&mut results, self.steps.len());
        }
        results
    }

    /// What is not recorded may be tried again; what is may have run.
    fn give_up(&self, results: &mut Vec<StepResult>, sent: bool, why: &str) {
        for step in self.steps.iter().skip(results.len()) {
            results.push(Err(if sent && render::recorded(step) {
                StepError::Unknown(format!(
                    "{why}; it was sent, and the host cannot be asked what became of it"
                ))
            } else {
                StepError::Unreachable(why.to_owned())
            }));
        }
    }
}

/// How much of each stream of a step is kept.
pub(crate) fn limit(step: &Step) -> u64 {
    match &step.action {
        Action::Probe(question) => probe::limit(question),
        Action::Argv(_) | Action::Shell(_) | Action::Script(_) | Action::PutFile(_) => step.output_limit,
    }
}

//! The end of a run or of one step on its host.

use std::time::Duration;

use exed_domain::ports::{RunKey, TerminateReport};
use exed_domain::step::{Become, ExitStatus, StepError};
use exed_domain::{Host, StepId};

use super::escalate::Escalation;
use super::{command, id};
use crate::connect::Connector;

/// The script takes four seconds at most by itself; the rest is for a slow host.
const LIMIT: Duration = Duration::from_secs(60);

/// Ends every process of a run, as the host's variables say and, where that is not root, as the
/// connection's own user as well.
pub(crate) async fn run(
    connector: &dyn Connector,
    host: &Host,
    key: &RunKey,
) -> Result<TerminateReport, StepError> {
    let escalation = Escalation::of(host, &Become::Inherit)?;
    let mut report = end(connector, host, key, None, escalation.as_ref()).await?;
    if escalation.is_some_and(|as_user| !as_user.is_root()) {
        let own = end(connector, host, key, None, None).await?;
        report.ended.extend(own.ended);
        report.remaining = own.remaining;
    }
    Ok(report)
}

/// Ends the processes of a run, or of one of its steps, as one user.
pub(crate) async fn end(
    connector: &dyn Connector,
    host: &Host,
    key: &RunKey,
    step: Option<&StepId>,
    escalation: Option<&Escalation>,
) -> Result<TerminateReport, StepError> {
    let only = step.map_or("", |step| step.0.as_str());
    let inner = command::script(include_str!("scripts/terminate.sh"), &[&id::run_mark(key), only]);
    let ended = tokio::time::timeout(LIMIT, async {
        let channel = command::open(connector, host, &inner, escalation).await?;
        let ended = command::collect(channel.output).await;
        drop(channel.input);
        Ok::<_, StepError>(ended)
    });
    let ended = ended.await.unwrap_or_else(|_| {
        Err(StepError::Failed(format!("ending took longer than {} s", LIMIT.as_secs())))
    })?;
    match ended.status {
        Ok(ExitStatus::Code(0)) => Ok(parse(&ended.stdout)),
        Ok(status) => {
            let said = ended.stderr.trim();
            Err(StepError::Failed(format!("processes could not be ended ({status:?}): {said}")))
        }
        Err(lost) => Err(StepError::Unreachable(lost)),
    }
}

/// A phrase for [`StepError::TimedOut`].
pub(crate) fn phrase(outcome: &Result<TerminateReport, StepError>) -> String {
    match outcome {
        Err(error) => format!("its processes could not be ended: {error}"),
        Ok(report) if report.ended.is_empty() && report.remaining.is_empty() => {
            "no process of it was left to end".to_owned()
        }
        Ok(report) => {
            let mut text = format!("ended {}", list(&report.ended));
            if !report.remaining.is_empty() {
                text.push_str(&format!("; still there: {}", list(&report.remaining)));
            }
            text
        }
    }
}

fn list(processes: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut text = processes.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if processes.len() > SHOWN {
        text.push_str(&format!(" and {} more", processes.len() - SHOWN));
    }
    if text.is_empty() { "nothing".to_owned() } else { text }
}

fn parse(text: &str) -> TerminateReport {
    let of = |kind: &str| -> Vec<(u64, String)> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(kind));
        lines.filter_map(|line| Some((line.split(' ').next()?.parse().ok()?, line.to_owned()))).collect()
    };
    let remaining = of("R ");
    let mut ended = of("S ");
    ended.retain(|(pid, _)| remaining.iter().all(|(other, _)| other != pid));
    ended.sort();
    let note = |(_, line): (u64, String)| format!("{line} (not ended by SIGKILL within the time)");
    TerminateReport {
        ended: ended.into_iter().map(|(_, line)| line).collect(),
        remaining: remaining.into_iter().map(note).collect(),
    }
}

//! One claimed job, from its claim to its end.

use std::sync::Arc;
use std::time::Duration;

use exed_domain::job::Job;
use exed_domain::job::state::{Ending, JobState, TargetState};
use exed_domain::plugin::PluginRequirement;
use exed_domain::ports::store::{Claimed, Finish, LeaseKey};
use exed_domain::ports::{ExecutorHandle, Plan, PlanRequest, PluginError};
use exed_domain::{HostName, JobId};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::Shared;
use super::control::{Control, StopReason};
use super::lease;
use super::outcome::{TargetEnd, failure};
use super::recorder::Recorder;
use super::target;

/// Everything that the targets of one job share.
pub(crate) struct JobRun {
    pub(crate) shared: Arc<Shared>,
    pub(crate) job: Job,
    pub(crate) key: LeaseKey,
    pub(crate) control: Arc<Control>,
    pub(crate) recorder: Recorder,
}

/// Runs a claimed job to its end, or until it is abandoned.
pub(crate) async fn run(shared: Arc<Shared>, claimed: Claimed, control: Arc<Control>) -> JobId {
    let id = claimed.job.id;
    let span = tracing::info_span!("job", jid = %id, operation = %claimed.job.operation);
    run_claimed(shared, claimed, control).instrument(span).await;
    id
}

async fn run_claimed(shared: Arc<Shared>, claimed: Claimed, control: Arc<Control>) {
    let Claimed { job, targets } = claimed;
    let Some(held) = job.lease.clone() else {
        tracing::error!("the store gave a claim without a lease");
        return;
    };
    control.set_lease(held.expires_at);
    let key = LeaseKey { job: job.id, token: held.token };
    let (recorder, writer) = Recorder::start(&shared, key.clone(), &control);
    let keeper = AbortOnDropHandle::new(tokio::spawn(lease::keep(
        Arc::clone(&shared),
        key.clone(),
        Arc::clone(&control),
    )));
    let timer =
        AbortOnDropHandle::new(tokio::spawn(deadline(job_deadline(&shared, &job), Arc::clone(&control))));
    if job.state == JobState::Canceling {
        control.stop(StopReason::Canceled);
    }
    let (mut ends, open): (Vec<_>, Vec<_>) = targets.into_iter().partition(|run| run.state.is_terminal());
    let open: Vec<HostName> = open.into_iter().map(|run| run.host).collect();
    let job_id = job.id;
    let run =
        Arc::new(JobRun { shared: Arc::clone(&shared), job, key, control: Arc::clone(&control), recorder });
    let mut ended: Vec<TargetEnd> = ends
        .drain(..)
        .map(|run| TargetEnd { host: run.host, state: run.state, message: run.message })
        .collect();
    ended.extend(run_open(&run, open).await);
    drop(timer);
    if control.reason() == Some(StopReason::Abandoned) {
        writer.abort();
        return;
    }
    run.recorder.finish(summary(&run, ended)).await;
    match writer.await {
        Ok(true) => shared.load.remove(job_id),
        Ok(false) => tracing::warn!("the end of the job could not be recorded; it is taken up again"),
        Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "the recorder has died"),
    }
    drop(keeper);
}

/// Runs every target that has not ended.
async fn run_open(run: &Arc<JobRun>, open: Vec<HostName>) -> Vec<TargetEnd> {
    if open.is_empty() {
        return Vec::new();
    }
    match prepare(run).await {
        Ok((handle, plan)) => fan_out(run, open, handle, plan).await,
        Err(error) => {
            let mut ends = Vec::with_capacity(open.len());
            for host in open {
                ends.push(target::refuse(run, host, &error).await);
            }
            ends
        }
    }
}

/// Chooses the executor and plans, once for the whole job.
async fn prepare(run: &JobRun) -> Result<(Arc<dyn ExecutorHandle>, Plan), PluginError> {
    let handle = executor(run)?;
    run.recorder.plugin(handle.used().clone()).await;
    let request = PlanRequest {
        job: run.job.id,
        operation: run.job.operation.clone(),
        args: run.job.args.clone(),
        hosts: run.job.hosts.clone(),
    };
    let plan = tokio::select! {
        plan = handle.plan(request) => plan?,
        // Every target then tells how it was stopped.
        _ = run.control.stopped() => Plan::default(),
    };
    Ok((handle, plan))
}

/// A job that is taken up again keeps its version while it is there; a new one takes the active one.
fn executor(run: &JobRun) -> Result<Arc<dyn ExecutorHandle>, PluginError> {
    let executors = &run.shared.ports.executors;
    if let Some(used) = &run.job.plugin
        && let Ok(exact) = format!("{}@={}", used.name, used.version).parse::<PluginRequirement>()
        && let Ok(handle) = executors.resolve(&run.job.operation, Some(&exact))
    {
        return Ok(handle);
    }
    executors.resolve(&run.job.operation, run.job.options.plugin.as_ref())
}

async fn fan_out(
    run: &Arc<JobRun>,
    open: Vec<HostName>,
    handle: Arc<dyn ExecutorHandle>,
    plan: Plan,
) -> Vec<TargetEnd> {
    let most = run.shared.settings.hosts_at_once.max(1);
    let wanted = run.job.options.hosts_at_once.map_or(most, |hosts| hosts as usize);
    let slots = Arc::new(Semaphore::new(wanted.clamp(1, most)));
    let inventory = run.shared.ports.inventory.snapshot();
    let mut tasks = JoinSet::new();
    for name in open {
        let host = inventory.hosts.get(&name).cloned().map(Arc::new);
        let one = target::Target {
            run: Arc::clone(run),
            name: name.clone(),
            host,
            handle: Arc::clone(&handle),
            plan: plan.clone(),
        };
        let span = tracing::info_span!("target", host = %name);
        tasks.spawn(one.run(Arc::clone(&slots)).instrument(span));
    }
    let mut ends = Vec::with_capacity(tasks.len());
    while let Some(end) = tasks.join_next().await {
        match end {
            Ok(end) => ends.push(end),
            Err(error) => {
                // A defect of ours. Nothing may be recorded as ended that was not, so the job is let go
                // of and taken up again.
                tracing::error!(error = &error as &dyn std::error::Error, "a target's task has died");
                run.control.stop(StopReason::Abandoned);
            }
        }
    }
    ends
}

/// When the job has to have ended, from its first claim on.
fn job_deadline(shared: &Shared, job: &Job) -> Duration {
    let allowed = job.options.timeout.unwrap_or(shared.settings.job_timeout);
    let now = shared.ports.clock.now();
    let started = job.started_at.unwrap_or(now);
    let passed = Duration::from_millis(u64::try_from(now.0 - started.0).unwrap_or(0));
    allowed.saturating_sub(passed)
}

async fn deadline(left: Duration, control: Arc<Control>) {
    tokio::time::sleep(left).await;
    control.stop(StopReason::TimedOut);
}

fn summary(run: &JobRun, mut ends: Vec<TargetEnd>) -> Finish {
    let order = |host: &HostName| run.job.hosts.iter().position(|name| name == host);
    ends.sort_by_key(|end| order(&end.host));
    let ending = if ends.len() == run.job.hosts.len() {
        Ending::of_targets(ends.iter().map(|end| end.state))
    } else {
        Ending::SomeFailed
    };
    let allowed = run.job.options.timeout.unwrap_or(run.shared.settings.job_timeout);
    let error = match run.control.reason() {
        Some(StopReason::TimedOut) if stopped(&ends) => {
            Some(format!("timed out after {} s", allowed.as_secs()))
        }
        Some(StopReason::Canceled) if stopped(&ends) => Some("canceled".to_owned()),
        Some(StopReason::TimedOut | StopReason::Canceled | StopReason::Abandoned) | None => failure(&ends),
    };
    Finish { ending, error, at: run.shared.ports.clock.now() }
}

fn stopped(ends: &[TargetEnd]) -> bool {
    ends.iter().any(|end| end.state == TargetState::Canceled)
}

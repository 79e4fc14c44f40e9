//! Claims jobs and runs them until it is told to stop.
//!
//! The loop is level-triggered: a signal, the end of a job and the clock all lead to the same question to
//! the store, "what can be claimed now?".

mod control;
mod job;
mod lease;
mod load;
mod outcome;
mod recorder;
mod retention;
mod run_host;
mod target;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use exed_domain::ports::{Signal, StoreError};
use exed_domain::{JobId, WorkerId};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::{Ports, Settings};
use control::{Control, StopReason};
pub(crate) use load::Load;

/// How often the store is asked although nothing was signalled: a lost signal delays, never loses, and an
/// expired lease sends none.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How many jobs one claim takes at most.
const CLAIM_AT_MOST: usize = 32;

/// Tells a worker to stop.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// Claim nothing more, finish what runs.
    pub drain: CancellationToken,
    /// Let go of what runs at once: it is taken up at the next start. Remote processes are left alone.
    pub halt: CancellationToken,
}

/// Runs jobs.
pub struct Worker {
    shared: Arc<Shared>,
}

/// What every running job of this worker shares.
pub(crate) struct Shared {
    pub(crate) ports: Ports,
    pub(crate) settings: Arc<Settings>,
    pub(crate) load: Arc<Load>,
    pub(crate) id: WorkerId,
    /// Hosts worked on at once, over all jobs.
    pub(crate) hosts: Arc<Semaphore>,
}

#[derive(Default)]
struct Running {
    tasks: JoinSet<JobId>,
    controls: HashMap<JobId, Arc<Control>>,
}

impl Worker {
    pub(crate) fn new(ports: Ports, settings: Arc<Settings>, load: Arc<Load>) -> Self {
        let id = WorkerId(format!("{}-{}", std::process::id(), JobId::new()));
        let hosts = Arc::new(Semaphore::new(settings.hosts_at_once.max(1)));
        Self { shared: Arc::new(Shared { ports, settings, load, id, hosts }) }
    }

    /// Runs until `stop`: returns when everything that ran has ended, or at once when halted.
    ///
    /// Must be called under the store's file lock, because it first gives up every lease that an earlier
    /// process has left behind.
    ///
    /// # Errors
    /// [`StoreError`] when the leases of an earlier process cannot be released.
    pub async fn run(self, stop: Stop) -> Result<(), StoreError> {
        let shared = &self.shared;
        let recovered = shared.ports.store.release_leases(None, shared.ports.clock.now()).await?;
        if recovered > 0 {
            tracing::info!(jobs = recovered, "taking up jobs that an earlier process has left");
        }
        let _sweeper =
            AbortOnDropHandle::new(tokio::spawn(retention::sweep(Arc::clone(shared), stop.drain.clone())));
        let mut running = Running::default();
        self.claim_until(&stop, &mut running).await;
        self.finish(&stop, &mut running).await;
        Ok(())
    }

    async fn claim_until(&self, stop: &Stop, running: &mut Running) {
        let mut signals = self.shared.ports.bus.subscribe();
        let mut look = tokio::time::interval(LOOK_AGAIN);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.drain.cancelled() => return,
                () = stop.halt.cancelled() => return,
                Some(ended) = running.tasks.join_next(), if !running.tasks.is_empty() => {
                    running.forget(ended);
                }
                signal = signals.next() => match signal {
                    Some(Signal::CancelRequested(id)) => {
                        running.cancel(id);
                        continue;
                    }
                    Some(Signal::JobChanged(_) | Signal::JobEnded(_)) => continue,
                    Some(Signal::JobsQueued | Signal::Missed) => {}
                    None => {
                        // The bus has closed; the clock still asks.
                        look.tick().await;
                    }
                },
                _ = look.tick() => {}
            }
            self.claim(running).await;
        }
    }

    /// Claims as many jobs as there is room for, and starts them.
    async fn claim(&self, running: &mut Running) {
        let shared = &self.shared;
        loop {
            let room = shared.settings.jobs_at_once.saturating_sub(running.tasks.len()).min(CLAIM_AT_MOST);
            if room == 0 {
                return;
            }
            let now = shared.ports.clock.now();
            let claim = shared.ports.store.claim(&shared.id, now, shared.settings.lease, room).await;
            let claimed = match claim {
                Ok(claimed) => claimed,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "cannot claim jobs");
                    return;
                }
            };
            let full = claimed.len() == room;
            for claim in claimed {
                let id = claim.job.id;
                let control = Arc::new(Control::default());
                running.controls.insert(id, Arc::clone(&control));
                shared.load.add(id, claim.job.hosts.len());
                running.tasks.spawn(job::run(Arc::clone(shared), claim, control));
            }
            if !full {
                return;
            }
        }
    }

    /// Waits for what runs; lets go of it when halted.
    async fn finish(&self, stop: &Stop, running: &mut Running) {
        if !running.tasks.is_empty() {
            tracing::info!(jobs = running.tasks.len(), "waiting for running jobs to end");
        }
        let mut signals = self.shared.ports.bus.subscribe();
        while !running.tasks.is_empty() {
            tokio::select! {
                () = stop.halt.cancelled() => break,
                Some(ended) = running.tasks.join_next() => running.forget(ended),
                signal = signals.next() => if let Some(Signal::CancelRequested(id)) = signal {
                    running.cancel(id);
                },
            }
        }
        if running.tasks.is_empty() {
            return;
        }
        tracing::warn!(
            jobs = running.tasks.len(),
            "letting go of running jobs; they are taken up at the next start"
        );
        for control in running.controls.values() {
            control.stop(StopReason::Abandoned);
        }
        while let Some(ended) = running.tasks.join_next().await {
            running.forget(ended);
        }
        let ports = &self.shared.ports;
        if let Err(error) = ports.store.release_leases(Some(&self.shared.id), ports.clock.now()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot give up the leases");
        }
    }
}

impl Running {
    fn cancel(&self, id: JobId) {
        if let Some(control) = self.controls.get(&id) {
            control.stop(StopReason::Canceled);
        }
    }

    fn forget(&mut self, ended: Result<JobId, tokio::task::JoinError>) {
        match ended {
            Ok(id) => {
                self.controls.remove(&id);
            }
            // The job keeps its lease until it expires, and is then taken up again.
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a job's task has died"),
        }
    }
}

//! What one call has used so far, shared between its store, its streams and whoever polls it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::limits::{Breach, Limits, size};

/// Counts what a call uses.
#[derive(Debug)]
pub(crate) struct Meter {
    limits: Limits,
    output: AtomicU64,
    host_calls: AtomicU64,
    host_call_bytes: AtomicU64,
    /// Processor time of earlier polls, in nanoseconds.
    spent: AtomicU64,
    /// The thread's processor time when the current poll began, in nanoseconds.
    since: AtomicU64,
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            output: AtomicU64::new(0),
            host_calls: AtomicU64::new(0),
            host_call_bytes: AtomicU64::new(0),
            spent: AtomicU64::new(0),
            since: AtomicU64::new(0),
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Counts bytes of results, log lines or standard output.
    pub(crate) fn output(&self, bytes: usize) -> Result<(), Breach> {
        let allowed = self.limits.output;
        add(&self.output, bytes, allowed)
            .ok_or_else(|| Breach::new("output", format!("at most {} in one run", size(allowed))))
    }

    /// Counts a host call with the bytes it passes.
    pub(crate) fn host_call(&self, bytes: usize) -> Result<(), Breach> {
        let (calls, allowed) = (self.limits.host_calls, self.limits.host_call_bytes);
        add(&self.host_calls, 1, calls)
            .ok_or_else(|| Breach::new("host call", format!("at most {calls} calls in one run")))?;
        add(&self.host_call_bytes, bytes, allowed)
            .ok_or_else(|| Breach::new("host call bytes", format!("at most {} in one run", size(allowed))))
    }

    /// A poll begins on this thread.
    pub(crate) fn resume(&self) {
        self.since.store(thread_time(), Relaxed);
    }

    /// The poll has ended.
    pub(crate) fn pause(&self) {
        let used = thread_time().saturating_sub(self.since.load(Relaxed));
        self.spent.fetch_add(used, Relaxed);
    }

    /// Called by the guest's own thread at every epoch tick.
    pub(crate) fn check_cpu(&self) -> Result<(), Breach> {
        let running = thread_time().saturating_sub(self.since.load(Relaxed));
        let used = Duration::from_nanos(self.spent.load(Relaxed).saturating_add(running));
        if used <= self.limits.cpu {
            return Ok(());
        }
        Err(Breach::new("cpu", format!("at most {} ms of computing", self.limits.cpu.as_millis())))
    }
}

fn add(counter: &AtomicU64, amount: usize, allowed: u64) -> Option<()> {
    let amount = u64::try_from(amount).ok()?;
    let before = counter.fetch_add(amount, Relaxed);
    (before.checked_add(amount)? <= allowed).then_some(())
}

/// Processor time of the calling thread in nanoseconds. It stands still while the thread is descheduled,
/// so that a busy machine does not eat up the limits of its guests.
fn thread_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

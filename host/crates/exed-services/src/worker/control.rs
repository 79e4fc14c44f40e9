//! How a running job is told to stop, and why.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use exed_domain::Timestamp;
use tokio_util::sync::CancellationToken;

/// Why a running job stops before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// Somebody asked for it: remote processes are ended and the job is recorded as canceled.
    Canceled,
    /// Its time ran out: remote processes are ended and the job is recorded as failed.
    TimedOut,
    /// The lease was lost or the server stops: nothing is written and remote processes are left alone,
    /// because whoever takes the job up next finds them by their records.
    Abandoned,
}

/// Shared by everything that works on one job.
#[derive(Debug, Default)]
pub(crate) struct Control {
    token: CancellationToken,
    reason: OnceLock<StopReason>,
    lease_until: AtomicI64,
}

impl Control {
    /// Stops the job; the first reason counts.
    pub(crate) fn stop(&self, reason: StopReason) {
        let _ = self.reason.set(reason);
        self.token.cancel();
    }

    /// Why it stops, once it does.
    pub(crate) fn reason(&self) -> Option<StopReason> {
        self.reason.get().copied()
    }

    /// Waits until the job is to stop.
    pub(crate) async fn stopped(&self) -> StopReason {
        self.token.cancelled().await;
        self.reason().unwrap_or(StopReason::Abandoned)
    }

    /// Notes until when the lease holds.
    pub(crate) fn set_lease(&self, until: Timestamp) {
        self.lease_until.store(until.0, Ordering::Release);
    }

    /// Until when the lease holds.
    pub(crate) fn lease_until(&self) -> Timestamp {
        Timestamp(self.lease_until.load(Ordering::Acquire))
    }
}

//! Wake-ups. The store is the truth; losing a signal delays, never loses.

use async_trait::async_trait;

use crate::ids::JobId;

/// A hint that something in the store has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A job may be claimable.
    JobsQueued,
    /// A job has new events or another state.
    JobChanged(JobId),
    /// A job has ended; its last events are stored.
    JobEnded(JobId),
    /// Somebody wants a running job to stop.
    CancelRequested(JobId),
    /// Signals were dropped because this subscriber was slow: look at everything again.
    Missed,
}

/// Carries signals to every subscriber.
pub trait Bus: Send + Sync {
    /// Sends a signal; never blocks and never fails.
    fn publish(&self, signal: Signal);
    /// Every signal published from now on.
    fn subscribe(&self) -> Box<dyn Subscription>;
}

/// One subscriber's view.
#[async_trait]
pub trait Subscription: Send {
    /// The next signal; none when the bus has closed. Cancel-safe.
    async fn next(&mut self) -> Option<Signal>;
}

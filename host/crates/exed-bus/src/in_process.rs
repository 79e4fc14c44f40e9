//! The bus of a server that is alone: signals stay within the process.

use async_trait::async_trait;
use exed_domain::ports::{Bus, Signal, Subscription};
use tokio::sync::broadcast::{self, error::RecvError};

/// How many signals a subscriber may be behind before it is told that it missed some. A signal is a few
/// bytes, so that this costs less than 200 KiB for the whole process, however many subscribers there are.
pub const DEFAULT_BACKLOG: usize = 4096;

/// Carries signals between the parts of one process.
///
/// All subscribers read one shared ring: publishing writes a slot and wakes who waits; nothing is copied
/// or allocated per subscriber, and a slow one delays nobody. It is closed when the bus is dropped.
#[derive(Debug)]
pub struct InProcessBus {
    sender: broadcast::Sender<Signal>,
}

impl InProcessBus {
    /// A bus whose subscribers may be [`DEFAULT_BACKLOG`] signals behind.
    #[must_use]
    pub fn new() -> Self {
        Self::with_backlog(DEFAULT_BACKLOG)
    }

    /// A bus whose subscribers may be `backlog` signals behind, rounded up to a power of two; 0 counts as
    /// 1, and more than 2^20 as 2^20.
    #[must_use]
    pub fn with_backlog(backlog: usize) -> Self {
        let (sender, _) = broadcast::channel(backlog.clamp(1, 1 << 20));
        Self { sender }
    }
}

impl Default for InProcessBus {
    fn default() -> Self {
        Self::new()
    }
}

impl Bus for InProcessBus {
    fn publish(&self, signal: Signal) {
        // The only error is that nobody listens, and then nobody needs to know.
        if self.sender.send(signal).is_err() {
            tracing::trace!(?signal, "nobody listens");
        }
    }

    fn subscribe(&self) -> Box<dyn Subscription> {
        Box::new(InProcessSubscription { receiver: self.sender.subscribe() })
    }
}

/// One subscriber's place in the ring.
struct InProcessSubscription {
    receiver: broadcast::Receiver<Signal>,
}

#[async_trait]
impl Subscription for InProcessSubscription {
    async fn next(&mut self) -> Option<Signal> {
        match self.receiver.recv().await {
            Ok(signal) => Some(signal),
            Err(RecvError::Lagged(signals)) => {
                tracing::debug!(signals, "a subscriber was too slow and looks at everything again");
                Some(Signal::Missed)
            }
            Err(RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::conformance;

    conformance::suite!(|| Arc::new(InProcessBus::new()) as Arc<dyn Bus>);

    #[tokio::test]
    async fn a_slow_subscriber_is_told_and_then_gets_the_newest() {
        let bus = InProcessBus::with_backlog(2);
        let mut subscription = bus.subscribe();
        let signals: Vec<_> = (0..5).map(|_| Signal::JobChanged(exed_domain::JobId::new())).collect();
        for signal in &signals {
            bus.publish(*signal);
        }
        assert_eq!(subscription.next().await, Some(Signal::Missed));
        assert_eq!(subscription.next().await, Some(signals[3]));
        assert_eq!(subscription.next().await, Some(signals[4]));
    }

    #[test]
    fn odd_backlogs_are_taken() {
        for backlog in [0, 1, 3, usize::MAX] {
            InProcessBus::with_backlog(backlog).publish(Signal::JobsQueued);
        }
    }
}

//! A synchronous call is a submission followed by this wait.

use std::time::Duration;

use exed_domain::ports::Signal;
use exed_domain::{JobId, Result};

use super::{Ended, Jobs, no_such, store_error};

/// How long a waiter trusts the bus before it looks at the store by itself: a lost signal delays.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(2);

impl Jobs {
    /// Waits until the job has ended; none if it still runs after `limit`. The job goes on either way,
    /// also when the caller goes away.
    ///
    /// # Errors
    /// [`exed_domain::Error::NotFound`] when there is no such job, or it is deleted meanwhile.
    pub async fn wait(&self, id: JobId, limit: Duration) -> Result<Option<Ended>> {
        match tokio::time::timeout(limit, self.ended(id)).await {
            Ok(ended) => ended.map(Some),
            Err(_elapsed) => Ok(None),
        }
    }

    async fn ended(&self, id: JobId) -> Result<Ended> {
        // Subscribed before the first look, so that an end between the two is not missed.
        let mut signals = self.ports.bus.subscribe();
        loop {
            let job = self.ports.store.job(id).await.map_err(store_error)?.ok_or_else(|| no_such(id))?;
            if job.state.is_terminal() {
                let targets = self.ports.store.targets(id).await.map_err(store_error)?;
                return Ok(Ended { job, targets });
            }
            let _ = tokio::time::timeout(LOOK_AGAIN, async {
                loop {
                    match signals.next().await {
                        Some(Signal::JobEnded(ended)) if ended == id => return,
                        Some(Signal::Missed) => return,
                        // The bus is closing: fall back to looking at intervals.
                        None => std::future::pending::<()>().await,
                        Some(
                            Signal::JobsQueued
                            | Signal::JobChanged(_)
                            | Signal::JobEnded(_)
                            | Signal::CancelRequested(_),
                        ) => {}
                    }
                }
            })
            .await;
        }
    }
}

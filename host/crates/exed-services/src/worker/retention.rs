//! Removes what is old.

use std::sync::Arc;

use exed_domain::ports::store::Retention;
use tokio_util::sync::CancellationToken;

use super::Shared;

/// How many jobs one commit looks at, so that a large sweep never holds the writer for long.
const BATCH: usize = 200;

/// Sweeps at intervals until `stop`.
pub(crate) async fn sweep(shared: Arc<Shared>, stop: CancellationToken) {
    let settings = shared.settings.retention;
    let mut every = tokio::time::interval(settings.every);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
        }
        let now = shared.ports.clock.now();
        let retention = Retention {
            events_before: now.before(settings.events),
            jobs_before: now.before(settings.jobs),
            batch: BATCH,
        };
        while !stop.is_cancelled() {
            match shared.ports.store.prune(retention).await {
                Ok(0) => break,
                Ok(jobs) => tracing::debug!(jobs, "removed what retention no longer keeps"),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "cannot remove old jobs");
                    break;
                }
            }
        }
    }
}

//! Keeps a claim alive while the job runs.

use std::sync::Arc;
use std::time::Duration;

use exed_domain::ports::StoreError;
use exed_domain::ports::store::LeaseKey;

use super::Shared;
use super::control::{Control, StopReason};

/// Renews the lease until it is aborted. Notices cancellation as well, for the case that its signal was
/// lost. A lease that can no longer be renewed abandons the job.
pub(crate) async fn keep(shared: Arc<Shared>, key: LeaseKey, control: Arc<Control>) {
    let lease = shared.settings.lease;
    let every = (lease / 3).max(Duration::from_millis(50));
    loop {
        tokio::time::sleep(every).await;
        let until = shared.ports.clock.now().after(lease);
        match shared.ports.store.renew(&key, until).await {
            Ok(renewed) => {
                control.set_lease(until);
                if renewed.cancel_requested {
                    control.stop(StopReason::Canceled);
                }
            }
            Err(StoreError::LeaseLost(job)) => {
                tracing::warn!(%job, "the lease was lost; another worker has the job");
                control.stop(StopReason::Abandoned);
                return;
            }
            Err(error @ StoreError::Failed { .. }) => {
                tracing::error!(job = %key.job, error = &error as &dyn std::error::Error, "cannot renew the lease");
                if shared.ports.clock.now() >= control.lease_until() {
                    control.stop(StopReason::Abandoned);
                    return;
                }
            }
        }
    }
}

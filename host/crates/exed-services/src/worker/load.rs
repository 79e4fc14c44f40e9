//! How many hosts are waiting or under way, over all jobs that have not ended.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use exed_domain::JobId;

/// Counts the targets of jobs that have not ended, so that submissions can be refused before the queue
/// grows without bound.
#[derive(Debug, Default)]
pub(crate) struct Load(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    jobs: HashMap<JobId, u64>,
    targets: u64,
}

impl Load {
    /// Counts a job once, however often it is told.
    pub(crate) fn add(&self, job: JobId, targets: usize) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.jobs.insert(job, targets as u64).is_none() {
            counted.targets += targets as u64;
        }
    }

    /// Forgets a job.
    pub(crate) fn remove(&self, job: JobId) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(targets) = counted.jobs.remove(&job) {
            counted.targets -= targets;
        }
    }

    /// The sum.
    pub(crate) fn targets(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).targets
    }
}

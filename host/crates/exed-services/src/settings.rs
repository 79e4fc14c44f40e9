//! How the services behave.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Settings of the services. Only [`Settings::policies`] can change while they run.
#[derive(Debug)]
pub struct Settings {
    /// How many jobs run at once.
    pub jobs_at_once: usize,
    /// How many hosts are worked on at once, over all jobs; also a job's own limit unless it asks for less.
    pub hosts_at_once: usize,
    /// How many hosts may be waiting or under way over all jobs before submissions are refused.
    pub targets_at_most: u64,
    /// How long a claim lasts without being renewed.
    pub lease: Duration,
    /// Wall time of a job that asks for none.
    pub job_timeout: Duration,
    /// What is kept of jobs that have ended.
    pub retention: RetentionSettings,
    /// Which policies see the steps of which operation.
    pub policies: PolicyBindings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            jobs_at_once: 256,
            hosts_at_once: 500,
            targets_at_most: 100_000,
            lease: Duration::from_secs(30),
            job_timeout: Duration::from_secs(24 * 3600),
            retention: RetentionSettings::default(),
            policies: PolicyBindings::default(),
        }
    }
}

/// What is kept of jobs that have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionSettings {
    /// How long their events are kept.
    pub events: Duration,
    /// How long the jobs with their results are kept.
    pub jobs: Duration,
    /// How often old ones are looked for.
    pub every: Duration,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        let day = Duration::from_secs(24 * 3600);
        Self { events: day * 14, jobs: day * 90, every: Duration::from_secs(600) }
    }
}

/// Policies by operation, changeable at run time: clones share one table. An operation that is not listed
/// has none.
#[derive(Clone, Debug, Default)]
pub struct PolicyBindings(Arc<RwLock<BTreeMap<String, Vec<String>>>>);

impl PolicyBindings {
    /// Bindings from a table.
    #[must_use]
    pub fn new(table: BTreeMap<String, Vec<String>>) -> Self {
        Self(Arc::new(RwLock::new(table)))
    }

    /// Replaces the whole table; runs under way see it at their next step.
    pub fn replace(&self, table: BTreeMap<String, Vec<String>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = table;
    }

    /// The policies bound to an operation, in order.
    #[must_use]
    pub fn of(&self, operation: &str) -> Vec<String> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        table.get(operation).cloned().unwrap_or_default()
    }
}

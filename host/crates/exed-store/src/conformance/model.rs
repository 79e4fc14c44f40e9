//! Random operations against a store and against a model that is too simple to be wrong.

use std::time::Duration;

use exed_domain::job::state::{Ending, JobState, Trigger, transition};
use exed_domain::job::{NewJob, OnConflict};
use exed_domain::ports::StoreError;
use exed_domain::ports::store::{CancelOutcome, DeleteOutcome, LeaseKey, Submission};
use exed_domain::{FencingToken, HostName, JobId};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::support::*;

const HOSTS: [&str; 4] = ["a", "b", "c", "d"];
const MODEL_LEASE: i64 = 10;

#[derive(Clone, Debug)]
enum Operation {
    Submit { hosts: Vec<&'static str>, conflict: Option<OnConflict> },
    Claim { wait: i64, limit: usize },
    Record { job: usize, stale: bool, lines: usize },
    Finish { job: usize, ending: Ending },
    Renew { job: usize },
    Cancel { job: usize },
    Delete { job: usize },
    ReleaseLeases,
}

fn operation() -> impl Strategy<Value = Operation> {
    let conflict = prop_oneof![
        1 => Just(None),
        1 => Just(Some(OnConflict::Reject)),
        3 => Just(Some(OnConflict::Queue)),
    ];
    let hosts = proptest::sample::subsequence(HOSTS.to_vec(), 0..=4);
    let ending = prop_oneof![Just(Ending::AllDone), Just(Ending::SomeFailed), Just(Ending::SomeCanceled)];
    let job = 0..12_usize;
    prop_oneof![
        4 => (hosts, conflict).prop_map(|(hosts, conflict)| Operation::Submit { hosts, conflict }),
        4 => (0..15_i64, 0..4_usize).prop_map(|(wait, limit)| Operation::Claim { wait, limit }),
        2 => (job.clone(), any::<bool>(), 0..4_usize)
            .prop_map(|(job, stale, lines)| Operation::Record { job, stale, lines }),
        3 => (job.clone(), ending).prop_map(|(job, ending)| Operation::Finish { job, ending }),
        1 => job.clone().prop_map(|job| Operation::Renew { job }),
        2 => job.clone().prop_map(|job| Operation::Cancel { job }),
        1 => job.prop_map(|job| Operation::Delete { job }),
        1 => Just(Operation::ReleaseLeases),
    ]
}

/// What the model knows of a job.
#[derive(Clone, Debug)]
struct ModelJob {
    id: JobId,
    hosts: Vec<HostName>,
    conflict: Option<OnConflict>,
    state: JobState,
    token: i64,
    expires: Option<i64>,
    events: i64,
}

impl ModelJob {
    fn new(new: &NewJob) -> Self {
        Self {
            id: new.id,
            hosts: new.hosts.clone(),
            conflict: new.mutex.as_ref().map(|_| new.options.on_conflict),
            state: JobState::Queued,
            token: 0,
            expires: None,
            events: 1,
        }
    }

    fn waits_for(&self, host: &HostName) -> bool {
        self.conflict == Some(OnConflict::Queue)
            && self.state == JobState::Queued
            && self.hosts.contains(host)
    }

    fn holds(&self, host: &HostName) -> bool {
        let has_begun = self.conflict == Some(OnConflict::Reject) || self.state != JobState::Queued;
        self.conflict.is_some() && !self.state.is_terminal() && has_begun && self.hosts.contains(host)
    }

    fn key(&self, token: i64) -> LeaseKey {
        LeaseKey { job: self.id, token: FencingToken(token) }
    }
}

#[derive(Default)]
struct Model {
    now: i64,
    jobs: Vec<ModelJob>,
}

impl Model {
    fn startable(&self, index: usize) -> bool {
        let (earlier, rest) = self.jobs.split_at(index);
        let job = &rest[0];
        job.conflict != Some(OnConflict::Queue)
            || job.hosts.iter().all(|host| {
                !self.jobs.iter().any(|other| other.holds(host))
                    && !earlier.iter().any(|other| other.waits_for(host))
            })
    }

    fn claim(&mut self, limit: usize) -> Vec<(JobId, i64)> {
        let mut claimed = Vec::new();
        for index in 0..self.jobs.len() {
            let free = self.jobs[index].expires.is_none_or(|expires| expires <= self.now);
            let ready = match self.jobs[index].state {
                JobState::Queued => self.startable(index),
                JobState::Running | JobState::Canceling => free,
                JobState::Done | JobState::Failed | JobState::Canceled => false,
            };
            if ready && claimed.len() < limit {
                let now = self.now;
                let job = &mut self.jobs[index];
                job.state = transition(job.state, Trigger::Claim { lease_expired: true }).unwrap();
                job.token += 1;
                job.expires = Some(now + MODEL_LEASE);
                job.events += 1;
                claimed.push((job.id, job.token));
            }
        }
        claimed
    }

    async fn step(&mut self, store: &Store, operation: Operation) {
        self.now += 1;
        match operation {
            Operation::Submit { hosts: names, conflict } => self.submit(store, &names, conflict).await,
            Operation::Claim { wait, limit } => {
                self.now += wait;
                let lease = Duration::from_millis(MODEL_LEASE.unsigned_abs());
                let claimed = store.claim(&worker("w"), at(self.now), lease, limit).await.unwrap();
                let claimed: Vec<_> =
                    claimed.iter().map(|claimed| (claimed.job.id, key(claimed).token.0)).collect();
                assert_eq!(claimed, self.claim(limit));
            }
            Operation::Record { job, stale, lines } => self.record(store, job, stale, lines).await,
            Operation::Finish { job, ending } => self.finish(store, job, ending).await,
            Operation::Renew { job } => self.renew(store, job).await,
            Operation::Cancel { job } => self.cancel(store, job).await,
            Operation::Delete { job } => self.delete(store, job).await,
            Operation::ReleaseLeases => {
                let leased = self.jobs.iter().filter(|job| job.expires.is_some()).count();
                let released = store.release_leases(None, at(self.now)).await.unwrap();
                assert_eq!(released, u64::try_from(leased).unwrap());
                self.jobs.iter_mut().for_each(|job| job.expires = None);
            }
        }
    }

    async fn submit(&mut self, store: &Store, names: &[&str], conflict: Option<OnConflict>) {
        let new = match conflict {
            None => ping(names),
            Some(OnConflict::Reject) => rejecting(names),
            Some(OnConflict::Queue) => queueing(names),
        };
        let busy: Vec<_> = new
            .hosts
            .iter()
            .filter(|_| conflict == Some(OnConflict::Reject))
            .filter(|host| self.jobs.iter().any(|job| job.holds(host)))
            .cloned()
            .collect();
        let model = ModelJob::new(&new);
        match store.submit(new).await.unwrap() {
            Submission::Created(_) => {
                assert_eq!(busy, Vec::new());
                self.jobs.push(model);
            }
            Submission::HostsBusy(hosts) => assert_eq!(hosts, busy),
            other @ (Submission::Existing(_) | Submission::KeyReused(_)) => panic!("{other:?}"),
        }
    }

    async fn record(&mut self, store: &Store, job: usize, stale: bool, lines: usize) {
        let Some(job) = self.jobs.get_mut(job) else { return };
        let token = if stale { job.token - 1 } else { job.token };
        let told = (0..lines).map(|line| log(&line.to_string())).collect();
        let answer = store.record(&job.key(token), writes(told)).await;
        if stale || job.expires.is_none() {
            assert!(matches!(answer, Err(StoreError::LeaseLost(id)) if id == job.id), "{answer:?}");
        } else {
            job.events += i64::try_from(lines).unwrap();
            assert_eq!(answer.unwrap().0, job.events);
        }
    }

    async fn finish(&mut self, store: &Store, job: usize, ending: Ending) {
        let Some(job) = self.jobs.get_mut(job) else { return };
        let answer = store.record(&job.key(job.token), finish(ending, self.now)).await;
        if job.expires.is_none() {
            assert!(matches!(answer, Err(StoreError::LeaseLost(id)) if id == job.id), "{answer:?}");
        } else {
            job.state = transition(job.state, Trigger::Finish(ending)).unwrap();
            job.expires = None;
            job.events += 1;
            assert_eq!(answer.unwrap().0, job.events);
        }
    }

    async fn renew(&mut self, store: &Store, job: usize) {
        let Some(job) = self.jobs.get_mut(job) else { return };
        let answer = store.renew(&job.key(job.token), at(self.now + 2 * MODEL_LEASE)).await;
        if job.expires.is_some() {
            job.expires = Some(self.now + 2 * MODEL_LEASE);
            assert_eq!(answer.unwrap().cancel_requested, job.state == JobState::Canceling);
        } else {
            assert!(matches!(answer, Err(StoreError::LeaseLost(id)) if id == job.id), "{answer:?}");
        }
    }

    async fn cancel(&mut self, store: &Store, job: usize) {
        let Some(job) = self.jobs.get_mut(job) else { return };
        let outcome = store.cancel(job.id, "bob", at(self.now)).await.unwrap();
        let expected = match job.state {
            JobState::Queued => {
                job.events += 2 + i64::try_from(job.hosts.len()).unwrap();
                CancelOutcome::Canceled
            }
            JobState::Running => {
                job.events += 1;
                CancelOutcome::Requested
            }
            JobState::Canceling => CancelOutcome::Requested,
            ended @ (JobState::Done | JobState::Failed | JobState::Canceled) => {
                CancelOutcome::AlreadyEnded(ended)
            }
        };
        assert_eq!(outcome, expected);
        job.state = transition(job.state, Trigger::Cancel).unwrap_or(job.state);
    }

    async fn delete(&mut self, store: &Store, job: usize) {
        let Some(found) = self.jobs.get(job) else { return };
        let outcome = store.delete(found.id).await.unwrap();
        if found.state.is_terminal() {
            assert_eq!(outcome, DeleteOutcome::Deleted);
            self.jobs.remove(job);
        } else {
            assert_eq!(outcome, DeleteOutcome::NotEnded(found.state));
        }
    }

    /// The whole store says what the model says.
    async fn assert_same(&self, store: &Store) {
        let stored = store.jobs(page(usize::MAX)).await.unwrap();
        assert_eq!(stored.len(), self.jobs.len());
        for (stored, model) in stored.iter().rev().zip(&self.jobs) {
            assert_eq!((stored.id, stored.state), (model.id, model.state));
            assert_eq!(stored.finished_at.is_some(), model.state.is_terminal());
            let lease = stored.lease.as_ref().map(|lease| (lease.token.0, lease.expires_at.0));
            assert_eq!(lease, model.expires.map(|expires| (model.token, expires)));
            let events = all_events(store, model.id).await;
            assert_gapless(&events);
            assert_eq!(i64::try_from(events.len()).unwrap(), model.events);
        }
    }
}

/// Runs random operations on stores from `factory`, each case on a new one.
pub(crate) fn compare<K>(factory: impl Fn() -> (Store, K)) {
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let operations = proptest::collection::vec(operation(), 1..80);
    let outcome = TestRunner::new(config).run(&operations, |operations| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (store, _kept) = factory();
        runtime.block_on(async {
            let mut model = Model::default();
            for operation in operations {
                model.step(&store, operation).await;
            }
            model.assert_same(&store).await;
        });
        Ok(())
    });
    outcome.unwrap();
}

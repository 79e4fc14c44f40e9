//! Jobs and events for tests.

use std::sync::Arc;
use std::time::Duration;

use exed_domain::job::event::{Event, EventKind, NewEvent};
use exed_domain::job::state::{Ending, TargetState};
use exed_domain::job::{Idempotency, Job, JobOptions, NewJob, OnConflict};
use exed_domain::ports::JobStore;
use exed_domain::ports::store::{Claimed, Finish, JobQuery, JobWrites, LeaseKey, Submission};
use exed_domain::{EventSeq, HostName, JobId, OperateState, TaskResult, Timestamp, WorkerId};
use serde_json::{Value, json};

pub(crate) type Store = Arc<dyn JobStore>;

/// A length of lease that no test outlives by accident: time is given, never read.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp(millis)
}

pub(crate) fn hosts(names: &[&str]) -> Vec<HostName> {
    names.iter().map(|name| HostName::from(*name)).collect()
}

/// A job without a mutex.
pub(crate) fn ping(names: &[&str]) -> NewJob {
    NewJob {
        id: JobId::new(),
        operation: "ping".to_owned(),
        args: json!({}),
        patterns: vec!["all".to_owned()],
        hosts: hosts(names),
        requester: "alice".to_owned(),
        options: JobOptions::default(),
        mutex: None,
        idempotency: None,
        submitted_at: at(1_000),
    }
}

/// A job that is refused where its hosts are held.
pub(crate) fn rejecting(names: &[&str]) -> NewJob {
    let mut job = ping(names);
    job.operation = "deploy".to_owned();
    job.mutex = Some("deploy".to_owned());
    job
}

/// A job that waits for its hosts.
pub(crate) fn queueing(names: &[&str]) -> NewJob {
    let mut job = rejecting(names);
    job.options.on_conflict = OnConflict::Queue;
    job
}

pub(crate) fn keyed(mut job: NewJob, key: &str, fingerprint: &str) -> NewJob {
    job.idempotency = Some(Idempotency { key: key.to_owned(), fingerprint: fingerprint.to_owned() });
    job
}

/// Submits a job that must be taken.
pub(crate) async fn submit(store: &Store, job: NewJob) -> Job {
    match store.submit(job).await.expect("the store works") {
        Submission::Created(job) => job,
        other @ (Submission::Existing(_) | Submission::KeyReused(_) | Submission::HostsBusy(_)) => {
            panic!("expected a new job, got {other:?}")
        }
    }
}

pub(crate) fn worker(name: &str) -> WorkerId {
    WorkerId(name.to_owned())
}

/// Claims at `now` for one worker.
pub(crate) async fn claim(store: &Store, now: i64, limit: usize) -> Vec<Claimed> {
    store.claim(&worker("w"), at(now), LEASE, limit).await.expect("the store works")
}

/// Claims the only job there is to claim.
pub(crate) async fn claim_one(store: &Store, now: i64) -> (Claimed, LeaseKey) {
    let mut claimed = claim(store, now, 1).await;
    let claimed = claimed.pop().expect("there is a job to claim");
    let key = key(&claimed);
    (claimed, key)
}

pub(crate) fn key(claimed: &Claimed) -> LeaseKey {
    let lease = claimed.job.lease.as_ref().expect("a claimed job has a lease");
    LeaseKey { job: claimed.job.id, token: lease.token }
}

pub(crate) fn ids(claimed: &[Claimed]) -> Vec<JobId> {
    claimed.iter().map(|claimed| claimed.job.id).collect()
}

pub(crate) fn event(host: Option<&str>, kind: EventKind) -> NewEvent {
    NewEvent { time: at(3_000), host: host.map(HostName::from), kind }
}

pub(crate) fn log(message: &str) -> NewEvent {
    event(None, EventKind::Log { level: "info".to_owned(), message: message.to_owned() })
}

pub(crate) fn task(host: &str, name: &str, data: Value) -> NewEvent {
    let name = name.to_owned();
    let result = TaskResult { name, state: OperateState::Changed, data, message: None };
    event(Some(host), EventKind::Task(result))
}

pub(crate) fn host_finished(host: &str, state: TargetState) -> NewEvent {
    event(Some(host), EventKind::HostFinished { state, message: None })
}

pub(crate) fn writes(events: Vec<NewEvent>) -> JobWrites {
    JobWrites { events, ..JobWrites::default() }
}

pub(crate) fn finish(ending: Ending, now: i64) -> JobWrites {
    let error = (ending != Ending::AllDone).then(|| "it did not work".to_owned());
    JobWrites { finish: Some(Finish { ending, error, at: at(now) }), ..JobWrites::default() }
}

/// Runs the oldest job to a good end.
pub(crate) async fn run_one(store: &Store, now: i64) -> JobId {
    let (claimed, key) = claim_one(store, now).await;
    store.record(&key, finish(Ending::AllDone, now)).await.expect("the lease holds");
    claimed.job.id
}

pub(crate) async fn job(store: &Store, id: JobId) -> Job {
    store.job(id).await.expect("the store works").expect("the job exists")
}

pub(crate) async fn all_events(store: &Store, id: JobId) -> Vec<Event> {
    store.events(id, EventSeq(0), usize::MAX).await.expect("the store works")
}

/// Panics where an event is missing.
pub(crate) fn assert_gapless(events: &[Event]) {
    for (expected, event) in (1_i64..).zip(events) {
        assert_eq!(event.seq, EventSeq(expected), "the events have a gap");
    }
}

pub(crate) fn page(limit: usize) -> JobQuery {
    JobQuery { limit, ..JobQuery::default() }
}

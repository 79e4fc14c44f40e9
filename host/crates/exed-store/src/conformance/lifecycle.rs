//! How jobs end and leave.

use exed_domain::JobId;
use exed_domain::job::event::EventKind;
use exed_domain::job::state::{Ending, JobState, TargetState};
use exed_domain::ports::store::{CancelOutcome, DeleteOutcome, Retention, Submission};
use serde_json::json;

use super::support::*;

pub(crate) async fn finish_ends_everything(store: Store) {
    let new = submit(&store, rejecting(&["a", "b"])).await;
    let (_, key) = claim_one(&store, 2_000).await;
    let mut end = finish(Ending::SomeFailed, 3_000);
    end.events = vec![host_finished("a", TargetState::Done), host_finished("b", TargetState::Failed)];
    store.record(&key, end).await.unwrap();
    let ended = job(&store, new.id).await;
    assert_eq!((ended.state, ended.lease), (JobState::Failed, None));
    assert_eq!((ended.error.as_deref(), ended.finished_at), (Some("it did not work"), Some(at(3_000))));
    let last = all_events(&store, new.id).await.pop().unwrap();
    let error = Some("it did not work".to_owned());
    assert_eq!(last.kind, EventKind::Finished { state: JobState::Failed, error });
    assert_eq!(last.time, at(3_000));
    submit(&store, rejecting(&["a", "b"])).await;
}

pub(crate) async fn endings_follow_the_state_machine(store: Store) {
    let endings = [
        (false, Ending::AllDone, JobState::Done),
        (false, Ending::SomeFailed, JobState::Failed),
        (false, Ending::SomeCanceled, JobState::Failed),
        (true, Ending::AllDone, JobState::Done),
        (true, Ending::SomeFailed, JobState::Failed),
        (true, Ending::SomeCanceled, JobState::Canceled),
    ];
    for (canceling, ending, expected) in endings {
        let new = submit(&store, ping(&["a"])).await;
        let (_, key) = claim_one(&store, 2_000).await;
        if canceling {
            store.cancel(new.id, "bob", at(2_001)).await.unwrap();
        }
        store.record(&key, finish(ending, 3_000)).await.unwrap();
        assert_eq!(job(&store, new.id).await.state, expected);
    }
}

pub(crate) async fn cancel_of_a_queued_job(store: Store) {
    let new = submit(&store, rejecting(&["a", "b"])).await;
    assert_eq!(store.cancel(new.id, "bob", at(2_000)).await.unwrap(), CancelOutcome::Canceled);
    let ended = job(&store, new.id).await;
    assert_eq!((ended.state, ended.finished_at), (JobState::Canceled, Some(at(2_000))));
    assert!(ended.error.is_some_and(|error| error.contains("bob")));
    let events = all_events(&store, new.id).await;
    assert_gapless(&events);
    assert_eq!(events.len(), 5);
    assert_eq!(events[1].kind, EventKind::CancelRequested { requester: "bob".to_owned() });
    for (event, host) in events[2..4].iter().zip(["a", "b"]) {
        assert_eq!(event.host, Some(host.into()));
        assert!(matches!(event.kind, EventKind::HostFinished { state: TargetState::Canceled, .. }));
    }
    assert!(matches!(events[4].kind, EventKind::Finished { state: JobState::Canceled, .. }));
    let targets = store.targets(new.id).await.unwrap();
    assert!(targets.iter().all(|target| target.state == TargetState::Canceled));
    assert!(claim(&store, 2_001, 9).await.is_empty());
    submit(&store, rejecting(&["a", "b"])).await;
}

pub(crate) async fn cancel_of_running_and_ended_jobs(store: Store) {
    let new = submit(&store, rejecting(&["a"])).await;
    let (_, key) = claim_one(&store, 2_000).await;
    assert_eq!(store.cancel(new.id, "bob", at(2_001)).await.unwrap(), CancelOutcome::Requested);
    assert_eq!(store.cancel(new.id, "eve", at(2_002)).await.unwrap(), CancelOutcome::Requested);
    let running = job(&store, new.id).await;
    assert_eq!((running.state, running.finished_at), (JobState::Canceling, None));
    assert_eq!(all_events(&store, new.id).await.len(), 3, "asking twice is told once");
    assert!(matches!(store.submit(rejecting(&["a"])).await.unwrap(), Submission::HostsBusy(_)));
    store.record(&key, finish(Ending::SomeCanceled, 2_003)).await.unwrap();
    let ended = CancelOutcome::AlreadyEnded(JobState::Canceled);
    assert_eq!(store.cancel(new.id, "bob", at(2_004)).await.unwrap(), ended);
    assert_eq!(store.cancel(JobId::new(), "bob", at(2_004)).await.unwrap(), CancelOutcome::NotFound);
    assert_eq!(all_events(&store, new.id).await.len(), 4);
}

pub(crate) async fn delete_only_what_has_ended(store: Store) {
    let new = submit(&store, rejecting(&["a"])).await;
    assert_eq!(store.delete(new.id).await.unwrap(), DeleteOutcome::NotEnded(JobState::Queued));
    let (_, key) = claim_one(&store, 2_000).await;
    assert_eq!(store.delete(new.id).await.unwrap(), DeleteOutcome::NotEnded(JobState::Running));
    store.cancel(new.id, "bob", at(2_001)).await.unwrap();
    assert_eq!(store.delete(new.id).await.unwrap(), DeleteOutcome::NotEnded(JobState::Canceling));
    let mut end = finish(Ending::AllDone, 2_002);
    end.events = vec![task("a", "one", json!(1))];
    store.record(&key, end).await.unwrap();
    assert_eq!(store.delete(new.id).await.unwrap(), DeleteOutcome::Deleted);
    assert_eq!(store.delete(new.id).await.unwrap(), DeleteOutcome::NotFound);
    assert_eq!(store.job(new.id).await.unwrap(), None);
    assert_eq!(store.by_alias(new.alias).await.unwrap(), None);
    assert!(all_events(&store, new.id).await.is_empty());
    assert!(store.targets(new.id).await.unwrap().is_empty());
}

pub(crate) async fn aliases_are_never_reused(store: Store) {
    let first = submit(&store, ping(&["a"])).await;
    run_one(&store, 2_000).await;
    store.delete(first.id).await.unwrap();
    assert!(submit(&store, ping(&["a"])).await.alias > first.alias);
}

async fn ended_at(store: &Store, now: i64) -> JobId {
    let new = submit(store, keyed(ping(&["a"]), &format!("key {now}"), "f")).await;
    let (_, key) = claim_one(store, now).await;
    let mut end = finish(Ending::AllDone, now);
    end.events = vec![event(Some("a"), EventKind::HostStarted), task("a", "one", json!(1))];
    store.record(&key, end).await.unwrap();
    new.id
}

pub(crate) async fn prune_removes_events_then_jobs(store: Store) {
    let ancient = ended_at(&store, 10_000).await;
    let old = ended_at(&store, 20_000).await;
    let recent = ended_at(&store, 30_000).await;
    let mut running = rejecting(&["z"]);
    running.submitted_at = at(1);
    let running = submit(&store, running).await;
    let retention = Retention { events_before: at(30_000), jobs_before: at(20_000), batch: 100 };
    assert_eq!(store.prune(retention).await.unwrap(), 2);
    assert_eq!(store.prune(retention).await.unwrap(), 0);
    assert_eq!(store.job(ancient).await.unwrap(), None);
    assert!(all_events(&store, old).await.is_empty());
    assert_eq!(store.targets(old).await.unwrap()[0].results.len(), 1, "results stay with the job");
    assert_eq!(all_events(&store, recent).await.len(), 5);
    assert_eq!(all_events(&store, running.id).await.len(), 1);
    // The key of a removed job is free again; that of a kept one is not.
    submit(&store, keyed(ping(&["b"]), "key 10000", "g")).await;
    let kept = store.submit(keyed(ping(&["b"]), "key 20000", "g")).await.unwrap();
    assert_eq!(kept, Submission::KeyReused(old));
}

pub(crate) async fn prune_goes_by_batches(store: Store) {
    for number in 0..7 {
        ended_at(&store, 10_000 + number).await;
    }
    let retention = Retention { events_before: at(20_000), jobs_before: at(10_003), batch: 2 };
    let mut touched = Vec::new();
    loop {
        match store.prune(retention).await.unwrap() {
            0 => break,
            jobs => touched.push(jobs),
        }
    }
    assert_eq!(touched, [2, 2, 2, 1], "3 jobs and the events of 4");
    let left = store.jobs(page(99)).await.unwrap();
    assert_eq!(left.len(), 4);
    for job in left {
        assert!(all_events(&store, job.id).await.is_empty());
    }
}

pub(crate) async fn reject_mutex_is_released(store: Store) {
    for ending in [Ending::AllDone, Ending::SomeFailed, Ending::SomeCanceled] {
        submit(&store, rejecting(&["a", "b"])).await;
        assert!(matches!(store.submit(rejecting(&["b"])).await.unwrap(), Submission::HostsBusy(_)));
        let (_, key) = claim_one(&store, 2_000).await;
        store.record(&key, finish(ending, 2_001)).await.unwrap();
    }
    let held = submit(&store, rejecting(&["a"])).await;
    store.cancel(held.id, "bob", at(2_002)).await.unwrap();
    submit(&store, rejecting(&["a", "b"])).await;
}

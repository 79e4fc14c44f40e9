//! Claims, and what they protect.

use exed_domain::job::event::EventKind;
use exed_domain::job::state::{Ending, JobState};
use exed_domain::ports::StoreError;
use exed_domain::ports::store::{CancelOutcome, JobWrites, LeaseKey};
use exed_domain::{FencingToken, JobId};

use super::support::*;

fn lost<T: std::fmt::Debug>(answer: Result<T, StoreError>, id: JobId) {
    match answer {
        Err(StoreError::LeaseLost(job)) => assert_eq!(job, id),
        other @ (Ok(_) | Err(StoreError::Failed { .. })) => panic!("expected a lost lease, got {other:?}"),
    }
}

pub(crate) async fn claim_makes_a_lease(store: Store) {
    let new = submit(&store, ping(&["a"])).await;
    let (claimed, _) = claim_one(&store, 2_000).await;
    let lease = claimed.job.lease.clone().unwrap();
    assert_eq!((lease.owner, lease.token), (worker("w"), FencingToken(1)));
    assert_eq!(lease.expires_at, at(2_000).after(LEASE));
    assert_eq!((claimed.job.state, claimed.job.started_at), (JobState::Running, Some(at(2_000))));
    assert_eq!(claimed.job, job(&store, new.id).await);
    assert_eq!(claimed.targets, store.targets(new.id).await.unwrap());
    let events = all_events(&store, new.id).await;
    assert_eq!(events[1].kind, EventKind::Claimed { attempt: 1 });
    assert_eq!(events[1].time, at(2_000));
}

pub(crate) async fn expired_lease_is_taken_over(store: Store) {
    let new = submit(&store, rejecting(&["a"])).await;
    claim_one(&store, 2_000).await;
    let expiry = at(2_000).after(LEASE).0;
    assert!(claim(&store, expiry - 1, 9).await.is_empty());
    let (again, key) = claim_one(&store, expiry).await;
    assert_eq!(key.token, FencingToken(2));
    assert_eq!((again.job.state, again.job.started_at), (JobState::Running, Some(at(2_000))));
    let kinds: Vec<_> = all_events(&store, new.id).await.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds[1..], [EventKind::Claimed { attempt: 1 }, EventKind::Claimed { attempt: 2 }]);
    // The hosts stay held all the time.
    let refused = store.submit(rejecting(&["a"])).await.unwrap();
    assert_eq!(refused, exed_domain::ports::store::Submission::HostsBusy(hosts(&["a"])));
}

pub(crate) async fn old_token_writes_nothing(store: Store) {
    let new = submit(&store, ping(&["a"])).await;
    let (_, old) = claim_one(&store, 2_000).await;
    // Expired, but nobody else has it yet: still ours.
    store.record(&old, writes(vec![log("late")])).await.unwrap();
    let (_, current) = claim_one(&store, 2_000_000).await;
    let before = (job(&store, new.id).await, all_events(&store, new.id).await);
    lost(store.record(&old, writes(vec![log("stale")])).await, new.id);
    lost(store.record(&old, finish(Ending::AllDone, 2_000_001)).await, new.id);
    lost(store.record(&old, JobWrites::default()).await, new.id);
    lost(store.renew(&old, at(9_000_000)).await, new.id);
    let future = LeaseKey { job: new.id, token: FencingToken(3) };
    lost(store.record(&future, writes(vec![log("forged")])).await, new.id);
    assert_eq!(before, (job(&store, new.id).await, all_events(&store, new.id).await));
    store.record(&current, finish(Ending::AllDone, 2_000_002)).await.unwrap();
    lost(store.record(&current, writes(vec![log("after the end")])).await, new.id);
    lost(store.renew(&current, at(9_000_000)).await, new.id);
}

pub(crate) async fn unknown_job_has_no_lease(store: Store) {
    let queued = submit(&store, ping(&["a"])).await;
    for id in [JobId::new(), queued.id] {
        for token in [0, 1] {
            let key = LeaseKey { job: id, token: FencingToken(token) };
            lost(store.record(&key, writes(vec![log("no")])).await, id);
            lost(store.renew(&key, at(9_000)).await, id);
        }
    }
}

pub(crate) async fn renewing_extends_and_tells_of_cancel(store: Store) {
    let new = submit(&store, ping(&["a"])).await;
    let (_, key) = claim_one(&store, 2_000).await;
    assert!(!store.renew(&key, at(500_000)).await.unwrap().cancel_requested);
    assert!(claim(&store, 499_999, 9).await.is_empty());
    assert_eq!(job(&store, new.id).await.lease.unwrap().expires_at, at(500_000));
    assert_eq!(store.cancel(new.id, "bob", at(3_000)).await.unwrap(), CancelOutcome::Requested);
    assert!(store.renew(&key, at(600_000)).await.unwrap().cancel_requested);
    store.record(&key, writes(vec![log("stopping")])).await.unwrap();
    store.record(&key, finish(Ending::SomeCanceled, 4_000)).await.unwrap();
    assert_eq!(job(&store, new.id).await.state, JobState::Canceled);
}

pub(crate) async fn canceling_job_stays_canceling(store: Store) {
    let new = submit(&store, ping(&["a"])).await;
    claim_one(&store, 2_000).await;
    store.cancel(new.id, "bob", at(3_000)).await.unwrap();
    let (again, key) = claim_one(&store, 2_000_000).await;
    assert_eq!((again.job.state, key.token), (JobState::Canceling, FencingToken(2)));
    assert!(store.renew(&key, at(3_000_000)).await.unwrap().cancel_requested);
}

pub(crate) async fn released_leases_are_claimable_and_fenced(store: Store) {
    let running = submit(&store, rejecting(&["a"])).await;
    let canceling = submit(&store, ping(&["a"])).await;
    submit(&store, ping(&["a"])).await;
    let claimed = claim(&store, 2_000, 2).await;
    store.cancel(canceling.id, "bob", at(2_001)).await.unwrap();
    assert_eq!(store.release_leases(None, at(2_002)).await.unwrap(), 2);
    assert_eq!(store.release_leases(None, at(2_002)).await.unwrap(), 0);
    assert_eq!(job(&store, running.id).await.lease, None);
    lost(store.record(&key(&claimed[0]), writes(vec![log("stale")])).await, running.id);
    lost(store.renew(&key(&claimed[1]), at(9_000)).await, canceling.id);
    let again = claim(&store, 2_003, 2).await;
    assert_eq!(ids(&again), [running.id, canceling.id]);
    assert_eq!(key(&again[0]).token, FencingToken(2));
    assert_eq!(again[1].job.state, JobState::Canceling);
}

pub(crate) async fn released_for_one_owner_only(store: Store) {
    submit(&store, ping(&["a"])).await;
    submit(&store, ping(&["a"])).await;
    let mine = store.claim(&worker("mine"), at(2_000), LEASE, 1).await.unwrap();
    let other = store.claim(&worker("other"), at(2_000), LEASE, 1).await.unwrap();
    assert_eq!(store.release_leases(Some(&worker("nobody")), at(2_001)).await.unwrap(), 0);
    assert_eq!(store.release_leases(Some(&worker("mine")), at(2_001)).await.unwrap(), 1);
    store.record(&key(&other[0]), writes(vec![log("still ours")])).await.unwrap();
    assert_eq!(ids(&claim(&store, 2_002, 9).await), ids(&mine));
}

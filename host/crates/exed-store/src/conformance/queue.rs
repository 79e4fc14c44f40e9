//! Which job is next, and what lists show.

use exed_domain::job::state::{Ending, JobState};
use exed_domain::ports::store::{CancelOutcome, JobCounts, JobQuery};

use super::support::*;

pub(crate) async fn oldest_first_up_to_the_limit(store: Store) {
    let mut submitted = Vec::new();
    for _ in 0..5 {
        submitted.push(submit(&store, ping(&["a"])).await.id);
    }
    assert_eq!(ids(&claim(&store, 2_000, 2).await), submitted[..2]);
    assert!(claim(&store, 2_000, 0).await.is_empty());
    // An abandoned job is older than a queued one, and comes first.
    let late = 2_000 + 60_000;
    assert_eq!(ids(&claim(&store, late, 3).await), submitted[..3]);
    assert_eq!(ids(&claim(&store, late, 9).await), submitted[3..]);
    assert!(claim(&store, late, 9).await.is_empty());
}

pub(crate) async fn waits_until_every_host_is_free(store: Store) {
    submit(&store, rejecting(&["a"])).await;
    submit(&store, rejecting(&["b"])).await;
    let waiting = submit(&store, queueing(&["a", "b", "c"])).await;
    let holders = claim(&store, 2_000, 9).await;
    assert_eq!(holders.len(), 2);
    for (index, holder) in holders.iter().enumerate() {
        assert!(claim(&store, 2_001, 9).await.is_empty(), "host {index} is still held");
        store.record(&key(holder), finish(Ending::AllDone, 2_002)).await.unwrap();
    }
    assert_eq!(ids(&claim(&store, 2_003, 9).await), [waiting.id]);
    // From its claim on it holds them all.
    let refused = store.submit(rejecting(&["c", "x"])).await.unwrap();
    assert_eq!(refused, exed_domain::ports::store::Submission::HostsBusy(hosts(&["c"])));
}

pub(crate) async fn no_overtaking_on_a_wanted_host(store: Store) {
    submit(&store, rejecting(&["a"])).await;
    let (_, holder) = claim_one(&store, 2_000).await;
    let first = submit(&store, queueing(&["a", "b"])).await;
    // `b` is free, but an earlier job wants it; `c` concerns nobody.
    let second = submit(&store, queueing(&["b"])).await;
    let third = submit(&store, queueing(&["c"])).await;
    assert_eq!(ids(&claim(&store, 2_001, 9).await), [third.id]);
    store.record(&holder, finish(Ending::SomeFailed, 2_002)).await.unwrap();
    let claimed = claim(&store, 2_003, 9).await;
    assert_eq!(ids(&claimed), [first.id]);
    store.record(&key(&claimed[0]), finish(Ending::AllDone, 2_004)).await.unwrap();
    assert_eq!(ids(&claim(&store, 2_005, 9).await), [second.id]);
}

pub(crate) async fn reject_job_takes_a_host_that_is_only_wanted(store: Store) {
    submit(&store, rejecting(&["a"])).await;
    let (_, holder) = claim_one(&store, 2_000).await;
    let waiting = submit(&store, queueing(&["a", "b"])).await;
    let taker = submit(&store, rejecting(&["b"])).await;
    assert_eq!(ids(&claim(&store, 2_001, 9).await), [taker.id]);
    store.record(&holder, finish(Ending::AllDone, 2_002)).await.unwrap();
    assert!(claim(&store, 2_003, 9).await.is_empty());
    let late = claim(&store, 2_000_000, 9).await;
    assert_eq!(ids(&late), [taker.id]);
    store.record(&key(&late[0]), finish(Ending::AllDone, 2_000_001)).await.unwrap();
    assert_eq!(ids(&claim(&store, 2_000_002, 9).await), [waiting.id]);
}

pub(crate) async fn canceling_a_waiter_frees_those_behind(store: Store) {
    submit(&store, rejecting(&["a"])).await;
    let (_, holder) = claim_one(&store, 2_000).await;
    let first = submit(&store, queueing(&["a", "b"])).await;
    let middle = submit(&store, queueing(&["b", "c"])).await;
    let last = submit(&store, queueing(&["b"])).await;
    assert_eq!(store.cancel(middle.id, "bob", at(2_001)).await.unwrap(), CancelOutcome::Canceled);
    assert!(claim(&store, 2_002, 9).await.is_empty());
    assert_eq!(store.cancel(first.id, "bob", at(2_003)).await.unwrap(), CancelOutcome::Canceled);
    assert_eq!(ids(&claim(&store, 2_004, 9).await), [last.id]);
    store.record(&holder, finish(Ending::AllDone, 2_005)).await.unwrap();
    assert!(claim(&store, 2_006, 9).await.is_empty());
}

pub(crate) async fn lists_newest_first(store: Store) {
    let mut submitted = Vec::new();
    for _ in 0..7 {
        submitted.insert(0, submit(&store, ping(&["a", "b"])).await);
    }
    assert_eq!(store.jobs(page(99)).await.unwrap(), submitted);
    assert!(store.jobs(page(0)).await.unwrap().is_empty());
    let mut seen = Vec::new();
    let mut query = page(3);
    loop {
        let jobs = store.jobs(query.clone()).await.unwrap();
        let Some(last) = jobs.last() else { break };
        query.before = Some(last.alias);
        seen.extend(jobs);
    }
    assert_eq!(seen, submitted);
}

pub(crate) async fn filters_and_pages(store: Store) {
    for number in 0..12 {
        let mut new = ping(&[]);
        new.operation = if number % 2 == 0 { "ping" } else { "facter" }.to_owned();
        submit(&store, new).await;
    }
    for _ in 0..4 {
        run_one(&store, 2_000).await;
    }
    claim(&store, 2_000, 2).await;
    let all = store.jobs(page(99)).await.unwrap();
    let combinations: [&[JobState]; 5] = [
        &[],
        &[JobState::Done],
        &[JobState::Queued, JobState::Running],
        &[JobState::Running, JobState::Done, JobState::Running],
        &[JobState::Failed],
    ];
    for states in combinations {
        for operation in [None, Some("ping"), Some("facter"), Some("none")] {
            for before in [None, Some(all[3].alias)] {
                let expected: Vec<_> = all
                    .iter()
                    .filter(|job| states.is_empty() || states.contains(&job.state))
                    .filter(|job| operation.is_none_or(|operation| operation == job.operation))
                    .filter(|job| before.is_none_or(|before| job.alias < before))
                    .take(3)
                    .cloned()
                    .collect();
                let operation = operation.map(str::to_owned);
                let query = JobQuery { before, states: states.to_vec(), operation, limit: 3 };
                assert_eq!(store.jobs(query.clone()).await.unwrap(), expected, "{query:?}");
            }
        }
    }
}

pub(crate) async fn counts_states(store: Store) {
    assert_eq!(store.counts().await.unwrap(), JobCounts::default());
    for _ in 0..5 {
        submit(&store, ping(&["a"])).await;
    }
    let running = claim(&store, 2_000, 2).await;
    store.cancel(running[0].job.id, "bob", at(2_001)).await.unwrap();
    assert_eq!(store.counts().await.unwrap(), JobCounts { queued: 3, running: 2 });
    store.record(&key(&running[0]), finish(Ending::SomeCanceled, 2_002)).await.unwrap();
    assert_eq!(store.counts().await.unwrap(), JobCounts { queued: 3, running: 1 });
}

pub(crate) async fn concurrent_claims_never_share_a_job(store: Store) {
    for _ in 0..40 {
        submit(&store, queueing(&["a"])).await;
        submit(&store, ping(&["a"])).await;
    }
    let workers: Vec<_> = (0..8)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let owner = worker(&format!("w{number}"));
                let mut taken = Vec::new();
                for _ in 0..10 {
                    taken.extend(ids(&store.claim(&owner, at(2_000), LEASE, 2).await.unwrap()));
                }
                taken
            })
        })
        .collect();
    let mut taken = Vec::new();
    for worker in workers {
        taken.extend(worker.await.unwrap());
    }
    let count = taken.len();
    taken.sort();
    taken.dedup();
    assert_eq!((taken.len(), count), (41, 41), "40 free jobs, and one that has the host");
}

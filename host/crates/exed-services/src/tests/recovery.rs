//! What happens to jobs when their worker goes away.

use exed_domain::EventSeq;
use exed_domain::job::event::EventKind;
use exed_domain::job::state::{JobState, TargetState};
use exed_domain::ports::JobStore;
use futures_util::TryStreamExt;

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_crashed_job_is_taken_up_and_ends_once() {
    let mut world = World::new(3).await;
    let id = world.submit("run", &["first", "block", "last"]).await;
    world.until_sent(6).await;
    world.crash_and_restart().await;
    world.hosts.open();
    let ended = world.ended(id).await;
    assert_eq!(ended.job.state, JobState::Done);
    for target in &ended.targets {
        assert_eq!(target.state, TargetState::Done);
        assert_eq!(target.results.len(), 3, "an earlier attempt's results are not counted again");
    }
    let events = world.store.events(id, EventSeq(0), 1000).await.unwrap();
    let attempts: Vec<_> = events
        .iter()
        .filter_map(
            |event| if let EventKind::Claimed { attempt } = event.kind { Some(attempt) } else { None },
        )
        .collect();
    assert_eq!(attempts, [1, 2]);
    let numbers: Vec<_> = events.iter().map(|event| event.seq.0).collect();
    assert_eq!(numbers, (1..=events.len() as i64).collect::<Vec<_>>());
    assert!(matches!(events.last().map(|event| &event.kind), Some(EventKind::Finished { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halt_leaves_remote_processes_alone() {
    let mut world = World::new(2).await;
    let id = world.submit("run", &["block"]).await;
    world.until_sent(2).await;
    world.halt_and_restart().await;
    assert!(world.hosts.terminated.lock().unwrap().is_empty());
    world.until_sent(4).await;
    world.hosts.open();
    assert_eq!(world.ended(id).await.job.state, JobState::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_had_ended_are_not_run_again() {
    let mut world = World::new(2).await;
    let id = world.submit("run", &["block@h02"]).await;
    let mut events = std::pin::pin!(world.services.jobs.follow(id, EventSeq(0)));
    while let Some(event) = events.try_next().await.unwrap() {
        if matches!(event.kind, EventKind::HostFinished { .. }) {
            break;
        }
    }
    world.until_sent(2).await;
    world.crash_and_restart().await;
    world.until_sent(3).await;
    world.hosts.open();
    assert_eq!(world.ended(id).await.job.state, JobState::Done);
    let mut sent = world.hosts.sent();
    sent.sort();
    assert_eq!(sent, ["h01: block@h02", "h02: block@h02", "h02: block@h02"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_canceled_before_a_crash_is_canceled_after_it() {
    let mut world = World::new(1).await;
    let id = world.submit("run", &["block"]).await;
    world.until_sent(1).await;
    let now = exed_domain::Timestamp(1);
    // Straight into the store, so that no worker of this life hears of it before the crash.
    world.store.cancel(id, "me", now).await.unwrap();
    world.crash_and_restart().await;
    let ended = world.ended(id).await;
    assert_eq!(ended.job.state, JobState::Canceled);
    assert_eq!(world.hosts.terminated.lock().unwrap().as_slice(), ["h01"]);
}

//! Follow streams lose nothing.

use exed_domain::job::event::{Event, EventKind};
use exed_domain::{Error, EventSeq, JobId, Result};
use futures_util::TryStreamExt;

use super::world::World;
use crate::Jobs;

async fn followed(jobs: Jobs, id: JobId, after: EventSeq) -> Result<Vec<Event>> {
    jobs.follow(id, after).try_collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_follower_sees_every_event() {
    let world = World::new(8).await;
    let lines: Vec<String> = (0..20).map(|number| format!("line{number}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let id = world.submit("run", &lines).await;
    let mut followers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        followers.spawn(followed(world.services.jobs.clone(), id, EventSeq(0)));
        tokio::task::yield_now().await;
    }
    world.ended(id).await;
    let whole = followed(world.services.jobs.clone(), id, EventSeq(0)).await.unwrap();
    // Submitted, claimed and finished, and per host started, finished, and output and task per line.
    assert_eq!(whole.len(), 3 + 8 * (2 + 20 * 2));
    assert!(matches!(whole.last().map(|event| &event.kind), Some(EventKind::Finished { .. })));
    while let Some(seen) = followers.join_next().await {
        assert_eq!(seen.unwrap().unwrap(), whole);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_resumes_where_it_was_left() {
    let world = World::new(2).await;
    let id = world.submit("run", &["a", "b"]).await;
    world.ended(id).await;
    let whole = followed(world.services.jobs.clone(), id, EventSeq(0)).await.unwrap();
    for after in 0..whole.len() {
        let rest = followed(world.services.jobs.clone(), id, EventSeq(after as i64)).await.unwrap();
        assert_eq!(rest, whole[after..]);
    }
    let end = followed(world.services.jobs.clone(), id, EventSeq(whole.len() as i64)).await.unwrap();
    assert!(end.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_job_is_an_error() {
    let world = World::new(1).await;
    let answer = followed(world.services.jobs.clone(), JobId::new(), EventSeq(0)).await;
    assert!(matches!(answer, Err(Error::NotFound { .. })), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_without_events_is_retold_from_its_results() {
    use exed_domain::Timestamp;
    use exed_domain::ports::JobStore;
    use exed_domain::ports::store::Retention;
    let world = World::new(2).await;
    let id = world.submit("run", &["a"]).await;
    world.ended(id).await;
    let all = Retention { events_before: Timestamp(i64::MAX), jobs_before: Timestamp(0), batch: 10 };
    while world.store.prune(all).await.unwrap() > 0 {}
    let told = followed(world.services.jobs.clone(), id, EventSeq(0)).await.unwrap();
    assert_eq!(told.len(), 2 * 2 + 1);
    assert!(matches!(told.last().map(|event| &event.kind), Some(EventKind::Finished { .. })));
}

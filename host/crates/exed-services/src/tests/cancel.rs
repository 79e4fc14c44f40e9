//! Stopping jobs.

use exed_domain::Error;
use exed_domain::job::state::{JobState, TargetState};
use exed_domain::ports::store::CancelOutcome;

use super::world::{World, settings};
use crate::Settings;

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_is_ended_on_its_hosts() {
    let world = World::new(3).await;
    let id = world.submit("run", &["block"]).await;
    world.until_sent(3).await;
    let outcome = world.services.jobs.cancel(id, "somebody").await.unwrap();
    assert_eq!(outcome, CancelOutcome::Requested);
    let ended = world.ended(id).await;
    assert_eq!(ended.job.state, JobState::Canceled);
    assert_eq!(ended.job.error.as_deref(), Some("canceled"));
    for target in &ended.targets {
        assert_eq!(target.state, TargetState::Canceled);
        assert_eq!(target.message.as_deref(), Some("canceled; ended 42 sleep"));
    }
    let mut terminated = world.hosts.terminated.lock().unwrap().clone();
    terminated.sort();
    assert_eq!(terminated, ["h01", "h02", "h03"]);
    let again = world.services.jobs.cancel(id, "somebody").await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_job_is_canceled_at_once() {
    let world = World::with(1, Settings { jobs_at_once: 1, ..settings() }).await;
    let first = world.submit("run", &["block"]).await;
    world.until_sent(1).await;
    let second = world.submit("run", &["x"]).await;
    assert_eq!(world.services.jobs.cancel(second, "me").await.unwrap(), CancelOutcome::Canceled);
    assert_eq!(world.ended(second).await.job.state, JobState::Canceled);
    world.hosts.open();
    world.ended(first).await;
    assert_eq!(world.hosts.sent(), ["h01: block"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_ended_jobs_are_deleted() {
    let world = World::new(1).await;
    let id = world.submit("run", &["block"]).await;
    world.until_sent(1).await;
    let refused = world.services.jobs.delete(id).await;
    assert!(matches!(&refused, Err(Error::Conflict(text)) if text == "cannot delete a running job"));
    world.hosts.open();
    world.ended(id).await;
    world.services.jobs.delete(id).await.unwrap();
    let gone = world.services.jobs.job(id).await;
    assert!(matches!(gone, Err(Error::NotFound { kind: "jid", .. })), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_finishes_what_runs_and_claims_nothing_more() {
    let mut world = World::new(1).await;
    let running = world.submit("run", &["block"]).await;
    world.until_sent(1).await;
    world.stop.drain.cancel();
    let later = world.submit("run", &["later"]).await;
    world.hosts.open();
    world.joined().await;
    assert_eq!(world.services.jobs.job(running).await.unwrap().state, JobState::Done);
    assert_eq!(world.services.jobs.job(later).await.unwrap().state, JobState::Queued);
}

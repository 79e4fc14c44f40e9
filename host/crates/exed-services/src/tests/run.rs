//! Submitting and running.

use std::sync::atomic::Ordering;
use std::time::Duration;

use exed_domain::job::state::{JobState, TargetState};
use exed_domain::job::{Idempotency, JobOptions};
use exed_domain::{Error, OperateState};

use super::world::{World, request, settings};
use crate::{NoMatch, Settings};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_on_every_host() {
    let world = World::new(5).await;
    let id = world.submit("run", &["one", "two"]).await;
    let ended = world.ended(id).await;
    assert_eq!(ended.job.state, JobState::Done);
    assert_eq!(ended.job.error, None);
    assert_eq!(ended.job.plugin.map(|used| used.name).as_deref(), Some("fake"));
    assert_eq!(ended.targets.len(), 5);
    for target in ended.targets {
        assert_eq!(target.state, TargetState::Done);
        let states: Vec<_> = target.results.iter().map(|result| result.state).collect();
        assert_eq!(states, [OperateState::Changed, OperateState::Changed]);
    }
    assert_eq!(world.hosts.sent().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_told_apart() {
    let world = World::new(1).await;
    for (line, state, operate) in [
        ("fail", TargetState::Failed, OperateState::Failed),
        ("unreachable", TargetState::Unreachable, OperateState::Unreachable),
        ("unknown", TargetState::Unknown, OperateState::Failed),
        ("trap", TargetState::Failed, OperateState::Failed),
        ("forbidden", TargetState::Failed, OperateState::Failed),
    ] {
        let ended = world.ended(world.submit("run", &[line]).await).await;
        assert_eq!(ended.job.state, JobState::Failed, "{line}");
        assert_eq!(ended.targets[0].state, state, "{line}");
        assert_eq!(ended.targets[0].results.last().map(|result| result.state), Some(operate), "{line}");
        let error = ended.job.error.unwrap_or_default();
        assert!(error.starts_with("1 of 1 hosts failed: h01 ("), "{line}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_step_is_not_sent() {
    let world = World::new(1).await;
    let ended = world.ended(world.submit("run", &["forbidden"]).await).await;
    let message = ended.targets[0].results[0].message.clone().unwrap_or_default();
    assert_eq!(message, "denied by policy words: the word is forbidden");
    assert!(world.hosts.sent().is_empty());
    // The same command under an operation without a policy runs.
    let ended = world.ended(world.submit("deploy", &["forbidden"]).await).await;
    assert_eq!(ended.job.state, JobState::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_matched() {
    let world = World::new(1).await;
    let mut nobody = request("run", &["x"]);
    nobody.patterns = vec!["nobody".to_owned()];
    let refused = world.services.jobs.submit(nobody.clone()).await;
    assert!(matches!(refused, Err(Error::NoHosts)), "{refused:?}");
    nobody.no_match = NoMatch::Accept;
    let accepted = world.services.jobs.submit(nobody).await.unwrap();
    let ended = world.ended(accepted.job.id).await;
    assert_eq!(ended.job.state, JobState::Failed);
    assert_eq!(ended.job.error.as_deref(), Some("no hosts match that target"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_changes_nothing() {
    let world = World::new(1).await;
    let mut bad = request("run", &["x"]);
    bad.args = serde_json::json!({ "lines": "one" });
    let refused = world.services.jobs.submit(bad).await;
    assert!(matches!(&refused, Err(Error::Invalid(field)) if field.field == "lines"), "{refused:?}");
    let unknown = world.services.jobs.submit(request("fly", &["x"])).await;
    assert!(matches!(unknown, Err(Error::Unsupported(_))), "{unknown:?}");
    let page = exed_domain::ports::store::JobQuery { limit: 10, ..Default::default() };
    assert!(world.services.jobs.list(page).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_fails_fails_every_host() {
    let world = World::new(3).await;
    let mut request = request("run", &["x"]);
    request.args = serde_json::json!({ "lines": [], "no_plan": true });
    let id = world.services.jobs.submit(request).await.unwrap().job.id;
    let ended = world.ended(id).await;
    assert_eq!(ended.job.state, JobState::Failed);
    for target in ended.targets {
        assert_eq!(target.message.as_deref(), Some("role: there is no such role"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_at_once_is_kept() {
    let world = World::new(20).await;
    let mut few = request("run", &["block"]);
    few.options.hosts_at_once = Some(3);
    let id = world.services.jobs.submit(few).await.unwrap().job.id;
    world.until_sent(3).await;
    world.hosts.open();
    assert_eq!(world.ended(id).await.job.state, JobState::Done);
    assert_eq!(world.hosts.most_busy.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_is_refused_and_room_comes_back() {
    let world = World::with(4, Settings { targets_at_most: 7, ..settings() }).await;
    let first = world.submit("run", &["block"]).await;
    let refused = world.services.jobs.submit(request("run", &["x"])).await;
    assert!(matches!(refused, Err(Error::Busy { .. })), "{refused:?}");
    world.hosts.open();
    world.ended(first).await;
    let again = async {
        while world.services.jobs.submit(request("run", &["x"])).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.expect("there is room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_makes_one_job() {
    let world = World::new(1).await;
    let mut keyed = request("run", &["x"]);
    keyed.idempotency = Some(Idempotency { key: "k".into(), fingerprint: "a".into() });
    let first = world.services.jobs.submit(keyed.clone()).await.unwrap();
    let second = world.services.jobs.submit(keyed.clone()).await.unwrap();
    assert_eq!((first.job.id, false), (second.job.id, first.existing));
    assert!(second.existing);
    keyed.idempotency = Some(Idempotency { key: "k".into(), fingerprint: "b".into() });
    let other = world.services.jobs.submit(keyed).await;
    assert!(matches!(other, Err(Error::Conflict(_))), "{other:?}");
    world.ended(first.job.id).await;
    assert_eq!(world.hosts.sent().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_gives_up_leaves_the_job_alone() {
    let world = World::new(1).await;
    let id = world.submit("run", &["block"]).await;
    let gone = world.services.jobs.wait(id, Duration::from_millis(1)).await.unwrap();
    assert_eq!(gone, None);
    world.hosts.open();
    assert_eq!(world.ended(id).await.job.state, JobState::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_left_the_inventory_fails() {
    let world = World::with(2, Settings { jobs_at_once: 1, ..settings() }).await;
    let first = world.submit("run", &["block"]).await;
    world.until_sent(2).await;
    let second = world.submit("run", &["x"]).await;
    world.lose_host("h02");
    world.hosts.open();
    world.ended(first).await;
    let ended = world.ended(second).await;
    assert_eq!(ended.targets[0].state, TargetState::Done);
    assert_eq!(ended.targets[1].message.as_deref(), Some("the host is no longer in the inventory"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_ends_the_job() {
    let world = World::new(2).await;
    let mut short = request("run", &["block"]);
    short.options = JobOptions { timeout: Some(Duration::from_millis(50)), ..JobOptions::default() };
    let id = world.services.jobs.submit(short).await.unwrap().job.id;
    let ended = world.ended(id).await;
    assert_eq!(ended.job.state, JobState::Failed);
    assert!(ended.job.error.unwrap_or_default().starts_with("timed out after "));
}

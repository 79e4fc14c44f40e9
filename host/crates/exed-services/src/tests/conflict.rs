//! The per-host mutex.

use exed_domain::Error;
use exed_domain::job::OnConflict;
use exed_domain::job::state::JobState;

use super::world::{World, request};

#[tokio::test(flavor = "multi_thread")]
async fn an_exclusive_job_refuses_another_on_any_of_its_hosts() {
    let world = World::new(3).await;
    let mut one = request("deploy", &["block"]);
    one.patterns = vec!["h02".to_owned()];
    let first = world.services.jobs.submit(one).await.unwrap().job.id;
    let refused = world.services.jobs.submit(request("deploy", &["x"])).await;
    assert!(matches!(&refused, Err(Error::HostsBusy { hosts }) if hosts == &["h02"]), "{refused:?}");
    let mut other = request("deploy", &["x"]);
    other.patterns = vec!["h01".to_owned(), "h03".to_owned()];
    let other = world.services.jobs.submit(other).await.unwrap().job.id;
    world.ended(other).await;
    world.hosts.open();
    world.ended(first).await;
    let again = world.submit("deploy", &["x"]).await;
    assert_eq!(world.ended(again).await.job.state, JobState::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_queues_runs_when_its_hosts_are_free() {
    let world = World::new(2).await;
    let first = world.submit("deploy", &["block"]).await;
    let mut patient = request("deploy", &["second"]);
    patient.options.on_conflict = OnConflict::Queue;
    let second = world.services.jobs.submit(patient).await.unwrap().job.id;
    world.until_sent(2).await;
    assert_eq!(world.services.jobs.job(second).await.unwrap().state, JobState::Queued);
    world.hosts.open();
    world.ended(first).await;
    assert_eq!(world.ended(second).await.job.state, JobState::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_leaves_no_mutex_behind() {
    let mut world = World::new(2).await;
    let first = world.submit("deploy", &["block"]).await;
    world.until_sent(2).await;
    world.crash_and_restart().await;
    let refused = world.services.jobs.submit(request("deploy", &["x"])).await;
    assert!(matches!(refused, Err(Error::HostsBusy { .. })), "the job is still there: {refused:?}");
    world.hosts.open();
    assert_eq!(world.ended(first).await.job.state, JobState::Done);
    let again = world.submit("deploy", &["x"]).await;
    assert_eq!(world.ended(again).await.job.state, JobState::Done);
}

//! Timeouts, and the end of runs.

use std::sync::Arc;
use std::time::Duration;

use exed_domain::ports::StepTransport as _;
use exed_domain::step::{ExitStatus, Step, StepError};

use super::fixture::{Fixture, Recorder, eventually, once, runs, script, shell};

/// A tree of which one part ignores SIGTERM, one has left the session, one was orphaned by a double fork,
/// and one has lost its environment.
fn tree(seconds: &str) -> String {
    format!(
        "sleep {seconds}1 & setsid sleep {seconds}2 & (setsid sh -c 'sleep {seconds}3 & exit 0' &) ; \
         sh -c 'trap \"\" TERM; sleep {seconds}4; sleep {seconds}4' & env -i sleep {seconds}5 & wait"
    )
}

async fn gone(seconds: &str) {
    for part in 1..=5 {
        let words = format!("sleep {seconds}{part}");
        eventually(&format!("{words} has ended"), || !runs(&words)).await;
    }
}

pub(super) async fn a_timeout_ends_the_tree(fixture: &Fixture) {
    let key = fixture.key();
    let steps = [
        script("light", &tree("4721."), &[]),
        shell("repeatable", &tree("4722.")),
        once(shell("once", &tree("4723."))),
    ];
    for (step, seconds) in steps.into_iter().zip(["4721.", "4722.", "4723."]) {
        let step = Step { timeout: Some(Duration::from_millis(1500)), ..step };
        let result = fixture.run(&key, step).await;
        let Err(StepError::TimedOut { seconds: limit, ended }) = result else {
            panic!("it must time out: {result:?}");
        };
        assert_eq!(limit, 2);
        assert!(ended.contains(" sleep"), "{ended}");
        gone(seconds).await;
    }
    // The wrapper goes on with the rest of the batch.
    let slow = Step { timeout: Some(Duration::from_millis(500)), ..shell("slow", "sleep 4724.1") };
    let results = fixture.batch(&key, &[slow, shell("next", "echo next")], true).await;
    assert!(matches!(results[0], Err(StepError::TimedOut { .. })), "{results:?}");
    assert_eq!(results[1].as_ref().map(|output| output.status.clone()), Ok(ExitStatus::Code(0)));
}

pub(super) async fn a_run_is_ended_without_its_channel(fixture: &Fixture) {
    let key = fixture.key();
    for (step, seconds) in [
        (shell("r", &tree("4731.")), "4731."),
        (once(shell("o", &tree("4732."))), "4732."),
        (script("l", &tree("4733."), &[]), "4733."),
    ] {
        let (transport, host, run_key) = (Arc::clone(&fixture.transport), fixture.host.clone(), key.clone());
        let run = tokio::spawn(async move {
            transport.run(&host, &run_key, &[step], false, Arc::new(Recorder::default())).await
        });
        let last = format!("sleep {seconds}5");
        eventually("the tree is up", || runs(&last)).await;
        run.abort();
        let _ = run.await;
        let report = fixture.transport.terminate(&fixture.host, &key).await.expect("it is ended");
        assert!(report.ended.iter().filter(|line| line.ends_with(" sleep")).count() >= 5, "{report:?}");
        assert_eq!(report.remaining, Vec::<String>::new());
        gone(seconds).await;
    }
    let nothing = fixture.transport.terminate(&fixture.host, &key).await.expect("there is nothing");
    assert_eq!(nothing.ended, Vec::<String>::new());
}

pub(super) async fn daemons_of_ended_steps_stay(fixture: &Fixture) {
    let key = fixture.key();
    let daemon = "sleep 4741.5";
    fixture.run(&key, shell("r", &format!("{daemon} >/dev/null 2>&1 &"))).await.expect("it runs");
    eventually("the daemon is up", || runs(daemon)).await;
    let report = fixture.transport.terminate(&fixture.host, &key).await.expect("nothing to end");
    assert_eq!(report.ended, Vec::<String>::new());
    assert!(runs(daemon));
    fixture.run(&key, shell("kill", "pkill -f '^sleep 4741[.]5$'")).await.expect("it runs");
}

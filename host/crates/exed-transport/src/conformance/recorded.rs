//! Steps that must not run twice.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use exed_domain::ids::FencingToken;
use exed_domain::ports::{RunKey, StepTransport as _};
use exed_domain::step::{ExitStatus, Step, StepError};

use super::fixture::{Fixture, Recorder, eventually, once, runs, shell};
use crate::steps::{run_mark, step_id};

fn newer(key: &RunKey) -> RunKey {
    RunKey { token: FencingToken(key.token.0 + 1), ..key.clone() }
}

fn record(key: &RunKey, path: &str) -> PathBuf {
    PathBuf::from("/var/lib/exed").join(run_mark(key)).join(step_id(key, path).0)
}

/// Starts a step and drops everything that waits for it once it runs.
async fn abandon(fixture: &Fixture, key: &RunKey, step: &Step) {
    let started = record(key, &step.path).join("pid");
    let (transport, host) = (Arc::clone(&fixture.transport), fixture.host.clone());
    let (key, step) = (key.clone(), step.clone());
    let run = tokio::spawn(async move {
        transport.run(&host, &key, &[step], false, Arc::new(Recorder::default())).await
    });
    eventually("the step is recorded", || started.exists()).await;
    run.abort();
    let _ = run.await;
}

pub(super) async fn a_result_is_returned_again(fixture: &Fixture) {
    let key = fixture.key();
    let count = fixture.path("count");
    let step = once(shell("s", &format!("echo x >>{count}; echo out; echo err >&2; exit 5")));
    let first = fixture.run(&key, step.clone()).await.expect("it runs");
    let again = fixture.run(&newer(&key), step).await.expect("it is recorded");
    assert_eq!((first.resumed, again.resumed), (false, true));
    assert_eq!(again.status, ExitStatus::Code(5));
    assert_eq!((&again.stdout, &again.stderr), (&first.stdout, &first.stderr));
    assert_eq!(std::fs::read_to_string(&count).expect("a file"), "x\n", "it ran once");
}

pub(super) async fn a_running_step_is_taken_up(fixture: &Fixture) {
    let key = fixture.key();
    let go = fixture.path("go");
    let count = fixture.path("count");
    let text = format!("echo x >>{count}; echo begun; until [ -e {go} ]; do sleep 0.05; done; echo done");
    let step = once(shell("s", &text));
    abandon(fixture, &key, &step).await;
    let key = newer(&key);
    let (taken, ()) = tokio::join!(fixture.run(&key, step), async {
        let seen = record(&key, "s").parent().map(|run| run.join("t.2")).expect("a folder");
        eventually("the second attempt is seen", || seen.exists()).await;
        std::fs::write(&go, "").expect("a file");
    });
    let taken = taken.expect("it is taken up");
    assert_eq!((&taken.stdout[..], taken.resumed), (&b"begun\ndone\n"[..], true));
    assert_eq!(std::fs::read_to_string(&count).expect("a file"), "x\n", "it ran once");
}

pub(super) async fn a_lost_step_is_unknown(fixture: &Fixture) {
    let key = fixture.key();
    let step = once(shell("s", "exec sleep 4711.5"));
    abandon(fixture, &key, &step).await;
    let report = fixture.transport.terminate(&fixture.host, &key).await.expect("it is ended");
    assert!(report.ended.iter().any(|line| line.ends_with(" sleep")), "{report:?}");
    assert_eq!(report.remaining, Vec::<String>::new());
    let result = fixture.run(&newer(&key), step).await;
    assert!(matches!(result, Err(StepError::Unknown(_))), "{result:?}");
}

pub(super) async fn an_older_token_is_fenced(fixture: &Fixture) {
    let old = fixture.key();
    let new = newer(&old);
    let file = fixture.path("never");
    fixture.run(&new, shell("a", "true")).await.expect("it runs");
    for step in [shell("b", &format!("touch {file}")), once(shell("c", &format!("touch {file}")))] {
        let result = fixture.run(&old, step).await;
        assert_eq!(result, Err(StepError::Fenced));
    }
    assert!(!std::path::Path::new(&file).exists());
}

pub(super) async fn a_step_outlives_its_channel(fixture: &Fixture) {
    let key = fixture.key();
    let (go, done) = (fixture.path("go"), fixture.path("done"));
    let text = format!(
        "until [ -e {go} ]; do sleep 0.05; echo a line to nobody; done; head -c 3000000 /dev/zero; touch {done}"
    );
    let step = Step { live: true, ..once(shell("s", &text)) };
    abandon(fixture, &key, &step).await;
    std::fs::write(&go, "").expect("a file");
    eventually("the step goes on to its end", || std::path::Path::new(&done).exists()).await;
    let output = fixture.run(&newer(&key), step).await.expect("it is recorded");
    assert_eq!((output.status, output.stdout.len()), (ExitStatus::Code(0), 1 << 20));
    assert!(output.dropped > 1_000_000);
}

pub(super) async fn a_daemon_does_not_hold_a_step(fixture: &Fixture) {
    let key = fixture.key();
    let daemon = "sleep 4712.25";
    for step in [shell("r", &format!("{daemon} & echo up")), once(shell("o", &format!("{daemon} & echo up")))]
    {
        let step = Step { timeout: Some(Duration::from_secs(60)), ..step };
        let follows = once(shell(&format!("{}after", step.path), "echo next"));
        let results = fixture.batch(&key, &[step, follows], false).await;
        let outputs: Vec<_> = results.into_iter().map(|result| result.expect("it runs")).collect();
        assert_eq!((&outputs[0].stdout[..], &outputs[1].stdout[..]), (&b"up\n"[..], &b"next\n"[..]));
        assert!(!outputs[0].resumed && !outputs[1].resumed);
    }
    assert!(runs(daemon), "the daemon stays");
    let kill = shell("kill", "pkill -f '^sleep 4712[.]25$'");
    assert_eq!(fixture.run(&key, kill).await.expect("it runs").status, ExitStatus::Code(0));
}

//! Actions, output, status, batches.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use exed_domain::ports::StepTransport as _;
use exed_domain::step::{Action, ExitStatus, OutputStream, Probe, ProbeAnswer, PutFile, Step, StepError};

use super::fixture::{Fixture, Recorder, argv, eventually, once, script, shell, step};

pub(super) async fn every_action_works(fixture: &Fixture) {
    let key = fixture.key();
    let put =
        PutFile { path: fixture.path("put"), mode: 0o640, content: Bytes::from_static(b"a\0b\xff'%\\") };
    let probe = Probe::Read { path: fixture.path("put"), limit: 100 };
    let steps = [
        argv("argv", &["printf", "%s|", "it's", "a b", "", "\\n", "*"]),
        shell("shell", "echo $((6 * 7)); echo oops >&2"),
        script("script", "printf '%s,' \"$0\" \"$@\"", &["x y", "'"]),
        step("put", Action::PutFile(put)),
        step("probe", Action::Probe(probe)),
        argv("ping", &["true"]),
    ];
    for (round, recorded) in [(0, false), (1, true)] {
        let steps: Vec<Step> = steps
            .iter()
            .map(|step| {
                let step = Step { path: format!("{}{round}", step.path), ..step.clone() };
                if recorded { once(step) } else { step }
            })
            .collect();
        let mut outputs: Vec<_> = fixture
            .batch(&key, &steps, false)
            .await
            .into_iter()
            .map(|result| result.expect("it runs"))
            .collect();
        for step in &steps {
            let step = Step { path: format!("{}alone", step.path), ..step.clone() };
            outputs.push(fixture.run(&key, step).await.expect("it runs alone"));
        }
        for outputs in outputs.chunks(steps.len()) {
            assert!(outputs.iter().all(|output| output.status == ExitStatus::Code(0)), "{outputs:?}");
            assert_eq!(outputs[0].stdout, "it's|a b||\\n|*|");
            assert_eq!((&outputs[1].stdout[..], &outputs[1].stderr[..]), (&b"42\n"[..], &b"oops\n"[..]));
            assert_eq!(outputs[2].stdout, "test,x y,',");
            let content = Bytes::from_static(b"a\0b\xff'%\\");
            assert_eq!(outputs[4].answer, Some(ProbeAnswer::Content(content)));
            assert_eq!(outputs[5].stdout, "");
        }
    }
}

pub(super) async fn light_and_framed_output_is_exact(fixture: &Fixture) {
    let every = "i=0; while [ $i -lt 256 ]; do printf \"\\\\$(printf %03o $i)\"; i=$((i+1)); done";
    let both = format!("{{ {every}; {every} >&2; }}");
    let expected: Vec<u8> = (0..=255).collect();
    let key = fixture.key();
    let steps = [script("a", &both, &[]), shell("b", &both), once(shell("c", &both))];
    for step in &steps {
        let output = fixture.run(&key, step.clone()).await.expect("it runs");
        assert_eq!((&output.stdout[..], &output.stderr[..]), (&expected[..], &expected[..]), "{step:?}");
    }
    let steps = steps.map(|step| Step { path: format!("{}2", step.path), ..step });
    for result in fixture.batch(&key, &steps, false).await {
        let output = result.expect("it runs");
        assert_eq!((&output.stdout[..], &output.stderr[..]), (&expected[..], &expected[..]));
    }
}

pub(super) async fn codes_and_signals_are_told_apart(fixture: &Fixture) {
    let key = fixture.key();
    let cases = [
        ("exit 3", ExitStatus::Code(3)),
        ("exit 137", ExitStatus::Code(137)),
        ("kill -KILL $$", ExitStatus::Signal("KILL".to_owned())),
        ("kill -TERM $$", ExitStatus::Signal("TERM".to_owned())),
        ("kill -SEGV $$", ExitStatus::Signal("SEGV".to_owned())),
    ];
    for (text, expected) in cases {
        for (kind, step) in [
            ("light", script(&format!("l{text}"), text, &[])),
            ("repeatable", shell(&format!("r{text}"), text)),
            ("once", once(shell(&format!("o{text}"), text))),
        ] {
            let output = fixture.run(&key, step).await.expect("it runs");
            assert_eq!(output.status, expected, "{kind}: {text}");
            assert_eq!(output.stderr, "", "{kind}: {text}");
        }
    }
}

pub(super) async fn huge_output_is_capped_and_counted(fixture: &Fixture) {
    let key = fixture.key();
    let text = "head -c 20000000 /dev/zero; head -c 3000000 /dev/zero >&2";
    for step in [script("l", text, &[]), shell("r", text), once(shell("o", text))] {
        let step = Step { output_limit: 100_001, ..step };
        let output = fixture.run(&key, step).await.expect("it runs");
        assert_eq!((output.stdout.len(), output.stderr.len()), (100_001, 100_001));
        assert_eq!(output.dropped, 23_000_000 - 200_002);
    }
    let small = "i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done";
    let step = Step { output_limit: 5000, ..once(shell("small", small)) };
    let output = fixture.run(&key, step).await.expect("it runs");
    let all: String = (0..3000).map(|number| format!("{number}\n")).collect();
    assert_eq!(output.stdout, all.as_bytes()[..5000]);
    assert_eq!(output.dropped, all.len() as u64 - 5000);
}

pub(super) async fn environment_input_and_folder_arrive(fixture: &Fixture) {
    let key = fixture.key();
    let input: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let text = "printf '%s\\n' \"$SECRET\" \"$PWD\"; sha256sum";
    let digest = {
        use sha2::{Digest as _, Sha256};
        hex::encode(Sha256::digest(&input))
    };
    for step in [script("l", text, &[]), shell("r", text), once(shell("o", text))] {
        let step = Step {
            env: vec![("SECRET".to_owned(), "two\nlines'\\$(x)".to_owned())],
            cwd: Some(fixture.path("")),
            stdin: input.clone().into(),
            ..step
        };
        let output = fixture.run(&key, step).await.expect("it runs");
        let folder = fixture.path("");
        let expected = format!("two\nlines'\\$(x)\n{}\n{digest}  -\n", folder.trim_end_matches('/'));
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    }
    let missing = Step { cwd: Some("/does/not/exist".to_owned()), ..shell("m", "true") };
    let error = fixture.run(&key, missing).await.expect_err("no such folder");
    assert!(error.to_string().contains("/does/not/exist"), "{error}");
}

pub(super) async fn batches_stop_or_keep_going(fixture: &Fixture) {
    let key = fixture.key();
    let steps = [shell("1", "echo one"), shell("2", "exit 7"), once(shell("3", "echo three"))];
    let stopped = fixture.batch(&key, &steps, false).await;
    assert_eq!(stopped[1].as_ref().map(|output| output.status.clone()), Ok(ExitStatus::Code(7)));
    let error = stopped[2].as_ref().expect_err("it is not run");
    assert!(error.to_string().starts_with("not run"), "{error}");
    let all = fixture.batch(&key, &steps, true).await;
    assert_eq!(all[2].as_ref().map(|output| output.stdout.clone()), Ok("three\n".into()));
}

pub(super) async fn bad_steps_are_refused(fixture: &Fixture) {
    let key = fixture.key();
    let read = |path: &str| Action::Probe(Probe::Checksum { path: path.to_owned() });
    let bad_env = Step { env: vec![("A B".to_owned(), String::new())], ..shell("e", "true") };
    for step in [
        argv("nul", &["echo", "a\0b"]),
        argv("empty", &[]),
        argv("long", &["echo", &"x".repeat(200_000)]),
        step("relative", read("etc/passwd")),
        bad_env,
    ] {
        let result = fixture.run(&key, step).await;
        assert!(matches!(result, Err(StepError::Invalid(_))), "{result:?}");
    }
}

pub(super) async fn live_output_is_prompt(fixture: &Fixture) {
    for (name, recorded) in [("r", false), ("o", true)] {
        let key = fixture.key();
        let go = fixture.path(&format!("go-{name}"));
        let text = format!("echo one; echo two >&2; until [ -e {go} ]; do sleep 0.05; done; echo three");
        let plain = Step { live: true, ..shell(name, &text) };
        let step = if recorded { once(plain) } else { plain };
        let sink = Arc::new(Recorder::default());
        let (transport, host, seen) =
            (Arc::clone(&fixture.transport), fixture.host.clone(), Arc::clone(&sink));
        let run = tokio::spawn(async move { transport.run(&host, &key, &[step], false, seen).await });
        eventually("live output", || {
            sink.text(0, OutputStream::Stdout) == "one\n" && sink.text(0, OutputStream::Stderr) == "two\n"
        })
        .await;
        std::fs::write(&go, "").expect("a file");
        let output = run.await.expect("no panic").remove(0).expect("it runs");
        assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"one\nthree\n"[..], &b"two\n"[..]));
        assert_eq!(sink.text(0, OutputStream::Stdout), "one\nthree\n");
        assert_eq!(sink.text(0, OutputStream::Stderr), "two\n");
    }
}

pub(super) async fn two_hundred_steps_at_once(fixture: &Fixture) {
    let key = fixture.key();
    let runs = (0..200).map(|number| {
        let plain = shell(&format!("n{number}"), &format!("echo {number}"));
        let step = if number % 4 == 0 { once(plain) } else { plain };
        let step = Step { timeout: Some(Duration::from_secs(300)), ..step };
        fixture.run(&key, step)
    });
    for (number, result) in futures_util::future::join_all(runs).await.into_iter().enumerate() {
        assert_eq!(result.expect("it runs").stdout, format!("{number}\n"));
    }
}

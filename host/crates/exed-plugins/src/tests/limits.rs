//! Every limit ends that run only, and the error names the plugin, its version and the limit.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use exed_domain::ports::{Executors, PluginError, RunHost};

use super::fixture::{BATCH, FOR_EVER, Fixture};
use super::support::{Server, eventually, options, request, start, start_with};

async fn breach(fixture: &Fixture) -> (String, &'static str, String) {
    let started = start(&[fixture.build()], &[fixture.name]).await;
    assert_eq!(started.refusals(), []);
    match started.run(&Arc::new(Server::default())).await {
        Err(PluginError::Limit { plugin, limit, detail }) => (plugin, limit, detail),
        other => panic!("a breached limit, not {other:?}"),
    }
}

fn limited(name: &'static str, body: &str, limits: &str) -> Fixture {
    Fixture { more: format!("[limits]\n{limits}"), ..Fixture::running(name, body) }
}

#[tokio::test(flavor = "multi_thread")]
async fn computing_for_ever() {
    let (plugin, limit, detail) = breach(&limited("spinner", FOR_EVER, "cpu_ms = 20")).await;
    assert_eq!((plugin.as_str(), limit), ("spinner 1.0.0", "cpu"));
    assert!(detail.contains("20 ms"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn allocating_without_end() {
    let body = "(loop $l (drop (memory.grow (i32.const 16))) (br $l)) (unreachable)";
    let (_, limit, detail) = breach(&limited("hoarder", body, "memory_mib = 4")).await;
    assert_eq!((limit, detail.as_str()), ("memory", "at most 4 MiB"));
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_without_end() {
    let body =
        "(loop $l (call $log (i32.const 1) (i32.const 100000) (i32.const 60000)) (br $l)) (unreachable)";
    let (_, limit, _) = breach(&limited("chatter", body, "output_kib = 256")).await;
    assert_eq!(limit, "output");
}

#[tokio::test(flavor = "multi_thread")]
async fn calling_the_host_without_end() {
    let body = "(loop $l (call $log (i32.const 1) (i32.const 0) (i32.const 0)) (br $l)) (unreachable)";
    let (_, limit, _) = breach(&limited("caller", body, "host_calls = 100")).await;
    assert_eq!(limit, "host call");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_shows_where() {
    let started = start(&[Fixture::executor("clumsy").build()], &[]).await;
    started.run(&Arc::new(Server::default())).await.unwrap();
    let clumsy = Fixture { run: "(unreachable)".into(), ..Fixture::executor("clumsy") };
    let started = start(&[clumsy.build()], &[]).await;
    let ended = started.run(&Arc::new(Server::default())).await.unwrap_err();
    let PluginError::Trap { plugin, detail } = ended else { panic!("a trap, not {ended:?}") };
    assert_eq!(plugin, "clumsy 1.0.0");
    assert!(detail.starts_with("wasm trap: wasm `unreachable` instruction executed"), "{detail}");
    assert!(detail.contains("do-the-work"), "symbolised: {detail}");
}

/// A component whose `run` waits in a host call, in a server that never answers.
fn waiting() -> (Fixture, Arc<Server>) {
    let body = "(call $run-batch (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 3300)) (i32.const 3100)";
    let fixture = Fixture {
        capabilities: "\"transport\"",
        imports: vec![BATCH],
        run: body.into(),
        ..Fixture::executor("waiter")
    };
    (fixture, Arc::new(Server { stuck: true, ..Server::default() }))
}

#[tokio::test(flavor = "multi_thread")]
async fn wall_time_includes_host_calls() {
    let (fixture, server) = waiting();
    let started = start(&[fixture.build()], &["waiter"]).await;
    let handle = started.host.resolve("ping", None).unwrap();
    let host = Arc::clone(&server) as Arc<dyn RunHost>;
    let ended = handle.run(request(Some(Duration::from_millis(50))), host).await.unwrap_err();
    assert!(matches!(&ended, PluginError::Limit { limit: "wall time", .. }), "{ended:?}");
    assert!(ended.to_string().contains("waiter 1.0.0"), "{ended}");
    assert_eq!(server.under_way.load(SeqCst), 0, "the host call went with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_run_cancels_it() {
    let (fixture, server) = waiting();
    let started = start(&[fixture.build()], &["waiter"]).await;
    let handle = started.host.resolve("ping", None).unwrap();
    let host = Arc::clone(&server) as Arc<dyn RunHost>;
    let run = tokio::spawn(async move { handle.run(request(None), host).await });
    eventually("the host call begins", || server.under_way.load(SeqCst) == 1).await;
    run.abort();
    eventually("the host call is dropped", || server.under_way.load(SeqCst) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spinning_guests_leave_room_for_others() {
    let spinner = Fixture { operation: "spin", ..limited("spinner", FOR_EVER, "cpu_ms = 300") };
    let worker = Fixture::executor("worker");
    let components = [spinner.build(), worker.build()];
    let started = start_with(&components, &["spinner"], options()).await;
    let server = Arc::new(Server::default());
    let mut spinning = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let handle = started.host.resolve("spin", None).unwrap();
        let host = Arc::clone(&server) as Arc<dyn RunHost>;
        spinning.spawn(async move { handle.run(request(None), host).await });
    }
    for _ in 0..50 {
        started.run(&server).await.unwrap();
    }
    while let Some(ended) = spinning.join_next().await {
        assert!(matches!(ended.unwrap(), Err(PluginError::Limit { limit: "cpu", .. })));
    }
}

//! Replacing a plugin while it works.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use exed_domain::plugin::PluginState;
use exed_domain::ports::{Executors, PluginAdmin};

use super::fixture::Fixture;
use super::support::{Server, eventually, start};

const REPLACEMENTS: usize = 100;

fn version(number: usize) -> Bytes {
    Fixture { version: format!("1.0.{number}"), ..Fixture::executor("worker") }.build().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_replacements_under_load_fail_no_run() {
    let started = Arc::new(start(&[], &[]).await);
    started.host.install(version(0)).await.unwrap();
    let (stop, runs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut load = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (started, stop, runs) = (Arc::clone(&started), Arc::clone(&stop), Arc::clone(&runs));
        load.spawn(async move {
            let server = Arc::new(Server::default());
            while !stop.load(SeqCst) {
                started.run(&server).await.unwrap();
                runs.fetch_add(1, SeqCst);
            }
        });
    }
    let kept = started.host.resolve("ping", None).unwrap();
    for number in 1..=REPLACEMENTS {
        let before = runs.load(SeqCst);
        let info = started.host.install(version(number)).await.unwrap();
        assert_eq!(info.used.version.patch, u64::try_from(number).unwrap());
        eventually("runs go on", || runs.load(SeqCst) > before).await;
    }
    stop.store(true, SeqCst);
    while let Some(ended) = load.join_next().await {
        ended.unwrap();
    }
    // What remains: the active one, the retained ones, and the one that a job still holds.
    let (plugins, _) = started.host.list();
    assert_eq!(plugins.len(), 1 + 3 + 1, "{plugins:?}");
    let draining: Vec<_> = plugins.iter().filter(|plugin| plugin.state == PluginState::Draining).collect();
    assert_eq!(draining.len(), 1);
    assert_eq!(draining[0].used, *kept.used());
    drop(kept);
    assert_eq!(started.host.list().0.len(), 4, "drained, it is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn rollback_goes_back_one_version_at_a_time() {
    let started = start(&[], &[]).await;
    for number in 0..3 {
        started.host.install(version(number)).await.unwrap();
    }
    let active = || started.host.resolve("ping", None).unwrap().used().version.patch;
    assert_eq!(started.host.rollback("worker").await.unwrap().used.version.patch, 1);
    assert_eq!(active(), 1);
    started.host.rollback("worker").await.unwrap();
    assert_eq!(active(), 0);
    assert!(started.host.rollback("worker").await.is_err(), "nothing before it");
    assert!(started.host.rollback("nobody").await.is_err());
    let exact = "worker@=1.0.2".parse().unwrap();
    assert_eq!(started.host.resolve("ping", Some(&exact)).unwrap().used().version.patch, 2);
    let never = "worker@^7".parse().unwrap();
    assert!(started.host.resolve("ping", Some(&never)).err().unwrap().to_string().contains("fits worker@^7"));
}

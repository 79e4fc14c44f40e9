//! A capability needs two keys: declared by the plugin and granted by the operator.

use std::sync::Arc;

use exed_domain::ports::PluginError;
use wasmtime::component::Component;

use super::fixture::{BATCH, Fixture, LOG, REPORT};
use super::support::{Server, refusal, start};
use crate::capabilities::{Capability, linker};
use crate::engine::config::{Pool, engine};

const WORKING: &str = "(call $log (i32.const 1) (i32.const 1200) (i32.const 7)) (i32.const 3100)";

#[tokio::test(flavor = "multi_thread")]
async fn declared_but_not_granted_is_refused_with_the_key_to_set() {
    let reason = refusal(Fixture::running("stranger", WORKING).build(), &["other"]).await;
    assert!(reason.contains("stranger 1.0.0 asks for \"events\", which was not granted"), "{reason}");
    assert!(reason.contains("set stranger = [\"events\"] in the table [plugins.grants]"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn granted_but_not_declared_is_refused() {
    let fixture = Fixture { capabilities: "", ..Fixture::running("sly", WORKING) };
    let reason = refusal(fixture.build(), &["sly"]).await;
    assert!(reason.contains("imports exed:events/events@0.1.0"), "{reason}");
    assert!(reason.contains("does not declare the capability \"events\""), "{reason}");
}

#[test]
fn what_was_not_granted_is_absent_from_the_linker() {
    let engine = engine(Pool { instances: 2, memory: 1 << 20 }).unwrap();
    let bytes = Fixture { imports: vec![LOG, REPORT, BATCH], ..Fixture::executor("x") }.bare();
    let component = Component::from_binary(&engine, &bytes).unwrap();
    let link =
        |granted: &[Capability]| linker(&engine, granted, &[]).unwrap().instantiate_pre(&component).err();
    assert!(link(&[]).is_some());
    assert!(link(&[Capability::Events]).is_some());
    assert!(link(&[Capability::Transport]).is_some());
    assert!(link(&Capability::ALL).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn both_keys_open_the_door() {
    let started = start(&[Fixture::running("friend", WORKING).build()], &["friend"]).await;
    assert_eq!(started.refusals(), []);
    let server = Arc::new(Server::default());
    started.run(&server).await.unwrap();
    assert_eq!(*server.logs.lock().unwrap(), [("info".to_owned(), "Fixture".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_report_ends_the_run_and_names_the_field() {
    let mut fixture = Fixture::running("eager", WORKING);
    fixture.run = "(call $report (i32.const 1200) (i32.const 0) (i32.const 0) (i32.const 1300) (i32.const 2)
        (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const 3100)"
        .into();
    let started = start(&[fixture.build()], &["eager"]).await;
    let ended = started.run(&Arc::new(Server::default())).await.unwrap_err();
    let PluginError::Trap { plugin, detail } = ended else { panic!("a trap: {ended:?}") };
    assert_eq!(plugin, "eager 1.0.0");
    assert!(detail.contains("events.report: name: must have"), "{detail}");
}

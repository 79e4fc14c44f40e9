//! Files that come, change and go while the host runs.

use std::sync::Arc;

use exed_domain::plugin::{PluginOrigin, PluginState};
use exed_domain::ports::{Executors, PluginAdmin};

use super::fixture::Fixture;
use super::support::{Server, eventually, options, start, start_with};
use crate::{Embedded, PluginHost, StartError};

fn worker(version: &str) -> Vec<u8> {
    Fixture { version: version.into(), ..Fixture::executor("worker") }.build()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_loaded_replaced_refused_and_forgotten() {
    let started = start(&[], &[]).await;
    let file = started.folder.path().join("worker.wasm");
    let active = || started.host.resolve("ping", None).ok().map(|handle| handle.used().version.to_string());
    assert_eq!(active(), None);
    std::fs::write(&file, worker("1.0.0")).unwrap();
    eventually("the file is loaded", || active().as_deref() == Some("1.0.0")).await;

    let beside = started.folder.path().join(".part");
    std::fs::write(&beside, worker("2.0.0")).unwrap();
    std::fs::rename(&beside, &file).unwrap();
    eventually("the renamed file is loaded", || active().as_deref() == Some("2.0.0")).await;

    std::fs::write(&file, "half a compon").unwrap();
    eventually("the broken file is refused", || !started.refusals().is_empty()).await;
    assert_eq!(active().as_deref(), Some("2.0.0"), "the working version stays");
    assert_eq!(started.refusals()[0].file, "worker.wasm");
    started.run(&Arc::new(Server::default())).await.unwrap();

    std::fs::write(&file, worker("1.5.0")).unwrap();
    eventually("the older version is loaded", || active().as_deref() == Some("1.5.0")).await;
    assert_eq!(started.refusals(), []);

    std::fs::remove_file(&file).unwrap();
    eventually("the plugin goes away", || active().is_none()).await;
    assert!(started.host.list().0.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_overrides_the_binary_and_inherits_its_grant() {
    let body = "(call $log (i32.const 1) (i32.const 1200) (i32.const 7)) (i32.const 3100)";
    let carried: &'static [u8] = Fixture::running("worker", body).build().leak();
    let newer = Fixture { version: "1.1.0".into(), ..Fixture::running("worker", body) }.build();
    let mut options = options();
    options.embedded = vec![Embedded { file: "worker.wasm", bytes: carried }];
    let started = start_with(&[newer], &[], options).await;
    assert_eq!(started.refusals(), []);
    let active = || {
        let (plugins, _) = started.host.list();
        plugins.into_iter().find(|plugin| plugin.state == PluginState::Active).unwrap()
    };
    assert_eq!(active().origin, PluginOrigin::File("0.wasm".into()));
    started.run(&Arc::new(Server::default())).await.unwrap();
    started.host.remove("worker").await.unwrap();
    assert_eq!(active().origin, PluginOrigin::Embedded);
    assert!(!started.folder.path().join("0.wasm").exists());
    let refused = started.host.remove("worker").await.unwrap_err();
    assert!(refused.to_string().contains("carried inside the binary"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_plugins_for_one_operation_need_a_binding() {
    let (one, other) = (Fixture::executor("one").build(), Fixture::executor("other").build());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("1.wasm"), &one).unwrap();
    std::fs::write(folder.path().join("2.wasm"), &other).unwrap();
    let mut config = options();
    config.folder = Some(folder.path().to_owned());
    let Err(StartError::Conflict(said)) = PluginHost::start(config.clone()).await else {
        panic!("a conflict at start")
    };
    assert!(said.contains("one 1.0.0 and other 1.0.0 both offer the operation \"ping\""), "{said}");

    config.bindings.insert("ping".into(), "other".parse().unwrap());
    let host = PluginHost::start(config).await.unwrap();
    assert_eq!(host.resolve("ping", None).unwrap().used().name, "other");
    assert_eq!(host.operations().len(), 1);
    let asked = "one@^1".parse().unwrap();
    assert_eq!(host.resolve("ping", Some(&asked)).unwrap().used().name, "one");

    let started = start(&[one], &[]).await;
    let refused = started.host.install(other.clone().into()).await.unwrap_err();
    assert!(refused.to_string().contains("ping = \"other\" in the table [operations]"), "{refused}");
    std::fs::write(started.folder.path().join("late.wasm"), other).unwrap();
    eventually("the newer is refused", || !started.refusals().is_empty()).await;
    assert_eq!(started.host.resolve("ping", None).unwrap().used().name, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_installation_leaves_the_folder_alone() {
    let started = start(&[], &[]).await;
    let stranger = Fixture::running("stranger", "(i32.const 3100)").build();
    let refused = started.host.install(stranger.into()).await.unwrap_err();
    assert!(refused.to_string().starts_with("component: stranger 1.0.0 asks for"), "{refused}");
    assert_eq!(std::fs::read_dir(started.folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_replaces_the_file_that_provides_the_plugin() {
    let started = start(&[worker("1.0.0")], &[]).await;
    let installed = started.host.install(worker("1.1.0").into()).await.unwrap();
    assert_eq!(installed.origin, PluginOrigin::File("0.wasm".into()));
    assert_eq!(std::fs::read_dir(started.folder.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read(started.folder.path().join("0.wasm")).unwrap(), worker("1.1.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_under_a_newer_manifest_can_be_rolled_back() {
    let started = start(&[], &[]).await;
    let folder = started.folder.path();
    let active = || started.host.resolve("ping", None).ok().map(|handle| handle.used().version.to_string());
    std::fs::write(folder.join("worker.wasm"), worker("1.0.0")).unwrap();
    eventually("the file is loaded", || active().as_deref() == Some("1.0.0")).await;
    let manifest = "name = \"worker\"\nversion = \"1.1.0\"\nkind = \"executor\"\napi = \"^0.1\"\n\
                    summary = \"newer\"\ncapabilities = []\n";
    std::fs::write(folder.join("worker.toml"), manifest).unwrap();
    eventually("the manifest counts", || active().as_deref() == Some("1.1.0")).await;
    let back = started.host.rollback("worker").await.unwrap();
    assert_eq!(back.used.version.to_string(), "1.0.0");
    assert_eq!(active().as_deref(), Some("1.0.0"));
}

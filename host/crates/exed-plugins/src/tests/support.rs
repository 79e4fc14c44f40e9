//! A server around the plugin host: what runs report to, and how to start one.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use exed_domain::host::Host;
use exed_domain::ids::JobId;
use exed_domain::plugin::PluginRefusal;
use exed_domain::ports::transport::TransferRequest;
use exed_domain::ports::{Executors, Plan, PluginAdmin, PluginError, RunHost, RunRequest, Transfer};
use exed_domain::step::{Step, StepError, StepOutput};
use exed_domain::{HostName, TaskResult};
use tokio::time::timeout;

use crate::{PluginHost, PluginOptions};

/// Receives what a run says. Steps wait for ever where `stuck` is set.
#[derive(Default)]
pub(super) struct Server {
    pub(super) reports: Mutex<Vec<TaskResult>>,
    pub(super) logs: Mutex<Vec<(String, String)>>,
    pub(super) stuck: bool,
    /// Host calls that have begun and neither ended nor been dropped.
    pub(super) under_way: Arc<AtomicUsize>,
}

struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[async_trait]
impl RunHost for Server {
    async fn steps(&self, _: &str, steps: Vec<Step>, _: bool) -> Vec<Result<StepOutput, StepError>> {
        self.under_way.fetch_add(1, SeqCst);
        let _under_way = UnderWay(Arc::clone(&self.under_way));
        if self.stuck {
            std::future::pending::<()>().await;
        }
        steps.iter().map(|_| Err(StepError::Canceled)).collect()
    }

    async fn transfer(&self, _: TransferRequest) -> Result<Box<dyn Transfer>, StepError> {
        Err(StepError::Failed("no transfers here".into()))
    }

    async fn report(&self, result: TaskResult) {
        self.reports.lock().unwrap().push(result);
    }

    async fn log(&self, level: &str, message: &str) {
        self.logs.lock().unwrap().push((level.to_owned(), message.to_owned()));
    }
}

pub(super) fn options() -> PluginOptions {
    PluginOptions {
        instances: NonZeroUsize::new(16).unwrap(),
        threads: NonZeroUsize::new(2),
        ..Default::default()
    }
}

/// A host with components in its folder.
pub(super) struct Started {
    pub(super) host: Arc<PluginHost>,
    pub(super) folder: tempfile::TempDir,
}

/// Starts a host whose folder holds these components (named by their position) and which grants `events`
/// and `transport` to `granted`.
pub(super) async fn start(components: &[Vec<u8>], granted: &[&str]) -> Started {
    start_with(components, granted, options()).await
}

pub(super) async fn start_with(
    components: &[Vec<u8>],
    granted: &[&str],
    mut options: PluginOptions,
) -> Started {
    let folder = tempfile::tempdir().unwrap();
    for (index, bytes) in components.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{index}.wasm")), bytes).unwrap();
    }
    options.folder = Some(folder.path().to_owned());
    for name in granted {
        options.grants.insert((*name).to_owned(), vec!["events".into(), "transport".into()]);
    }
    Started { host: PluginHost::start(options).await.unwrap(), folder }
}

impl Started {
    pub(super) fn refusals(&self) -> Vec<PluginRefusal> {
        self.host.list().1
    }

    /// Runs `ping` once.
    pub(super) async fn run(&self, server: &Arc<Server>) -> Result<(), PluginError> {
        let handle = self.host.resolve("ping", None)?;
        handle.run(request(None), Arc::clone(server) as Arc<dyn RunHost>).await
    }
}

pub(super) fn request(wall: Option<Duration>) -> RunRequest {
    let host = Host {
        name: HostName::from("web1"),
        groups: Vec::new(),
        vars: serde_json::Map::new(),
        labels: Default::default(),
    };
    RunRequest {
        job: JobId::new(),
        operation: "ping".into(),
        args: serde_json::json!({}),
        plan: Plan::default(),
        host: Arc::new(host),
        wall,
    }
}

/// The one refusal of a component that is put alone into the folder.
pub(super) async fn refusal(component: Vec<u8>, granted: &[&str]) -> String {
    let started = start(&[component], granted).await;
    let (plugins, mut refusals) = started.host.list();
    assert!(plugins.is_empty(), "loaded: {plugins:?}");
    assert_eq!(refusals.len(), 1);
    let reason = refusals.remove(0).reason;
    assert!(!reason.contains('\n'), "one sentence: {reason}");
    reason
}

/// Waits until `condition` holds.
pub(super) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let held = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(Duration::from_secs(60), held).await.is_ok(), "never happened: {what}");
}

//! A whole simulated world below the services: an executor whose runs are scripted by the test, hosts that
//! answer steps, and a policy. The store and the bus are the real ones.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use exed_bus::in_process::InProcessBus;
use exed_domain::host::Group;
use exed_domain::job::JobOptions;
use exed_domain::operate::{OperateState, TaskResult};
use exed_domain::plugin::{OperationInfo, PluginInfo, PluginRefusal, PluginRequirement, PluginUse};
use exed_domain::policy::{Proposal, Subject, Verdict};
use exed_domain::ports::*;
use exed_domain::step::{Action, Become, ExitStatus, OutputStream, Repeat, Step, StepError, StepOutput};
use exed_domain::{Error, FieldError, Host, HostName, Inventory, JobId};
use exed_store::sqlite::{SqliteOptions, SqliteStore};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::{NoMatch, Ports, Services, Settings, Stop, SubmitRequest, SystemClock};

/// What a simulated host does with a command line.
#[derive(Default)]
pub(crate) struct FakeHosts {
    /// Command lines that were sent, as `host: command`.
    pub(crate) sent: Mutex<Vec<String>>,
    /// Runs that were ended, by host.
    pub(crate) terminated: Mutex<Vec<String>>,
    /// Hosts on which a command is under way.
    pub(crate) busy: AtomicUsize,
    /// The most that were under way at once.
    pub(crate) most_busy: AtomicUsize,
    /// `block` waits for this.
    pub(crate) release: Notify,
    /// Set once `block` may pass for good.
    pub(crate) open: std::sync::atomic::AtomicBool,
}

impl FakeHosts {
    pub(crate) fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
        self.release.notify_waiters();
    }

    pub(crate) fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }

    async fn blocked(&self) {
        loop {
            let notified = self.release.notified();
            if self.open.load(Ordering::SeqCst) {
                return;
            }
            notified.await;
        }
    }
}

struct Busy<'a>(&'a FakeHosts);

impl<'a> Busy<'a> {
    fn new(hosts: &'a FakeHosts) -> Self {
        let now = hosts.busy.fetch_add(1, Ordering::SeqCst) + 1;
        hosts.most_busy.fetch_max(now, Ordering::SeqCst);
        Self(hosts)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl StepTransport for FakeHosts {
    async fn run(
        &self,
        host: &Host,
        _key: &RunKey,
        steps: &[Step],
        _keep_going: bool,
        sink: Arc<dyn OutputSink>,
    ) -> Vec<Result<StepOutput, StepError>> {
        let mut answers = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let Action::Shell(line) = &step.action else {
                answers.push(Err(StepError::Invalid("only shell".to_owned())));
                continue;
            };
            self.sent.lock().unwrap().push(format!("{}: {line}", host.name));
            let _busy = Busy::new(self);
            answers.push(self.answer(host, line, index, &sink).await);
        }
        answers
    }

    async fn transfer(
        &self,
        _host: &Host,
        _key: &RunKey,
        _request: TransferRequest,
    ) -> Result<Box<dyn Transfer>, StepError> {
        Err(StepError::Failed("the simulated host has no files".to_owned()))
    }

    async fn terminate(&self, host: &Host, _key: &RunKey) -> Result<TerminateReport, StepError> {
        self.terminated.lock().unwrap().push(host.name.to_string());
        Ok(TerminateReport { ended: vec!["42 sleep".to_owned()], remaining: Vec::new() })
    }

    async fn close(&self) {}
}

impl FakeHosts {
    async fn answer(
        &self,
        host: &Host,
        line: &str,
        index: usize,
        sink: &Arc<dyn OutputSink>,
    ) -> Result<StepOutput, StepError> {
        let mut code = 0;
        for word in line.split_whitespace() {
            match word {
                "block" => self.blocked().await,
                "unreachable" => return Err(StepError::Unreachable("no route".to_owned())),
                "unknown" => return Err(StepError::Unknown("gone".to_owned())),
                "fail" => code = 1,
                only if only.starts_with("block@") => {
                    if only == format!("block@{}", host.name) {
                        self.blocked().await;
                    }
                }
                other => {
                    sink.chunk(index, OutputStream::Stdout, Bytes::from(format!("{other}\n"))).await;
                }
            }
        }
        Ok(StepOutput {
            status: ExitStatus::Code(code),
            stdout: Bytes::copy_from_slice(line.as_bytes()),
            stderr: Bytes::new(),
            dropped: 0,
            answer: None,
            resumed: false,
        })
    }
}

/// An executor with one behaviour: each word list of the argument `lines` is a step and a task.
struct FakeExecutor {
    used: PluginUse,
    operation: OperationInfo,
}

#[async_trait]
impl ExecutorHandle for FakeExecutor {
    fn used(&self) -> &PluginUse {
        &self.used
    }

    fn operation(&self) -> &OperationInfo {
        &self.operation
    }

    async fn validate(&self, args: &Value) -> Result<(), PluginError> {
        if args.get("lines").is_some_and(Value::is_array) {
            return Ok(());
        }
        Err(PluginError::Invalid(FieldError::new("lines", "must be an array")))
    }

    async fn plan(&self, request: PlanRequest) -> Result<Plan, PluginError> {
        if request.args.get("no_plan").is_some() {
            return Err(PluginError::Invalid(FieldError::new("role", "there is no such role")));
        }
        Ok(Plan { blob: Bytes::from_static(b"plan") })
    }

    async fn run(&self, request: RunRequest, host: Arc<dyn RunHost>) -> Result<(), PluginError> {
        assert_eq!(request.plan.blob, "plan", "every run receives the plan");
        for (index, line) in request.args["lines"].as_array().into_iter().flatten().enumerate() {
            let line = line.as_str().unwrap_or_default();
            if line == "trap" {
                return Err(PluginError::Trap { plugin: "fake 1.0.0".into(), detail: "unreachable".into() });
            }
            let answers = host.steps("line", vec![shell(index, line)], false).await;
            for answer in answers {
                host.report(match answer {
                    Ok(output) => task(
                        if output.status.success() { OperateState::Changed } else { OperateState::Failed },
                        None,
                    ),
                    Err(StepError::Unreachable(why)) => return Err(PluginError::Unreachable(why)),
                    Err(StepError::Unknown(why)) => return Err(PluginError::Unknown(why)),
                    Err(StepError::Canceled) => return Err(PluginError::Canceled),
                    Err(error) => task(OperateState::Failed, Some(error.to_string())),
                })
                .await;
            }
        }
        Ok(())
    }
}

fn task(state: OperateState, message: Option<String>) -> TaskResult {
    TaskResult { name: "line".to_owned(), state, data: json!({}), message }
}

fn shell(index: usize, line: &str) -> Step {
    Step {
        path: format!("line/{index}"),
        action: Action::Shell(line.to_owned()),
        repeat: Repeat::Once,
        stdin: Bytes::new(),
        env: Vec::new(),
        cwd: None,
        user: Become::Inherit,
        timeout: None,
        live: true,
        output_limit: 1024,
    }
}

/// The plugins of the simulated world: `run` never conflicts, `deploy` does.
pub(crate) struct FakePlugins;

fn operation(name: &str) -> OperationInfo {
    OperationInfo {
        name: name.to_owned(),
        summary: String::new(),
        exclusive: name == "deploy",
        args_schema: json!({}),
    }
}

fn used() -> PluginUse {
    PluginUse {
        name: "fake".to_owned(),
        version: semver::Version::new(1, 0, 0),
        digest: "d".repeat(64),
        api: semver::Version::new(0, 1, 0),
        grants: vec!["transport".to_owned()],
    }
}

impl Executors for FakePlugins {
    fn operations(&self) -> Vec<(OperationInfo, PluginUse)> {
        vec![(operation("run"), used()), (operation("deploy"), used())]
    }

    fn resolve(
        &self,
        name: &str,
        _wanted: Option<&PluginRequirement>,
    ) -> Result<Arc<dyn ExecutorHandle>, PluginError> {
        if name != "run" && name != "deploy" {
            return Err(PluginError::Unavailable(format!("no loaded plugin offers the operation {name}")));
        }
        Ok(Arc::new(FakeExecutor { used: used(), operation: operation(name) }))
    }
}

#[async_trait]
impl PluginAdmin for FakePlugins {
    fn list(&self) -> (Vec<PluginInfo>, Vec<PluginRefusal>) {
        (Vec::new(), Vec::new())
    }

    async fn install(&self, _component: Bytes) -> exed_domain::Result<PluginInfo> {
        Err(Error::Unsupported("the simulated world installs nothing".to_owned()))
    }

    async fn rollback(&self, name: &str) -> exed_domain::Result<PluginInfo> {
        Err(Error::NotFound { kind: "plugin", name: name.to_owned() })
    }

    async fn remove(&self, name: &str) -> exed_domain::Result<()> {
        Err(Error::NotFound { kind: "plugin", name: name.to_owned() })
    }
}

/// Denies every command line with the word `forbidden`.
#[async_trait]
impl Policies for FakePlugins {
    async fn evaluate(
        &self,
        policies: &[String],
        _subject: &Subject,
        proposals: &[Proposal],
    ) -> Vec<Verdict> {
        let judge = |proposal: &Proposal| {
            if matches!(proposal, Proposal::Shell(line) if line.contains("forbidden")) {
                Verdict::Deny { policy: policies[0].clone(), reason: "the word is forbidden".to_owned() }
            } else {
                Verdict::Allow
            }
        };
        proposals.iter().map(judge).collect()
    }
}

/// A fixed inventory of `h01` … in one group `all`.
struct FakeInventory(Mutex<Arc<Inventory>>);

impl InventorySource for FakeInventory {
    fn snapshot(&self) -> Arc<Inventory> {
        Arc::clone(&self.0.lock().unwrap())
    }

    fn status(&self) -> InventoryStatus {
        InventoryStatus::default()
    }

    fn reload(&self) {}
}

fn inventory(hosts: usize) -> Arc<Inventory> {
    let mut inventory = Inventory::default();
    let mut all = Group::default();
    for number in 1..=hosts {
        let name = HostName(format!("h{number:02}"));
        all.hosts.push(name.clone());
        let host = Host {
            name: name.clone(),
            groups: Vec::new(),
            vars: serde_json::Map::new(),
            labels: Default::default(),
        };
        inventory.hosts.insert(name, host);
    }
    inventory.groups.insert("all".to_owned(), all);
    Arc::new(inventory)
}

/// Services over the simulated world, with a worker that can be killed and started again.
pub(crate) struct World {
    pub(crate) services: Services,
    pub(crate) hosts: Arc<FakeHosts>,
    pub(crate) store: Arc<SqliteStore>,
    inventory: Arc<FakeInventory>,
    worker: Option<JoinHandle<Result<(), StoreError>>>,
    pub(crate) stop: Stop,
    _folder: TempDir,
}

impl World {
    pub(crate) async fn new(hosts: usize) -> Self {
        Self::with(hosts, settings()).await
    }

    pub(crate) async fn with(hosts: usize, settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("exed.db"));
        let store = Arc::new(SqliteStore::open(options).unwrap());
        let fake = Arc::new(FakeHosts::default());
        let inventory = Arc::new(FakeInventory(Mutex::new(inventory(hosts))));
        let stop = Stop::default();
        let (services, worker) = Services::new(ports(&store, &fake, &inventory), settings);
        let worker = Some(tokio::spawn(worker.run(stop.clone())));
        Self { services, hosts: fake, store, inventory, worker, stop, _folder: folder }
    }

    /// Lets go of everything at once, as a second SIGTERM does, and starts another worker.
    pub(crate) async fn halt_and_restart(&mut self) {
        self.stop.halt.cancel();
        self.joined().await;
        self.restart();
    }

    fn restart(&mut self) {
        let ports = ports(&self.store, &self.hosts, &self.inventory);
        self.stop = Stop::default();
        let (services, worker) = Services::new(ports, settings());
        self.services = services;
        self.worker = Some(tokio::spawn(worker.run(self.stop.clone())));
    }

    /// Takes the worker's tasks away without any goodbye, as a crash does, and starts another worker.
    pub(crate) async fn crash_and_restart(&mut self) {
        // The tasks of jobs belong to the worker's join set, so they die with it.
        let worker = self.worker.take().unwrap();
        worker.abort();
        let _ = worker.await;
        self.restart();
    }

    pub(crate) async fn joined(&mut self) {
        let worker = self.worker.take().unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(20), worker).await;
        ended.expect("the worker ends").expect("without a panic").expect("without an error");
    }

    pub(crate) fn lose_host(&self, name: &str) {
        let mut held = self.inventory.0.lock().unwrap();
        let mut changed = Inventory::clone(&held);
        changed.hosts.shift_remove(&HostName::from(name));
        *held = Arc::new(changed);
    }

    pub(crate) async fn submit(&self, operation: &str, lines: &[&str]) -> JobId {
        self.services.jobs.submit(request(operation, lines)).await.unwrap().job.id
    }

    /// Waits for the end of a job, long enough for any machine.
    pub(crate) async fn ended(&self, id: JobId) -> crate::Ended {
        let ended = self.services.jobs.wait(id, Duration::from_secs(20)).await.unwrap();
        ended.expect("the job ends")
    }

    /// Waits until this many command lines were sent.
    pub(crate) async fn until_sent(&self, lines: usize) {
        self.until(|world| world.hosts.sent().len() >= lines).await;
    }

    pub(crate) async fn until(&self, mut condition: impl FnMut(&Self) -> bool) {
        let waiting = async {
            while !condition(self) {
                tokio::task::yield_now().await;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("the condition comes true");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.halt.cancel();
        if let Some(worker) = self.worker.take() {
            worker.abort();
        }
    }
}

fn ports(store: &Arc<SqliteStore>, hosts: &Arc<FakeHosts>, inventory: &Arc<FakeInventory>) -> Ports {
    Ports {
        store: Arc::clone(store) as Arc<dyn JobStore>,
        bus: Arc::new(InProcessBus::new()),
        inventory: Arc::clone(inventory) as Arc<dyn InventorySource>,
        transport: Arc::clone(hosts) as Arc<dyn StepTransport>,
        executors: Arc::new(FakePlugins),
        plugins: Arc::new(FakePlugins),
        policies: Arc::new(FakePlugins),
        clock: Arc::new(SystemClock),
    }
}

pub(crate) fn settings() -> Settings {
    let bound = BTreeMap::from([("run".to_owned(), vec!["words".to_owned()])]);
    Settings { policies: crate::PolicyBindings::new(bound), ..Settings::default() }
}

pub(crate) fn request(operation: &str, lines: &[&str]) -> SubmitRequest {
    SubmitRequest {
        operation: operation.to_owned(),
        args: json!({ "lines": lines }),
        patterns: vec!["all".to_owned()],
        requester: "tester".to_owned(),
        options: JobOptions::default(),
        idempotency: None,
        no_match: NoMatch::Refuse,
    }
}

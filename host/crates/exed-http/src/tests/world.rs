//! A simulated fleet below real services, and a client of the router.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use exed_bus::InProcessBus;
use exed_domain::host::Group;
use exed_domain::operate::{OperateState, TaskResult};
use exed_domain::plugin::*;
use exed_domain::policy::{Proposal, Subject, Verdict};
use exed_domain::ports::*;
use exed_domain::step::{Action, Become, ExitStatus, OutputStream, Repeat, Step, StepError, StepOutput};
use exed_domain::{Error, FieldError, Host, HostName, Inventory};
use exed_services::{Ports, Services, Settings, Stop, SystemClock};
use exed_store::{SqliteOptions, SqliteStore};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;
use tower::ServiceExt;

use crate::HttpOptions;

/// Hosts `web1`, `web2`, `db1` and `dead1`; the last one cannot be reached. A command with the word `wait`
/// blocks until [`Fleet::release`].
#[derive(Default)]
pub(super) struct Fleet {
    open: AtomicBool,
    changed: Notify,
}

impl Fleet {
    pub(super) fn release(&self) {
        self.open.store(true, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    async fn blocked(&self) {
        loop {
            let changed = self.changed.notified();
            if self.open.load(Ordering::SeqCst) {
                return;
            }
            changed.await;
        }
    }
}

#[async_trait]
impl StepTransport for Fleet {
    async fn run(
        &self,
        host: &Host,
        _key: &RunKey,
        steps: &[Step],
        _keep_going: bool,
        sink: Arc<dyn OutputSink>,
    ) -> Vec<Result<StepOutput, StepError>> {
        let mut outputs = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            if host.name.as_str().starts_with("dead") {
                outputs.push(Err(StepError::Unreachable("no route to host".to_owned())));
                continue;
            }
            let Action::Shell(line) = &step.action else {
                outputs.push(Err(StepError::Invalid("only shell".to_owned())));
                continue;
            };
            let text = Bytes::from(format!("{}: {line}\n", host.name));
            sink.chunk(index, OutputStream::Stdout, text.clone()).await;
            if line.contains("wait") {
                self.blocked().await;
            }
            let status = ExitStatus::Code(i32::from(line.contains("fail")));
            outputs.push(Ok(StepOutput {
                status,
                stdout: text,
                stderr: Bytes::new(),
                dropped: 0,
                answer: None,
                resumed: false,
            }));
        }
        outputs
    }

    async fn transfer(
        &self,
        _host: &Host,
        _key: &RunKey,
        _request: TransferRequest,
    ) -> Result<Box<dyn Transfer>, StepError> {
        Err(StepError::Failed("the simulated fleet has no files".to_owned()))
    }

    async fn terminate(&self, _host: &Host, _key: &RunKey) -> Result<TerminateReport, StepError> {
        self.release();
        Ok(TerminateReport::default())
    }

    async fn close(&self) {}
}

/// One plugin with every operation; each sends one command line and reports one task.
struct Plugins {
    releases: bool,
}

struct Handle(OperationInfo, PluginUse);

#[async_trait]
impl ExecutorHandle for Handle {
    fn used(&self) -> &PluginUse {
        &self.1
    }

    fn operation(&self) -> &OperationInfo {
        &self.0
    }

    async fn validate(&self, args: &Value) -> Result<(), PluginError> {
        match args.get("command").and_then(Value::as_str) {
            Some(line) if line.contains("refused") => {
                Err(FieldError::new("command", "is not accepted by the plugin").into())
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn plan(&self, _request: PlanRequest) -> Result<Plan, PluginError> {
        Ok(Plan::default())
    }

    async fn run(&self, request: RunRequest, host: Arc<dyn RunHost>) -> Result<(), PluginError> {
        let line = request.args.get("command").or(request.args.get("role")).and_then(Value::as_str);
        let mut outputs = host.steps(&self.0.name, vec![shell(line.unwrap_or("true"))], false).await;
        let output = match outputs.pop() {
            Some(Ok(output)) => output,
            Some(Err(StepError::Unreachable(why))) => return Err(PluginError::Unreachable(why)),
            Some(Err(StepError::Canceled)) => return Err(PluginError::Canceled),
            Some(Err(error)) => return Err(PluginError::Failed(error.to_string())),
            None => return Err(PluginError::Failed("no answer".to_owned())),
        };
        let failed = !output.status.success();
        let fine = if self.0.name == "ping" { OperateState::Ok } else { OperateState::Changed };
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let data = match self.0.name.as_str() {
            "execute" => json!({"rtc": i32::from(failed), "stdout": stdout, "stderr": ""}),
            "facter" => json!({"facter": {"hostname": request.host.name.as_str()}}),
            _other => json!({}),
        };
        let state = if failed { OperateState::Failed } else { fine };
        host.report(TaskResult { name: self.0.name.clone(), state, data, message: None }).await;
        Ok(())
    }
}

fn shell(line: &str) -> Step {
    Step {
        path: "line".to_owned(),
        action: Action::Shell(line.to_owned()),
        repeat: Repeat::Once,
        stdin: Bytes::new(),
        env: Vec::new(),
        cwd: None,
        user: Become::Inherit,
        timeout: None,
        live: true,
        output_limit: 4096,
    }
}

fn used() -> PluginUse {
    PluginUse {
        name: "simulated".to_owned(),
        version: semver::Version::new(1, 2, 3),
        digest: "d".repeat(64),
        api: semver::Version::new(0, 1, 0),
        grants: vec!["transport".to_owned()],
    }
}

impl Plugins {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            used: used(),
            kind: PluginKind::Executor,
            summary: "simulated".to_owned(),
            origin: PluginOrigin::File("simulated.wasm".to_owned()),
            state: PluginState::Active,
            operations: self.operations().into_iter().map(|(operation, _)| operation).collect(),
            running: 0,
        }
    }
}

impl Executors for Plugins {
    fn operations(&self) -> Vec<(OperationInfo, PluginUse)> {
        let mut names = vec!["ping", "facter", "execute", "service", "deploy"];
        if self.releases {
            names.push("release/common");
        }
        let operation = |name: &str| OperationInfo {
            name: name.to_owned(),
            summary: format!("does {name}"),
            exclusive: name == "deploy" || name.starts_with("release/"),
            args_schema: json!({"type": "object"}),
        };
        names.into_iter().map(|name| (operation(name), used())).collect()
    }

    fn resolve(
        &self,
        name: &str,
        _wanted: Option<&PluginRequirement>,
    ) -> Result<Arc<dyn ExecutorHandle>, PluginError> {
        let found = self.operations().into_iter().find(|(operation, _)| operation.name == name);
        let unavailable =
            || PluginError::Unavailable(format!("no loaded plugin offers the operation {name}"));
        let (operation, plugin) = found.ok_or_else(unavailable)?;
        Ok(Arc::new(Handle(operation, plugin)))
    }
}

#[async_trait]
impl PluginAdmin for Plugins {
    fn list(&self) -> (Vec<PluginInfo>, Vec<PluginRefusal>) {
        let refusal = PluginRefusal { file: "broken.wasm".to_owned(), reason: "not a component".to_owned() };
        (vec![self.info()], vec![refusal])
    }

    async fn install(&self, component: Bytes) -> Result<PluginInfo, Error> {
        if component.starts_with(b"\0asm") {
            return Ok(self.info());
        }
        Err(FieldError::new("component", "is not a WebAssembly component").into())
    }

    async fn rollback(&self, name: &str) -> Result<PluginInfo, Error> {
        if name == "simulated" {
            return Ok(self.info());
        }
        Err(Error::NotFound { kind: "plugin", name: name.to_owned() })
    }

    async fn remove(&self, name: &str) -> Result<(), Error> {
        if name == "simulated" {
            return Ok(());
        }
        Err(Error::Conflict(format!("{name} is carried by the server itself")))
    }
}

#[async_trait]
impl Policies for Plugins {
    async fn evaluate(
        &self,
        _policies: &[String],
        _subject: &Subject,
        proposals: &[Proposal],
    ) -> Vec<Verdict> {
        proposals.iter().map(|_| Verdict::Allow).collect()
    }
}

struct Fixed(Arc<Inventory>);

impl InventorySource for Fixed {
    fn snapshot(&self) -> Arc<Inventory> {
        Arc::clone(&self.0)
    }

    fn status(&self) -> InventoryStatus {
        InventoryStatus { errors: Vec::new(), warnings: vec!["hosts:3: doubtful".to_owned()] }
    }

    fn reload(&self) {}
}

fn inventory() -> Arc<Inventory> {
    let mut inventory = Inventory::default();
    let mut all = Group::default();
    for name in ["web1", "web2", "db1", "dead1"] {
        let vars = Map::from_iter([
            ("ansible_host".to_owned(), json!("192.0.2.7")),
            ("ansible_password".to_owned(), json!("hunter2")),
        ]);
        let name = HostName::from(name);
        all.hosts.push(name.clone());
        let host = Host { name: name.clone(), groups: Vec::new(), vars, labels: indexmap::IndexMap::new() };
        inventory.hosts.insert(name, host);
    }
    inventory.groups.insert("all".to_owned(), all);
    Arc::new(inventory)
}

/// The router over everything, with a worker that runs until the world is dropped.
pub(super) struct World {
    pub(super) router: Router,
    pub(super) options: HttpOptions,
    pub(super) fleet: Arc<Fleet>,
    stop: Stop,
    _folder: TempDir,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(HttpOptions::default(), true)
    }

    pub(super) fn with(options: HttpOptions, releases: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(SqliteOptions::new(folder.path().join("exed.db"))).unwrap();
        let fleet = Arc::new(Fleet::default());
        let plugins = Arc::new(Plugins { releases });
        let ports = Ports {
            store: Arc::new(store),
            bus: Arc::new(InProcessBus::new()),
            inventory: Arc::new(Fixed(inventory())),
            transport: Arc::clone(&fleet) as Arc<dyn StepTransport>,
            executors: Arc::clone(&plugins) as Arc<dyn Executors>,
            plugins: Arc::clone(&plugins) as Arc<dyn PluginAdmin>,
            policies: plugins,
            clock: Arc::new(SystemClock),
        };
        let stop = Stop::default();
        let (services, worker) = Services::new(ports, Settings::default());
        tokio::spawn(worker.run(stop.clone()));
        let router = crate::router(services, options.clone());
        Self { router, options, fleet, stop, _folder: folder }
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let response = tokio::time::timeout(Duration::from_secs(30), self.router.clone().oneshot(request));
        let response = response.await.expect("an answer within 30 s").unwrap();
        let (parts, body) = response.into_parts();
        let body = tokio::time::timeout(Duration::from_secs(30), body.collect());
        let body = body.await.expect("a whole body within 30 s").unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path, &[], "")).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.send(request("DELETE", path, &[], "")).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(request("POST", path, &headers, &body.to_string())).await
    }

    /// Submits through the EXEd dialect and returns the jid.
    pub(super) async fn submitted(&self, path: &str, body: &Value) -> String {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["jid"].as_str().unwrap().to_owned()
    }

    /// Reads the follow stream to its end, which comes when the job ends.
    pub(super) async fn ended(&self, jid: &str) -> Vec<Value> {
        self.get(&format!("/jobs/{jid}?follow=1")).await.lines()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.halt.cancel();
    }
}

pub(super) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::from(body.to_owned())).unwrap()
}

/// A whole answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(super) fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts the status and EXEd's error body.
    #[track_caller]
    pub(super) fn refused(&self, status: u16, message: &str) {
        assert_eq!((self.status.as_u16(), self.json()), (status, json!({"message": message})));
    }

    /// Asserts the status and the problem's type.
    #[track_caller]
    pub(super) fn problem(&self, status: u16, word: &str) -> Value {
        let problem = self.json();
        assert_eq!(self.status.as_u16(), status, "{problem}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["type"], format!("urn:exed:problem:{word}"));
        assert_eq!(problem["status"], status);
        problem
    }
}

//! A host to test on, and short ways to say what is to be run.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use exed_domain::ids::FencingToken;
use exed_domain::ports::{OutputSink, RunKey, StepTransport};
use exed_domain::step::{Action, Become, OutputStream, Repeat, ScriptCall, Step, StepError, StepOutput};
use exed_domain::{Host, HostName, JobId};
use serde_json::Value;
use tempfile::TempDir;

use crate::connect::{Channel, ConnectError, Connector};
use crate::local::LocalConnector;
use crate::{HostTransport, TransportOptions};

/// A transport to one host, and a folder there.
pub(super) struct Fixture {
    pub(super) transport: Arc<HostTransport>,
    pub(super) host: Host,
    pub(super) folder: TempDir,
    /// The server behind it, where there is one.
    pub(super) sshd: Option<tests::sshd::Sshd>,
}

/// A connector that is not expected to be used.
pub(super) struct Nothing;

#[async_trait]
impl Connector for Nothing {
    async fn open(&self, _host: &Host, _command: &str) -> Result<Channel, ConnectError> {
        Err(ConnectError("this connector opens nothing".to_owned()))
    }
    async fn close(&self) {}
}

impl Fixture {
    pub(super) async fn local() -> Self {
        let vars = [("ansible_connection", "local")];
        Self::new(Arc::new(Nothing), Arc::new(LocalConnector::new()), &vars)
    }

    pub(super) fn new(ssh: Arc<dyn Connector>, local: Arc<dyn Connector>, vars: &[(&str, &str)]) -> Self {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        let host = Host {
            name: HostName::from("tested"),
            groups: Vec::new(),
            vars: vars.collect(),
            labels: Default::default(),
        };
        let transport = HostTransport::new(ssh, local, TransportOptions::default());
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { transport: Arc::new(transport), host, folder, sshd: None }
    }

    /// The same host with variables of its own.
    pub(super) fn copy(&self) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { transport: Arc::clone(&self.transport), host: self.host.clone(), folder, sshd: None }
    }

    pub(super) fn key(&self) -> RunKey {
        RunKey { job: JobId::new(), host: self.host.name.clone(), token: FencingToken(1) }
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("a plain path").to_owned()
    }

    pub(super) async fn run(&self, key: &RunKey, step: Step) -> Result<StepOutput, StepError> {
        let mut results = self.batch(key, &[step], false).await;
        results.pop().expect("one result per step")
    }

    pub(super) async fn batch(
        &self,
        key: &RunKey,
        steps: &[Step],
        keep_going: bool,
    ) -> Vec<Result<StepOutput, StepError>> {
        let sink = Arc::new(Recorder::default());
        let results = self.transport.run(&self.host, key, steps, keep_going, sink).await;
        assert_eq!(results.len(), steps.len(), "one result per step");
        results
    }
}

pub(super) fn argv(path: &str, words: &[&str]) -> Step {
    step(path, Action::Argv(words.iter().map(|word| (*word).to_owned()).collect()))
}

pub(super) fn shell(path: &str, text: &str) -> Step {
    step(path, Action::Shell(text.to_owned()))
}

pub(super) fn once(step: Step) -> Step {
    Step { repeat: Repeat::Once, ..step }
}

pub(super) fn script(path: &str, text: &str, args: &[&str]) -> Step {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    let call = ScriptCall {
        name: "test".to_owned(),
        digest: String::new(),
        text: text.into(),
        args,
        read_only: true,
    };
    step(path, Action::Script(call))
}

pub(super) fn step(path: &str, action: Action) -> Step {
    Step {
        path: path.to_owned(),
        action,
        repeat: Repeat::Repeatable,
        stdin: Bytes::new(),
        env: Vec::new(),
        cwd: None,
        user: Become::Inherit,
        timeout: None,
        live: false,
        output_limit: 1 << 20,
    }
}

/// Collects live output.
#[derive(Default)]
pub(super) struct Recorder {
    seen: Mutex<Vec<(usize, OutputStream, Vec<u8>)>>,
}

impl Recorder {
    /// What was handed on of one stream of one step.
    pub(super) fn text(&self, index: usize, stream: OutputStream) -> String {
        let seen = self.seen.lock().expect("not poisoned");
        let ours = seen.iter().filter(|(i, s, _)| (*i, *s) == (index, stream));
        String::from_utf8_lossy(&ours.flat_map(|(_, _, data)| data.clone()).collect::<Vec<_>>()).into_owned()
    }
}

#[async_trait]
impl OutputSink for Recorder {
    async fn chunk(&self, index: usize, stream: OutputStream, data: Bytes) {
        self.seen.lock().expect("not poisoned").push((index, stream, data.to_vec()));
    }
}

/// Waits until the condition holds, for a bounded time.
pub(super) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..600 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited 30 s in vain: {what}");
}

/// Whether a process with these words runs on this machine.
pub(super) fn runs(words: &str) -> bool {
    let Ok(entries) = std::fs::read_dir("/proc") else { return false };
    entries.flatten().any(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words_of: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        words_of.join(" ").trim_end() == words
    })
}

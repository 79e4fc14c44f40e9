//! What exed adds to a plugin's run, without any host behind it: the real plugin host with `remote-shell`
//! and `command-allowlist`, against the same components in bare wasmtime.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use bytes::Bytes;
use exed_domain::policy::{Proposal, Subject, Verdict};
use exed_domain::ports::{
    ExecutorHandle, Executors as _, Plan, Policies as _, RunHost, RunRequest, Transfer, TransferRequest,
};
use exed_domain::step::{ExitStatus, Step, StepError, StepOutput};
use exed_domain::{Host, HostName, JobId, TaskResult};
use exed_plugins::{Embedded, PluginHost, PluginOptions};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::bare::Bare;
use crate::clock::{Sample, Samples, own_cpu};
use crate::options::Options;
use crate::report::{Figure, Report, Row};

/// Runs of one round.
const RUNS: usize = 2000;
const POLICY: &str = "command-allowlist";

/// Measures one run after the other, and as many at once as a job on 50 hosts has.
pub(crate) fn measure(options: &Options, runtime: &Runtime, report: &mut Report) -> anyhow::Result<()> {
    let folder = options.components();
    let config = json!({"patterns": ["^true$"]});
    let bare = Bare::new(&folder, &config.to_string())?;
    let exed = runtime.block_on(Exed::start(&folder, config))?;
    for at_once in [1, 50] {
        let (mut ours, mut theirs) = (Samples::default(), Samples::default());
        for round in 0..=options.rounds {
            let our = round_of(runtime, at_once, || exed.clone().run())?;
            let their = round_of(runtime, at_once, || Arc::clone(&bare).run())?;
            // The first round fills the pools.
            if round > 0 {
                ours.push(our);
                theirs.push(their);
            }
        }
        report.add(Row {
            what: "plugin run with policy".to_owned(),
            size: format!("{at_once} at once"),
            ours: each(ours.figure()),
            against: "bare wasmtime".to_owned(),
            theirs: each(theirs.figure()),
        });
    }
    Ok(())
}

/// Microseconds of one run.
fn each(round: Figure) -> Figure {
    let runs = RUNS as f64;
    Figure { value: round.value * 1e3 / runs, unit: "µs", cpu: round.cpu }
}

fn round_of<F>(runtime: &Runtime, at_once: usize, run: impl Fn() -> F) -> anyhow::Result<Sample>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let all = async {
        let mut tasks = JoinSet::new();
        for _ in 0..RUNS {
            if tasks.len() >= at_once {
                tasks.join_next().await.context("a task")???;
            }
            tasks.spawn(run());
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        anyhow::Ok(())
    };
    Sample::of(own_cpu, || runtime.block_on(all)).map(|(sample, ())| sample)
}

/// exed's side.
#[derive(Clone)]
struct Exed {
    handle: Arc<dyn ExecutorHandle>,
    host: Arc<Host>,
    port: Arc<dyn RunHost>,
}

impl Exed {
    async fn start(folder: &Path, config: serde_json::Value) -> anyhow::Result<Self> {
        let load = |file: &'static str| -> anyhow::Result<Embedded> {
            let path = folder.join(file);
            let bytes = std::fs::read(&path)
                .with_context(|| format!("{}: build it with `cargo xtask build`", path.display()))?;
            // Plugins live as long as the process, as they do in the server's binary.
            Ok(Embedded { file, bytes: bytes.leak() })
        };
        let options = PluginOptions {
            embedded: vec![load("remote-shell.wasm")?, load("command-allowlist.wasm")?],
            policy_config: BTreeMap::from([(POLICY.to_owned(), config)]),
            ..PluginOptions::default()
        };
        let plugins = PluginHost::start(options).await?;
        let handle = plugins.resolve("ping", None)?;
        let host = Arc::new(Host {
            name: HostName::from("host01"),
            groups: Vec::new(),
            vars: serde_json::Map::new(),
            labels: Default::default(),
        });
        Ok(Self { handle, host, port: Arc::new(NullHost { plugins }) })
    }

    async fn run(self) -> anyhow::Result<()> {
        let request = RunRequest {
            job: JobId::new(),
            operation: "ping".to_owned(),
            args: json!({}),
            plan: Plan::default(),
            host: self.host,
            wall: Some(Duration::from_secs(60)),
        };
        Ok(self.handle.run(request, self.port).await?)
    }
}

/// Asks the policy about every step and answers as a host would that has run it.
struct NullHost {
    plugins: Arc<PluginHost>,
}

#[async_trait]
impl RunHost for NullHost {
    async fn steps(
        &self,
        _task: &str,
        steps: Vec<Step>,
        _keep_going: bool,
    ) -> Vec<Result<StepOutput, StepError>> {
        let proposals: Vec<Proposal> = steps.iter().map(|step| Proposal::from(&step.action)).collect();
        let subject = Subject {
            actor: "bench".to_owned(),
            operation: "ping".to_owned(),
            plugin: "remote-shell".to_owned(),
            host: HostName::from("host01"),
        };
        let verdicts = self.plugins.evaluate(&[POLICY.to_owned()], &subject, &proposals).await;
        let ran = |verdict| match verdict {
            Verdict::Allow => Ok(StepOutput {
                status: ExitStatus::Code(0),
                stdout: Bytes::new(),
                stderr: Bytes::new(),
                dropped: 0,
                answer: None,
                resumed: false,
            }),
            Verdict::Deny { policy, reason } => Err(StepError::Denied { policy, reason }),
        };
        verdicts.into_iter().map(ran).collect()
    }

    async fn transfer(&self, _request: TransferRequest) -> Result<Box<dyn Transfer>, StepError> {
        Err(StepError::Failed("there is no host".to_owned()))
    }

    async fn report(&self, _result: TaskResult) {}

    async fn log(&self, _level: &str, _message: &str) {}
}

//! The step that replaces a plugin under a running job, and takes that back.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use exed_client::wire::Job;

use super::newer;
use super::show::{Stage, newest, output_of};

const PLUGIN: &str = "remote-shell";

/// Long enough for an installation, which takes a second or two.
const LONG: &str = "echo begun; sleep 8; echo ended";

/// How long the job may take to start on every host.
const STARTED_WITHIN: Duration = Duration::from_secs(30);

pub(super) async fn run(stage: &Stage<'_>) -> anyhow::Result<String> {
    let tools = stage.tools;
    let component = stage.components.iter().find(|path| path.file_stem().is_some_and(|name| name == PLUGIN));
    let component = component.with_context(|| format!("the build has left no component {PLUGIN}"))?;
    let bytes = std::fs::read(component).with_context(|| format!("reading {}", component.display()))?;
    let (bytes, version) = newer::newer(&bytes)?;
    let file = stage.server.folder().join(format!("{PLUGIN}-{version}.wasm"));
    std::fs::write(&file, bytes).context("writing the newer version")?;

    let id = tools.exectl_output(&["run", "all", "--detach", "--", LONG]).await?;
    tools.screen.output(&id);
    let before = started(stage, &id).await?;
    tools.screen.remark(&format!("it runs on every host, with {PLUGIN} {before}; now {version} comes"));
    tools.exectl(&["plugins", "install", &file.to_string_lossy()]).await?;
    tools.exectl(&["plugins"]).await?;
    running(stage, &id).await?;
    tools.exectl(&["run", "all", "--", "echo a new job"]).await?;
    let new = used(&newest(stage).await?)?;
    ensure!(new == version, "the new job ran with {new} instead of {version}");
    tools.screen.remark(&format!("the new job ran with {new}; the first one goes on with {before}"));
    tools.exectl(&["follow", &id]).await?;
    finished(stage, &id, &before).await?;

    tools.exectl(&["plugins", "rollback", PLUGIN]).await?;
    tools.exectl(&["run", "all", "--", "echo after the rollback"]).await?;
    let after = used(&newest(stage).await?)?;
    ensure!(after == before, "after the rollback a job ran with {after} instead of {before}");
    Ok(format!("{before} finished its job, {version} did the next, {after} is back"))
}

/// Waits until the command has begun on every host, and returns the version it runs with.
async fn started(stage: &Stage<'_>, id: &str) -> anyhow::Result<String> {
    let give_up = Instant::now() + STARTED_WITHIN;
    loop {
        let job = stage.server.client().job(id).await?;
        if !job.runs.is_empty() && job.runs.iter().all(|run| run.state == "running") {
            return used(&job);
        }
        ensure!(Instant::now() < give_up, "job {id} has not started on every host: it is {}", job.state);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The job must outlive the installation, or the step shows nothing.
async fn running(stage: &Stage<'_>, id: &str) -> anyhow::Result<()> {
    let state = stage.server.client().job(id).await?.state;
    ensure!(state == "running", "job {id} is {state} before the upgrade was over");
    Ok(())
}

async fn finished(stage: &Stage<'_>, id: &str, version: &str) -> anyhow::Result<()> {
    let job = stage.server.client().job(id).await?;
    ensure!(job.state == "done", "job {id} is {}", job.state);
    let used = used(&job)?;
    ensure!(used == version, "job {id} has changed from {version} to {used}");
    for run in &job.runs {
        let text = output_of(run);
        ensure!(text.contains("ended"), "{} has printed {text:?}", run.host);
    }
    Ok(())
}

fn used(job: &Job) -> anyhow::Result<String> {
    let plugin = job.plugin.as_ref().with_context(|| format!("job {} names no plugin", job.alias))?;
    ensure!(plugin.name == PLUGIN, "job {} ran with {}", job.alias, plugin.name);
    Ok(plugin.version.clone())
}

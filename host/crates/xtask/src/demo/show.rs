//! The steps that the user sees.

use anyhow::{Context, ensure};
use serde_json::Value;

use super::hosts::Hosts;
use super::server::Server;
use super::tools::Tools;
use super::upgrade;

/// What a step may use.
pub(super) struct Stage<'a> {
    pub(super) tools: &'a Tools,
    pub(super) server: &'a Server,
    pub(super) hosts: &'a Hosts,
    /// The finished first-party components.
    pub(super) components: &'a [std::path::PathBuf],
}

/// The facts that are shown of each host.
const FACTS: [&str; 7] = [
    "ansible_distribution",
    "ansible_distribution_version",
    "ansible_kernel",
    "ansible_architecture",
    "ansible_processor_vcpus",
    "ansible_memtotal_mb",
    "ansible_service_mgr",
];

/// Every step, in order; the first that does not do what it should ends the show.
pub(super) async fn all(stage: &Stage<'_>) -> anyhow::Result<()> {
    let screen = &stage.tools.screen;
    screen.step("The hosts of the inventory", targets(stage)).await?;
    screen.step("Ping: every host runs a command, through plugin and policy", ping(stage)).await?;
    screen.step("Facts, under Ansible's names", facts(stage)).await?;
    screen.step("A command on all hosts, with live output", command(stage)).await?;
    screen.step("The same over HTTP: submit, then follow", follow(stage)).await?;
    if stage.hosts.of_fleet().is_empty() {
        screen.heading("Restarting a service");
        screen
            .remark("left out: these hosts are this machine, and its services are not the demo's to restart");
    } else {
        screen.step("Restarting a service", service(stage)).await?;
    }
    screen.step("Upgrading a plugin while a job runs with it", upgrade::run(stage)).await
}

async fn targets(stage: &Stage<'_>) -> anyhow::Result<String> {
    stage.tools.exectl(&["hosts"]).await?;
    let listed = stage.tools.curl("/targets", &[]).await?;
    let names = stage.hosts.names();
    for name in &names {
        let found = listed.as_ref().is_none_or(|listed| mentions(listed, name));
        ensure!(found, "/targets does not list {name}");
    }
    Ok(format!("{} hosts", names.len()))
}

async fn ping(stage: &Stage<'_>) -> anyhow::Result<String> {
    stage.tools.exectl(&["ping", "all"]).await?;
    let answer = stage.tools.curl("/ping?target=all", &[]).await?;
    let names = stage.hosts.names();
    for (answer, name) in answer.iter().flat_map(|answer| names.iter().map(move |name| (answer, name))) {
        let status = answer.get(name).and_then(|host| host.get("status")).and_then(Value::as_i64);
        ensure!(status == Some(0), "{name} has answered with status {status:?} instead of 0");
    }
    Ok(format!("{} hosts answered twice", names.len()))
}

async fn facts(stage: &Stage<'_>) -> anyhow::Result<String> {
    let output = stage.tools.exectl_output(&["facts", "all", "--json"]).await?;
    let all: Value = serde_json::from_str(&output).context("exectl printed no JSON")?;
    let mut count = 0;
    for name in stage.hosts.names() {
        let facts =
            all.get(&name).and_then(Value::as_object).with_context(|| format!("no facts of {name}"))?;
        count += facts.len();
        let mut shown = Vec::new();
        for key in FACTS {
            let value = facts.get(key).with_context(|| format!("{name} has no fact {key}"))?;
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            shown.push(format!("{}={text}", key.trim_start_matches("ansible_")));
        }
        stage.tools.screen.output(&format!("{name}  {}", shown.join("  ")));
    }
    stage.tools.screen.remark("seven of each host's facts; the rest is in the JSON");
    Ok(format!("{count} facts in one round trip to each host"))
}

async fn command(stage: &Stage<'_>) -> anyhow::Result<String> {
    let script = "for i in 1 2 3; do echo \"$(uname -n) step $i of 3\"; sleep 0.5; done";
    stage.tools.exectl(&["run", "all", "--", script]).await?;
    let job = newest(stage).await?;
    for run in &job.runs {
        let text = output_of(run);
        ensure!(text.contains("step 3 of 3"), "{} has printed {text:?}", run.host);
    }
    ensure!(job.runs.len() == stage.hosts.names().len(), "not every host has run it");
    Ok(format!("job {} is done on {} hosts, and its output is kept", job.alias, job.runs.len()))
}

async fn follow(stage: &Stage<'_>) -> anyhow::Result<String> {
    let body = r#"{"targets":["all"],"cmd":"uptime"}"#;
    let options = ["-H", "Content-Type: application/json", "-d", body];
    let Some(answer) = stage.tools.curl("/execute", &options).await? else {
        return Ok("left out without curl".to_owned());
    };
    let jid = answer.get("jid").and_then(Value::as_str).context("the answer names no jid")?.to_owned();
    let stream = stage.tools.curl_lines(&format!("/jobs/{jid}?outputs=1&follow=1")).await?;
    for name in stage.hosts.names() {
        ensure!(stream.iter().any(|line| line.get(&name).is_some()), "the stream has nothing of {name}");
    }
    Ok(format!("{} events, and the stream ended with the job", stream.len()))
}

async fn service(stage: &Stage<'_>) -> anyhow::Result<String> {
    stage.tools.exectl(&["service", "all", "nginx", "started"]).await?;
    let before = processes(stage)?;
    stage.tools.exectl(&["service", "all", "nginx", "restarted"]).await?;
    let after = processes(stage)?;
    for (host, (before, after)) in stage.hosts.of_fleet().iter().zip(before.iter().zip(&after)) {
        ensure!(before != after, "nginx of {} is still process {before}", host.name());
        stage
            .tools
            .screen
            .output(&format!("{}: nginx was process {before}, is process {after}", host.name()));
    }
    Ok("another process serves on every host".to_owned())
}

/// The main process of nginx on each host, asked past exed.
fn processes(stage: &Stage<'_>) -> anyhow::Result<Vec<String>> {
    let ask = |host: &tests::fleet::FleetHost| {
        let output = host.exec(&["pgrep", "--oldest", "--full", "nginx: master"])?;
        let pid = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        ensure!(!pid.is_empty(), "no nginx runs on {}", host.name());
        Ok(pid)
    };
    stage.hosts.of_fleet().iter().map(ask).collect()
}

/// The job that was submitted last, with its results.
pub(super) async fn newest(stage: &Stage<'_>) -> anyhow::Result<exed_client::wire::Job> {
    let filter = exed_client::JobFilter { limit: Some(1), ..exed_client::JobFilter::default() };
    let page = stage.server.client().jobs(&filter).await?;
    let job = page.items.first().context("the server knows no job")?;
    Ok(stage.server.client().job(&job.id).await?)
}

/// What a run has written to its standard output.
pub(super) fn output_of(run: &exed_client::wire::HostRun) -> String {
    let outputs = run.results.iter().filter_map(|result| result.data.get("stdout").and_then(Value::as_str));
    outputs.collect()
}

/// Whether a name stands anywhere in a list of names or objects.
fn mentions(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text == name,
        Value::Array(items) => items.iter().any(|item| mentions(item, name)),
        Value::Object(fields) => fields.iter().any(|(key, value)| key == name || mentions(value, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

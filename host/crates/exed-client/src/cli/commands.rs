//! One function per command.

use std::path::Path;

use anyhow::Context;
use exed_client::wire::{NewJob, NewJobOptions};
use exed_client::{Client, HostQuery, JobFilter};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::args::{Command, JobArguments, PluginCommand};
use super::follow::{Ending, Renderer};
use super::interrupt::{self, Choice};
use super::output::Output;
use super::{DONE, NOT_ASKED, NOT_DONE, tables};

/// Does what the command says; the result is the exit code.
pub(super) async fn execute(client: &Client, command: Command, output: &Output) -> anyhow::Result<u8> {
    match command {
        Command::Hosts { pattern } => hosts(client, pattern, output).await,
        Command::Run { pattern, options, command } => {
            let args = json!({"command": command.join(" ")});
            submit(client, job("execute", args, pattern, &options), options.detach, output).await
        }
        Command::Ping { pattern, options } => {
            submit(client, job("ping", json!({}), pattern, &options), options.detach, output).await
        }
        Command::Facts { pattern, options } => facts(client, pattern, &options, output).await,
        Command::Service { pattern, name, state, options } => {
            let args = json!({"name": name, "state": state.word()});
            submit(client, job("service", args, pattern, &options), options.detach, output).await
        }
        Command::Submit { operation, pattern, args, options } => {
            submit(client, job(&operation, args, pattern, &options), options.detach, output).await
        }
        Command::Jobs { state, operation, limit, after } => {
            let filter = JobFilter { state, operation, limit: Some(limit), after };
            jobs(client, &filter, output).await
        }
        Command::Job { id } => {
            let job = client.job(&id).await?;
            if output.is_json() {
                output.value(&job)?;
            } else {
                output.line(&tables::job(&job));
            }
            Ok(DONE)
        }
        Command::Follow { id } => follow(client, &id, &id, output).await,
        Command::Cancel { id } => cancel(client, &id, output).await,
        Command::Delete { id } => {
            client.delete(&id).await?;
            output.note(&format!("job {id} is deleted"));
            Ok(DONE)
        }
        Command::Plugins { change: None } => plugins(client, output).await,
        Command::Plugins { change: Some(change) } => change_plugin(client, change, output).await,
        Command::Operations => {
            let operations = client.operations().await?;
            if output.is_json() {
                output.value(&operations.items)?;
            } else {
                output.line(&tables::operations(&operations.items));
            }
            Ok(DONE)
        }
        // It needs no server and is done before one is looked for.
        Command::Completion { .. } => Ok(DONE),
    }
}

fn job(operation: &str, args: Value, pattern: String, options: &JobArguments) -> NewJob {
    NewJob {
        operation: operation.to_owned(),
        args,
        targets: vec![pattern],
        options: NewJobOptions {
            timeout_seconds: options.timeout,
            hosts_at_once: options.hosts_at_once,
            on_conflict: options.queue.then(|| "queue".to_owned()),
            plugin: options.plugin.clone(),
        },
    }
}

async fn hosts(client: &Client, pattern: Option<String>, output: &Output) -> anyhow::Result<u8> {
    let mut query = HostQuery { pattern, after: None };
    let mut hosts = Vec::new();
    let inventory = loop {
        let page = client.hosts(&query).await?;
        hosts.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            break page.inventory;
        }
    };
    for line in inventory.errors.iter().chain(&inventory.warnings) {
        output.problem(&format!("inventory: {line}"));
    }
    if let (true, Some(pattern)) = (hosts.is_empty(), &query.pattern) {
        output.problem(&format!("no host matches {pattern}; see all of them with: exectl hosts"));
        return Ok(NOT_DONE);
    }
    if output.is_json() {
        output.value(&hosts)?;
    } else if hosts.is_empty() {
        output.note("no hosts; see the inventory in the server's configuration");
    } else {
        output.line(&tables::hosts(&hosts));
    }
    Ok(DONE)
}

async fn submit(client: &Client, job: NewJob, detach: bool, output: &Output) -> anyhow::Result<u8> {
    let key = uuid::Uuid::new_v4().to_string();
    let job = client.submit(&job, Some(&key)).await?;
    if detach {
        if output.is_json() {
            output.value(&job)?;
        } else {
            output.line(&job.id);
        }
        return Ok(DONE);
    }
    let hosts = if job.hosts.len() == 1 { "host" } else { "hosts" };
    output.note(&format!("job {} on {} {hosts}", job.alias, job.hosts.len()));
    follow(client, &job.id, &job.alias.to_string(), output).await
}

/// Facts are data, so they are shown when they are complete.
async fn facts(
    client: &Client,
    pattern: String,
    options: &JobArguments,
    output: &Output,
) -> anyhow::Result<u8> {
    let new = job("facter", json!({}), pattern, options);
    if options.detach {
        return submit(client, new, true, output).await;
    }
    let key = uuid::Uuid::new_v4().to_string();
    let id = client.submit(&new, Some(&key)).await?.id;
    let mut events = std::pin::pin!(client.follow(&id, 0));
    while let Some(event) = events.next().await {
        event?;
    }
    let job = client.job(&id).await?;
    let mut all = serde_json::Map::new();
    for run in &job.runs {
        let facts = run.results.iter().rev().find_map(|result| result.data.get("facter"));
        match facts {
            Some(facts) => {
                all.insert(run.host.clone(), facts.clone());
            }
            None => output.problem(&format!(
                "{}: {}",
                run.host,
                run.message.as_deref().unwrap_or(run.state.as_str())
            )),
        }
    }
    output.value(&all)?;
    Ok(code_of(&job.state))
}

async fn jobs(client: &Client, filter: &JobFilter, output: &Output) -> anyhow::Result<u8> {
    let page = client.jobs(filter).await?;
    if output.is_json() {
        output.value(&page)?;
    } else {
        output.line(&tables::jobs(&page.items));
        if let Some(next) = &page.next {
            output.note(&format!("older ones: exectl jobs --after {next}"));
        }
    }
    Ok(DONE)
}

/// Follows a job to its end, through interrupts and broken connections; `name` is what the user knows it by.
async fn follow(client: &Client, id: &str, name: &str, output: &Output) -> anyhow::Result<u8> {
    let mut events = std::pin::pin!(client.follow(id, 0));
    let mut renderer = Renderer::default();
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            () = interrupt::pressed() => match interrupt::decide(client, name, output).await? {
                Choice::Cancel => continue,
                Choice::Detach => return Ok(NOT_DONE),
            },
        };
        let Some(event) = event.transpose()? else {
            output.problem(&format!("job {name} was deleted while it was followed"));
            return Ok(NOT_ASKED);
        };
        if output.is_json() {
            output.line(&serde_json::to_string(&event)?);
        }
        if let Some(ending) = Renderer::ending(&event) {
            return Ok(ended(name, &ending, output));
        }
        if !output.is_json() {
            renderer.lines(&event, output).iter().for_each(|line| output.line(line));
        }
    }
}

fn ended(name: &str, ending: &Ending, output: &Output) -> u8 {
    let reason = ending.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
    output.note(&format!("job {name} is {}{reason}", ending.state));
    code_of(&ending.state)
}

fn code_of(state: &str) -> u8 {
    if state == "done" { DONE } else { NOT_DONE }
}

async fn cancel(client: &Client, id: &str, output: &Output) -> anyhow::Result<u8> {
    let canceled = client.cancel(id).await?;
    if output.is_json() {
        output.value(&canceled)?;
    } else if canceled.outcome == "canceled" {
        output.note(&format!("job {id} had not started and is canceled"));
    } else {
        output.note(&format!("job {id} is being stopped; see its end with: exectl follow {id}"));
    }
    Ok(DONE)
}

async fn plugins(client: &Client, output: &Output) -> anyhow::Result<u8> {
    let list = client.plugins().await?;
    if output.is_json() {
        output.value(&list)?;
        return Ok(DONE);
    }
    output.line(&tables::plugins(&list.items));
    for refusal in &list.refusals {
        output.note(&format!("not loaded: {}: {}", refusal.file, refusal.reason));
    }
    Ok(DONE)
}

async fn change_plugin(client: &Client, change: PluginCommand, output: &Output) -> anyhow::Result<u8> {
    let plugin = match change {
        PluginCommand::Install { file } => client.install(read(&file)?.into()).await?,
        PluginCommand::Rollback { name } => client.rollback(&name).await?,
        PluginCommand::Remove { name } => {
            client.remove(&name).await?;
            output.note(&format!("the file of plugin {name} is removed"));
            return Ok(DONE);
        }
    };
    if output.is_json() {
        output.value(&plugin)?;
    } else {
        output.line(&format!("{} {} is {}", plugin.used.name, plugin.used.version, plugin.state));
    }
    Ok(DONE)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read the component {}", file.display()))
}

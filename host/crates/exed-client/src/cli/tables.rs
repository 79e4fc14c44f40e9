//! Lists as tables, without lines, so that they can be read and cut.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use exed_client::wire::{Host, Job, Operation, Plugin};
use serde_json::Value;

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.to_vec());
    for row in rows {
        table.add_row(row);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim().to_owned()).collect();
    lines.join("\n")
}

pub(super) fn hosts(hosts: &[Host]) -> String {
    let row = |host: &Host| {
        vec![host.name.clone(), host.address.clone(), host.transport.clone(), host.groups.join(",")]
    };
    table(&["HOST", "ADDRESS", "TRANSPORT", "GROUPS"], hosts.iter().map(row))
}

pub(super) fn jobs(jobs: &[Job]) -> String {
    let row = |job: &Job| {
        vec![
            job.alias.to_string(),
            job.id.clone(),
            job.state.clone(),
            job.operation.clone(),
            summary(&job.args),
            job.hosts.len().to_string(),
            job.submitted_at.clone(),
        ]
    };
    table(&["JOB", "ID", "STATE", "OPERATION", "ARGUMENTS", "HOSTS", "SUBMITTED"], jobs.iter().map(row))
}

/// The arguments on one short line.
fn summary(args: &Value) -> String {
    let text = match args.as_object() {
        Some(args) if args.is_empty() => String::new(),
        Some(args) => {
            let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let pairs = args.iter().filter(|(_, value)| !value.is_null());
            pairs.map(|(key, value)| format!("{key}={}", shown(value))).collect::<Vec<_>>().join(" ")
        }
        None => args.to_string(),
    };
    let text = text.replace(|character: char| character.is_control(), " ");
    if text.chars().count() > 40 { text.chars().take(39).chain("…".chars()).collect() } else { text }
}

/// A job with a block for each host.
pub(super) fn job(job: &Job) -> String {
    let mut lines = vec![
        format!("job        {} ({})", job.alias, job.id),
        format!("operation  {} {}", job.operation, summary(&job.args)),
        format!("targets    {}", job.targets.join(" ")),
        format!("state      {}{}", job.state, reason(job.error.as_deref())),
    ];
    if let Some(plugin) = &job.plugin {
        lines.push(format!("plugin     {} {}", plugin.name, plugin.version));
    }
    lines.push(format!("submitted  {}", job.submitted_at));
    lines.extend(job.finished_at.as_ref().map(|time| format!("finished   {time}")));
    for run in &job.runs {
        lines.push(String::new());
        lines.push(format!("{}  {}{}", run.host, run.state, reason(run.message.as_deref())));
        for result in &run.results {
            let message = reason(result.message.as_deref());
            lines.push(format!("  {}  {}{message}", result.task, result.state));
            lines.extend(data(&result.data));
        }
    }
    lines.join("\n")
}

/// What a task reports: outputs as they are, other values as `key: value`.
fn data(data: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (key, value) in data.as_object().into_iter().flatten() {
        match value {
            Value::String(text) if text.is_empty() => {}
            Value::String(text) => {
                lines.push(format!("    {key}:"));
                lines.extend(text.lines().map(|line| format!("      {line}")));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => lines.push(format!("    {key}: {value}")),
            Value::Array(_) | Value::Object(_) => {
                let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
                lines.push(format!("    {key}:"));
                lines.extend(pretty.lines().map(|line| format!("      {line}")));
            }
        }
    }
    lines
}

fn reason(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

pub(super) fn plugins(plugins: &[Plugin]) -> String {
    let row = |plugin: &Plugin| {
        vec![
            plugin.used.name.clone(),
            plugin.used.version.clone(),
            plugin.kind.clone(),
            plugin.state.clone(),
            plugin.running.to_string(),
            plugin.file.clone().unwrap_or_else(|| "(carried by the server)".to_owned()),
            plugin.operations.join(","),
        ]
    };
    let head = ["PLUGIN", "VERSION", "KIND", "STATE", "RUNS", "FILE", "OPERATIONS"];
    table(&head, plugins.iter().map(row))
}

pub(super) fn operations(operations: &[Operation]) -> String {
    let row = |operation: &Operation| {
        let plugin = &operation.plugin;
        vec![
            operation.name.clone(),
            format!("{} {}", plugin.name, plugin.version),
            if operation.exclusive { "one job per host" } else { "" }.to_owned(),
            operation.summary.clone(),
        ]
    };
    table(&["OPERATION", "PLUGIN", "EXCLUSIVE", "SUMMARY"], operations.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sample() -> Job {
        serde_json::from_value(json!({
            "id": "0192", "alias": 7, "operation": "execute", "args": {"command": "echo\nhi"},
            "targets": ["web*"], "hosts": ["web1", "web2"], "requester": "anonymous", "state": "failed",
            "error": "1 of 2 hosts failed", "plugin": null, "submitted_at": "2026-01-01T00:00:00Z",
            "started_at": null, "finished_at": null,
            "runs": [{"host": "web1", "state": "failed", "message": null, "results": [
                {"task": "execute", "state": "failed", "data": {"rtc": 1, "stdout": "a\nb\n", "stderr": ""},
                 "message": null},
            ]}],
        }))
        .unwrap()
    }

    #[test]
    fn jobs_are_one_line_each() {
        let text = jobs(&[sample()]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].starts_with("JOB"));
        assert!(lines[1].contains("command=echo hi"), "{text}");
    }

    #[test]
    fn a_job_shows_its_outputs_line_by_line() {
        let text = job(&sample());
        assert!(text.contains("state      failed: 1 of 2 hosts failed\n"), "{text}");
        assert!(text.contains("    rtc: 1\n    stdout:\n      a\n      b"), "{text}");
        assert!(!text.contains("stderr"), "{text}");
    }

    #[test]
    fn long_arguments_are_cut() {
        assert_eq!(summary(&json!({"command": "x".repeat(90)})).chars().count(), 40);
        assert_eq!(summary(&json!({})), "");
        assert_eq!(summary(&json!({"name": "a", "partial": null, "n": 1})), "name=a n=1");
    }
}

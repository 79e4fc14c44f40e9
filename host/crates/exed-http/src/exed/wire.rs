//! Jobs and results in the dialect's shapes.

use exed_domain::job::state::TargetState;
use exed_domain::job::{Job, TargetRun};
use exed_domain::{OperateState, TaskResult};
use serde_json::{Map, Value, json};

use super::quirks;

/// The job object. `return_data` is empty unless targets are given.
pub(super) fn job(job: &Job, targets: Vec<TargetRun>) -> Value {
    let shown: Vec<&str> = if job.hosts.is_empty() {
        job.patterns.iter().map(String::as_str).collect()
    } else {
        job.hosts.iter().map(exed_domain::HostName::as_str).collect()
    };
    json!({
        "state": quirks::job_state(job.state),
        "taskid": job.id.to_string(),
        "targets": shown,
        "operate": quirks::operate_name(&job.operation),
        "operate_args": quirks::operate_args(&job.operation, &job.args),
        "startat": job.submitted_at.seconds(),
        "error": quirks::job_error(job.state, job.error.as_deref()),
        "return_data": return_data(&job.operation, targets),
    })
}

/// Host → list of results.
fn return_data(operation: &str, targets: Vec<TargetRun>) -> Map<String, Value> {
    let entry = |target: TargetRun| {
        let (host, results) = results(operation, target);
        (host, Value::Array(results))
    };
    targets.into_iter().map(entry).collect()
}

/// The answer of a synchronous call: host → its one result.
pub(super) fn answer(operation: &str, targets: Vec<TargetRun>) -> Map<String, Value> {
    let entry = |target: TargetRun| {
        let (host, results) = results(operation, target);
        let ran_nothing = || json!({"status": 0, "state": 0});
        (host, results.into_iter().next_back().unwrap_or_else(ran_nothing))
    };
    targets.into_iter().map(entry).collect()
}

/// Every result of a host, with one more when the host failed without a task that says so.
fn results(operation: &str, target: TargetRun) -> (String, Vec<Value>) {
    let told = target.results.iter().any(|result| result.state.is_failure());
    let untold = if told { None } else { host_result(target.state, target.message) };
    let results = target.results.into_iter().map(|task| result(operation, task));
    (target.host.0, results.chain(untold).collect())
}

/// What stands for the result of a host that failed without a task that says so.
pub(super) fn host_result(state: TargetState, message: Option<String>) -> Option<Value> {
    let failure = quirks::host_failure(state)?;
    let message = message.unwrap_or_else(|| state.word().to_owned());
    Some(Value::Object(with_message(status(failure), Some(message))))
}

/// One result. Deploys and releases nest the task's data under its name, the others show it flat.
pub(super) fn result(operation: &str, task: TaskResult) -> Value {
    let mut object = status(task.state);
    match quirks::operate_name(operation) {
        "deploy" | "release" => {
            object.insert("name".to_owned(), Value::String(task.name));
            object.insert("return_data".to_owned(), task.data);
        }
        _flat => flatten(&mut object, task.data),
    }
    Value::Object(with_message(object, task.message))
}

fn status(state: OperateState) -> Map<String, Value> {
    let number = Value::from(quirks::operate_state(state));
    Map::from_iter([("status".to_owned(), number.clone()), ("state".to_owned(), number)])
}

/// Adds the keys of a task's data; what the dialect itself has set stays.
fn flatten(object: &mut Map<String, Value>, data: Value) {
    match data {
        Value::Object(data) => {
            for (key, value) in data {
                object.entry(key).or_insert(value);
            }
        }
        Value::Null => {}
        other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            object.insert("return_data".to_owned(), other);
        }
    }
}

fn with_message(mut object: Map<String, Value>, message: Option<String>) -> Map<String, Value> {
    if let Some(message) = message {
        object.entry("message").or_insert(Value::String(message));
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use exed_domain::HostName;

    fn task(state: OperateState, data: Value) -> TaskResult {
        TaskResult { name: "t".to_owned(), state, data, message: None }
    }

    fn target(state: TargetState, results: Vec<TaskResult>) -> TargetRun {
        TargetRun { host: HostName::from("a"), state, message: Some("why".to_owned()), results }
    }

    #[test]
    fn an_execution_is_flat_and_carries_both_names_of_its_state() {
        let data = json!({"rtc": 0, "stdout": "x\n", "stderr": "", "state": "mine"});
        let shown = result("execute", task(OperateState::Changed, data));
        assert_eq!(shown, json!({"status": 4, "state": 4, "rtc": 0, "stdout": "x\n", "stderr": ""}));
    }

    #[test]
    fn a_deploy_nests_its_data_under_the_task() {
        let shown = result("deploy", task(OperateState::Ok, json!({"path": "/x"})));
        assert_eq!(shown, json!({"status": 0, "state": 0, "name": "t", "return_data": {"path": "/x"}}));
    }

    #[test]
    fn a_host_that_reported_nothing_is_told_by_its_state() {
        let shown = answer("ping", vec![target(TargetState::Unreachable, vec![])]);
        assert_eq!(Value::Object(shown), json!({"a": {"status": 3, "state": 3, "message": "why"}}));
        let shown = answer("ping", vec![target(TargetState::Unknown, vec![])]);
        assert_eq!(shown["a"]["status"], 2);
    }

    #[test]
    fn a_failure_is_told_once() {
        let failed = task(OperateState::Failed, json!({"rtc": 1}));
        let (_, told) = results("execute", target(TargetState::Failed, vec![failed]));
        assert_eq!(told, [json!({"status": 2, "state": 2, "rtc": 1})]);
        let fine = task(OperateState::Ok, json!({}));
        let (_, told) = results("execute", target(TargetState::Failed, vec![fine]));
        assert_eq!(told[1], json!({"status": 2, "state": 2, "message": "why"}));
    }
}

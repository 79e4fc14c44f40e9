//! Everything that is odd about EXEd's dialect, each with its reason. New code must not take any of it
//! for a model; the native API does none of this.
//!
//! - **Numbers for states.** Jobs are 0 done, 1 running, 2 failure; operate states are 0 ok, 1 skipped,
//!   2 failed, 3 unreachable, 4 changed; services are 0 started, 1 stopped, 2 restarted. There is no
//!   number for queued or canceled: [`job_state`] folds them.
//! - **`status` and `state`.** The document names the operate state `status` in most examples and `state`
//!   in others. Results carry `status`, and `state` with the same value.
//! - **`operate` and `operate_args` differ from the request.** `cmd` is shown as `command`; a service's
//!   `state` as two booleans; releases have one operation name for every type: [`operate_args`].
//! - **`targets` shows hosts.** A request's patterns are shown as the hosts they resolved to; only a job
//!   that matched nothing shows its patterns.
//! - **`taskid`** was the id of a Celery task. Clients treat it as opaque: it is the jid.
//! - **`startat`** is the time of submission in whole seconds, so that it never changes.
//! - **`error` is never null**: the empty text stands for no error.
//! - **An accepted job may match nothing.** POST answers 201 and the job fails; GET answers 404.
//! - **A running job is a 400** when it is to be deleted, where a 409 would be expected.
//! - **Unknown parameters and fields are ignored**, as the original ignores them: clients send their own.
//!   Known ones are checked.
//! - **Any `Content-Type` of a body is accepted**: many clients send JSON under curl's default one.
//! - **A timeout is a 500** that names the jid.

use exed_domain::FieldError;
use exed_domain::OperateState;
use exed_domain::job::state::{JobState, TargetState};
use serde_json::{Map, Value, json};

/// The number of a job's state. What has not ended is running; what was stopped has failed.
pub(super) fn job_state(state: JobState) -> u8 {
    match state {
        JobState::Done => 0,
        JobState::Queued | JobState::Running | JobState::Canceling => 1,
        JobState::Failed | JobState::Canceled => 2,
    }
}

/// The number of an operate state.
pub(super) fn operate_state(state: OperateState) -> u8 {
    match state {
        OperateState::Ok => 0,
        OperateState::Skipped => 1,
        OperateState::Failed => 2,
        OperateState::Unreachable => 3,
        OperateState::Changed => 4,
    }
}

/// The operate state that stands for a host which did not report one: an unknown fate and a canceled host
/// are failures with a message. None when the host did what was asked, or has not ended.
pub(super) fn host_failure(state: TargetState) -> Option<OperateState> {
    match state {
        TargetState::Pending | TargetState::Running | TargetState::Done => None,
        TargetState::Failed | TargetState::Canceled | TargetState::Unknown => Some(OperateState::Failed),
        TargetState::Unreachable => Some(OperateState::Unreachable),
    }
}

/// The `error` of a job: never null, and never empty when the job has failed.
pub(super) fn job_error(state: JobState, error: Option<&str>) -> String {
    match (error, state) {
        (Some(error), _) => error.to_owned(),
        (None, JobState::Failed) => "the operation did not succeed on every host".to_owned(),
        (None, JobState::Canceled) => "canceled".to_owned(),
        (None, JobState::Queued | JobState::Running | JobState::Canceling | JobState::Done) => String::new(),
    }
}

/// The word that the service plugin takes, from the number and `graceful`: a graceful restart is a reload.
pub(super) fn service_word(state: i64, graceful: bool) -> Result<&'static str, FieldError> {
    match (state, graceful) {
        (0, _) => Ok("started"),
        (1, _) => Ok("stopped"),
        (2, false) => Ok("restarted"),
        (2, true) => Ok("reloaded"),
        (_, _) => {
            let problem = format!("must be 0 (started), 1 (stopped) or 2 (restarted), not {state}");
            Err(FieldError::new("state", problem))
        }
    }
}

/// The name of an operation: releases of every type are one.
pub(super) fn operate_name(operation: &str) -> &str {
    if operation.starts_with(RELEASE_PREFIX) { "release" } else { operation }
}

/// What the names of release operations begin with; the type follows.
pub(super) const RELEASE_PREFIX: &str = "release/";

/// The arguments as the job object shows them. Operations that the dialect does not know show theirs as
/// they are.
pub(super) fn operate_args(operation: &str, args: &Value) -> Value {
    let get = |name: &str| args.get(name).cloned();
    match operate_name(operation) {
        "ping" | "facter" => json!({}),
        "execute" => json!({"command": get("command")}),
        "service" => service_args(args.get("name"), args.get("state").and_then(Value::as_str)),
        "deploy" => json!({
            "role": get("role"),
            "extra_vars": object(get("extra_vars")),
            "partial": get("partial"),
        }),
        "release" => json!({
            "appname": get("appname"),
            "apptype": get("apptype"),
            "revision": get("revision"),
            "rollback": get("rollback").unwrap_or(Value::Bool(false)),
            "extra_opts": object(get("extra_opts")),
        }),
        _other => args.clone(),
    }
}

fn service_args(name: Option<&Value>, state: Option<&str>) -> Value {
    let graceful = state == Some("reloaded");
    let restart = graceful || state == Some("restarted");
    let start = state == Some("started");
    json!({"name": name, "start": start, "restart": restart, "graceful": graceful})
}

fn object(value: Option<Value>) -> Value {
    value.filter(|value| !value.is_null()).unwrap_or_else(|| Value::Object(Map::new()))
}

/// Names a field as the client sent it, where the services or a plugin know it by another name.
pub(super) fn wire_field(error: FieldError, synchronous: bool) -> FieldError {
    let field = match (error.field.as_str(), synchronous) {
        ("command", _) => "cmd".to_owned(),
        ("targets", true) => "target".to_owned(),
        (_, _) => error.field,
    };
    FieldError { field, problem: error.problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_document() {
        assert_eq!(JobState::ALL.map(job_state), [1, 1, 1, 0, 2, 2]);
        assert_eq!(OperateState::ALL.map(operate_state), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_graceful_restart_is_a_reload() {
        assert_eq!(service_word(0, true), Ok("started"));
        assert_eq!(service_word(1, false), Ok("stopped"));
        assert_eq!(service_word(2, false), Ok("restarted"));
        assert_eq!(service_word(2, true), Ok("reloaded"));
        assert_eq!(
            service_word(3, false).unwrap_err().to_string(),
            "state: must be 0 (started), 1 (stopped) or 2 (restarted), not 3"
        );
    }

    #[test]
    fn arguments_are_shown_in_the_shape_of_each_operation() {
        let shown = operate_args("service", &json!({"name": "nginx", "state": "reloaded"}));
        assert_eq!(shown, json!({"name": "nginx", "start": false, "restart": true, "graceful": true}));
        let shown = operate_args("service", &json!({"name": "nginx", "state": "started"}));
        assert_eq!(shown, json!({"name": "nginx", "start": true, "restart": false, "graceful": false}));
        assert_eq!(operate_args("execute", &json!({"command": "id"})), json!({"command": "id"}));
        let shown = operate_args("deploy", &json!({"role": "nginx", "extra_vars": null}));
        assert_eq!(shown, json!({"role": "nginx", "extra_vars": {}, "partial": null}));
        let shown =
            operate_args("release/common", &json!({"appname": "a", "apptype": "common", "revision": "?"}));
        let expected = json!({
            "appname": "a", "apptype": "common", "revision": "?", "rollback": false, "extra_opts": {},
        });
        assert_eq!(shown, expected);
        assert_eq!(operate_name("release/common"), "release");
    }

    #[test]
    fn a_failed_job_always_has_an_error() {
        assert_eq!(job_error(JobState::Done, None), "");
        assert_eq!(job_error(JobState::Canceled, None), "canceled");
        assert_eq!(job_error(JobState::Failed, Some("why")), "why");
        assert!(!job_error(JobState::Failed, None).is_empty());
    }
}

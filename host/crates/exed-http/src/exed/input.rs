//! What a client asks for, read from a query or a JSON body into a submission.

use std::time::Duration;

use exed_domain::FieldError;
use exed_domain::job::{JobOptions, OnConflict};
use exed_services::{NoMatch, SubmitRequest};
use serde_json::{Value, json};

use super::quirks;
use crate::shared::context::ANONYMOUS;
use crate::shared::fields::Fields;

/// The operations that the dialect has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operate {
    Ping,
    Facter,
    Service,
    Execute,
    Deploy,
    Release,
}

/// An operation with its arguments as its plugin takes them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) operation: String,
    pub(super) args: Value,
}

impl Operate {
    /// Reads the parameters of this operation.
    pub(super) fn read(self, fields: &Fields) -> Result<Asked, FieldError> {
        let asked = |operation: &str, args| Asked { operation: operation.to_owned(), args };
        Ok(match self {
            Self::Ping => asked("ping", json!({})),
            Self::Facter => asked("facter", json!({})),
            Self::Service => asked("service", service(fields)?),
            Self::Execute => asked("execute", json!({"command": fields.required_text("cmd")?})),
            Self::Deploy => asked("deploy", deploy(fields)?),
            Self::Release => release(fields)?,
        })
    }
}

fn service(fields: &Fields) -> Result<Value, FieldError> {
    let name = fields.required_text("name")?;
    let state = fields.integer("state")?.ok_or_else(|| FieldError::new("state", "is required"))?;
    let graceful = fields.flag("graceful")?.unwrap_or(false);
    Ok(json!({"name": name, "state": quirks::service_word(state, graceful)?}))
}

fn deploy(fields: &Fields) -> Result<Value, FieldError> {
    Ok(json!({
        "role": fields.required_text("role")?,
        "partial": fields.text("partial")?,
        "extra_vars": fields.object("extra_vars")?.cloned().unwrap_or_default(),
    }))
}

fn release(fields: &Fields) -> Result<Asked, FieldError> {
    let apptype = fields.required_text("apptype")?;
    let args = json!({
        "appname": fields.required_text("appname")?,
        "apptype": apptype,
        "revision": fields.required_text("revision")?,
        "rollback": fields.flag("rollback")?.unwrap_or(false),
        "extra_opts": fields.object("extra_opts")?.cloned().unwrap_or_default(),
    });
    Ok(Asked { operation: format!("{}{apptype}", quirks::RELEASE_PREFIX), args })
}

/// A synchronous call: one target, which may be a pattern, that must match.
pub(super) fn synchronous(operate: Operate, fields: &Fields) -> Result<SubmitRequest, FieldError> {
    let target = fields.required_text("target")?.to_owned();
    Ok(request(operate.read(fields)?, vec![target], JobOptions::default(), NoMatch::Refuse))
}

/// An asynchronous call: any number of targets, and the options that are an extension.
pub(super) fn asynchronous(operate: Operate, fields: &Fields) -> Result<SubmitRequest, FieldError> {
    let targets = fields.required_texts("targets")?;
    Ok(request(operate.read(fields)?, targets, options(fields)?, NoMatch::Accept))
}

fn request(asked: Asked, patterns: Vec<String>, options: JobOptions, no_match: NoMatch) -> SubmitRequest {
    SubmitRequest {
        operation: asked.operation,
        args: asked.args,
        patterns,
        requester: ANONYMOUS.to_owned(),
        options,
        idempotency: None,
        no_match,
    }
}

/// Extension: `timeout` in whole seconds and `on_conflict`.
fn options(fields: &Fields) -> Result<JobOptions, FieldError> {
    let seconds = match fields.integer("timeout")? {
        None => None,
        Some(seconds) => match u64::try_from(seconds) {
            Ok(seconds) if seconds > 0 => Some(seconds),
            Ok(_) | Err(_) => {
                return Err(FieldError::new("timeout", "must be a positive number of seconds"));
            }
        },
    };
    let on_conflict = match fields.text("on_conflict")? {
        None | Some("reject") => OnConflict::Reject,
        Some("queue") => OnConflict::Queue,
        Some(other) => {
            let problem = format!("must be \"reject\" or \"queue\", not \"{other}\"");
            return Err(FieldError::new("on_conflict", problem));
        }
    };
    Ok(JobOptions { timeout: seconds.map(Duration::from_secs), on_conflict, ..JobOptions::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json_fields(text: &str) -> Fields {
        Fields::of_json(text.as_bytes()).unwrap()
    }

    fn problem(operate: Operate, text: &str) -> String {
        asynchronous(operate, &json_fields(text)).unwrap_err().to_string()
    }

    #[test]
    fn a_release_names_its_operation_by_type() {
        let fields = json_fields(
            r#"{"targets": ["a"], "appname": "shop", "apptype": "common", "revision": "?", "rollback": "Yes"}"#,
        );
        let request = asynchronous(Operate::Release, &fields).unwrap();
        assert_eq!(request.operation, "release/common");
        assert_eq!(request.args["rollback"], true);
        assert_eq!(request.args["extra_opts"], json!({}));
        assert_eq!(request.no_match, NoMatch::Accept);
    }

    #[test]
    fn each_parameter_is_named_when_it_is_wrong() {
        assert_eq!(problem(Operate::Ping, "{}"), "targets: is required");
        assert_eq!(problem(Operate::Execute, r#"{"targets": ["a"]}"#), "cmd: is required");
        assert_eq!(problem(Operate::Service, r#"{"targets": ["a"], "name": "x"}"#), "state: is required");
        assert_eq!(problem(Operate::Service, r#"{"targets": ["a"], "state": 1}"#), "name: is required");
        assert_eq!(
            problem(Operate::Deploy, r#"{"targets": ["a"], "role": "r", "extra_vars": []}"#),
            "extra_vars: must be an object, not []"
        );
        assert_eq!(
            problem(Operate::Deploy, r#"{"targets": ["a"], "role": "r", "partial": 1}"#),
            "partial: must be a string, not 1"
        );
        assert_eq!(
            problem(Operate::Ping, r#"{"targets": ["a"], "timeout": 0}"#),
            "timeout: must be a positive number of seconds"
        );
        assert_eq!(
            problem(Operate::Ping, r#"{"targets": ["a"], "on_conflict": "wait"}"#),
            r#"on_conflict: must be "reject" or "queue", not "wait""#
        );
    }

    #[test]
    fn unknown_fields_are_ignored_and_options_taken() {
        let text = r#"{"targets": ["a"], "color": 1, "timeout": 5, "on_conflict": "queue"}"#;
        let request = asynchronous(Operate::Ping, &json_fields(text)).unwrap();
        assert_eq!(request.options.timeout, Some(Duration::from_secs(5)));
        assert_eq!(request.options.on_conflict, OnConflict::Queue);
    }
}

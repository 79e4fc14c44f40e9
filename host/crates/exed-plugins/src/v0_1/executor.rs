//! The executor's own calls: requests to the guest, answers from it.

use exed_domain::FieldError;
use exed_domain::plugin::OperationInfo;
use exed_domain::ports::{PlanRequest, PluginError, RunRequest};
use exed_plugin_api::v0_1::executor::exports::exed::executor::executor as wit;
use serde_json::Value;

/// The longest name of an operation, in bytes.
const LONGEST_NAME: usize = 64;

pub(crate) fn plan_request(request: &PlanRequest) -> wit::PlanRequest {
    wit::PlanRequest {
        job: request.job.to_string(),
        operation: request.operation.clone(),
        args: request.args.to_string(),
        hosts: request.hosts.iter().map(|host| host.0.clone()).collect(),
    }
}

pub(crate) fn run_request(request: &RunRequest) -> wit::RunRequest {
    wit::RunRequest {
        job: request.job.to_string(),
        operation: request.operation.clone(),
        args: request.args.to_string(),
        plan: request.plan.blob.to_vec(),
        host: request.host.name.0.clone(),
    }
}

pub(crate) fn run_error(error: wit::RunError) -> PluginError {
    match error {
        wit::RunError::Failed(reason) => PluginError::Failed(reason),
        wit::RunError::Unreachable(reason) => PluginError::Unreachable(reason),
        wit::RunError::Unknown(reason) => PluginError::Unknown(reason),
    }
}

pub(crate) fn field_error(error: wit::FieldError) -> PluginError {
    PluginError::Invalid(FieldError::new(error.field, error.problem))
}

/// What `describe` returned, checked.
///
/// # Errors
/// One sentence that names the operation and the field.
pub(crate) fn operations(described: Vec<wit::Operation>) -> Result<Vec<OperationInfo>, String> {
    if described.is_empty() {
        return Err("describe: it offers no operation".into());
    }
    let mut operations: Vec<OperationInfo> = Vec::with_capacity(described.len());
    for operation in described {
        let name = operation.name;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(plain) {
            return Err(format!(
                "describe: operation {name:?}: a name has 1 to {LONGEST_NAME} lower-case letters, digits and '-'"
            ));
        }
        if operations.iter().any(|other| other.name == name) {
            return Err(format!("describe: operation {name:?} is offered twice"));
        }
        let args_schema = serde_json::from_str::<Value>(&operation.args_schema)
            .map_err(|error| format!("describe: operation {name:?}: args-schema is not JSON: {error}"))?;
        let (summary, exclusive) = (operation.summary, operation.exclusive);
        operations.push(OperationInfo { name, summary, exclusive, args_schema });
    }
    Ok(operations)
}

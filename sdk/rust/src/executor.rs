//! Executors: plugins that perform operations on hosts.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::args;
use crate::host::Host;
use crate::outcome::{Failure, Outcome, RunError, settle};

/// One field of the input that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Dotted path from the root of the arguments; empty for the whole.
    pub field: String,
    /// What was wrong and what is accepted, without a full stop.
    pub problem: String,
}

impl FieldError {
    /// Refuses `field` because of `problem`.
    #[must_use]
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

/// The arguments of an operation that takes none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoArgs {}

/// An operation with typed arguments.
pub trait Operation {
    /// Its name: lower case, words joined by hyphens.
    const NAME: &'static str;
    /// One sentence for people.
    const SUMMARY: &'static str;
    /// Whether two jobs of this operation exclude each other on a host.
    const EXCLUSIVE: bool = false;
    /// Its arguments. Refuse unknown fields with `#[serde(deny_unknown_fields)]`.
    type Args: DeserializeOwned;

    /// JSON Schema of the arguments.
    #[must_use]
    fn args_schema() -> Value {
        json!({ "type": "object", "additionalProperties": false })
    }

    /// Checks what the types cannot say. Runs without any host.
    ///
    /// # Errors
    /// The field that is refused.
    fn check(_args: &Self::Args) -> Result<(), FieldError> {
        Ok(())
    }

    /// Does the work on one host. The outcome is reported under the operation's name.
    ///
    /// # Errors
    /// Step errors, passed on with `?`.
    fn run(host: &Host, args: Self::Args) -> Result<Outcome, Failure>;
}

/// A row of an executor's table of operations: an [`Operation`] with its argument type erased.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// One sentence for people.
    pub summary: &'static str,
    /// Whether two jobs of it exclude each other on a host.
    pub exclusive: bool,
    /// JSON Schema of the arguments.
    pub args_schema: fn() -> Value,
    validate: fn(&Value) -> Result<(), FieldError>,
    run: fn(&Host, &Value) -> Result<Outcome, Failure>,
}

impl Entry {
    /// The row of `O`.
    #[must_use]
    pub const fn of<O: Operation>() -> Self {
        Self {
            name: O::NAME,
            summary: O::SUMMARY,
            exclusive: O::EXCLUSIVE,
            args_schema: O::args_schema,
            validate: validate_as::<O>,
            run: run_as::<O>,
        }
    }
}

fn validate_as<O: Operation>(args: &Value) -> Result<(), FieldError> {
    O::check(&args::parse::<O::Args>(args)?)
}

fn run_as<O: Operation>(host: &Host, args: &Value) -> Result<Outcome, Failure> {
    let refused = |error: FieldError| Failure::Failed(format!("{}: {}", error.field, error.problem));
    let args = args::parse::<O::Args>(args).map_err(refused)?;
    O::check(&args).map_err(refused)?;
    O::run(host, args)
}

/// A job, as [`Executor::plan`] sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanRequest {
    /// The job's id.
    pub job: String,
    /// The operation.
    pub operation: String,
    /// Its arguments.
    pub args: Value,
    /// The name of every host of the job.
    pub hosts: Vec<String>,
}

/// One job on one host.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRequest {
    /// The job's id.
    pub job: String,
    /// The operation.
    pub operation: String,
    /// Its arguments.
    pub args: Value,
    /// What [`Executor::plan`] returned.
    pub plan: Vec<u8>,
    /// The host's name.
    pub host: String,
}

/// A plugin that performs operations. Only the table is required.
pub trait Executor {
    /// The operations that it offers.
    const OPERATIONS: &'static [Entry];

    /// Checks arguments before a job is accepted, with no capability behind it.
    ///
    /// # Errors
    /// The field that is refused.
    fn validate(operation: &str, args: &Value) -> Result<(), FieldError> {
        (find(Self::OPERATIONS, operation)?.validate)(args)
    }

    /// Called once per job before any host. What it returns is given to every run.
    ///
    /// # Errors
    /// The field that is refused.
    fn plan(_request: &PlanRequest) -> Result<Vec<u8>, FieldError> {
        Ok(Vec::new())
    }

    /// Does the work on one host and reports it.
    ///
    /// # Errors
    /// Why it could not be carried out at all.
    fn run(host: &Host, request: &RunRequest) -> Result<(), RunError> {
        let entry =
            find(Self::OPERATIONS, &request.operation).map_err(|error| RunError::Failed(error.problem))?;
        let outcome = settle((entry.run)(host, &request.args))?;
        host.report(entry.name, outcome);
        Ok(())
    }
}

fn find<'table>(table: &'table [Entry], operation: &str) -> Result<&'table Entry, FieldError> {
    table.iter().find(|entry| entry.name == operation).ok_or_else(|| {
        let known: Vec<&str> = table.iter().map(|entry| entry.name).collect();
        FieldError::new(
            "operation",
            format!("`{operation}` is not offered by this plugin; it offers {}", known.join(", ")),
        )
    })
}

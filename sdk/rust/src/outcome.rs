//! What became of a task.

use std::fmt;

use serde_json::{Map, Value};

use crate::output::StepError;

/// What became of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Done, nothing had to change.
    Ok,
    /// Not done, because a condition said so.
    Skipped,
    /// Tried and failed.
    Failed,
    /// The host could not be reached.
    Unreachable,
    /// Done, and something changed.
    Changed,
}

/// The outcome of a task: its state, the data it returns and, where needed, a reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What became of it.
    pub state: State,
    /// The keys that the operation promises.
    pub data: Map<String, Value>,
    /// Why, where the state needs a reason.
    pub message: Option<String>,
}

impl Outcome {
    fn of(state: State, message: Option<String>) -> Self {
        Self { state, data: Map::new(), message }
    }

    /// Done, nothing had to change.
    #[must_use]
    pub fn ok() -> Self {
        Self::of(State::Ok, None)
    }

    /// Done, and something changed.
    #[must_use]
    pub fn changed() -> Self {
        Self::of(State::Changed, None)
    }

    /// Tried and failed, with the reason.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self::of(State::Failed, Some(message.into()))
    }

    /// Not done, with the reason.
    #[must_use]
    pub fn skipped(message: impl Into<String>) -> Self {
        Self::of(State::Skipped, Some(message.into()))
    }

    /// The host could not be reached, with the reason.
    #[must_use]
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self::of(State::Unreachable, Some(message.into()))
    }

    /// Adds a key to the data.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.data.insert(key.into(), value.into());
        self
    }
}

/// A reported task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskResult {
    /// The task's name.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// Why an operation stopped. Step errors convert with `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A step could not be carried out.
    Step(StepError),
    /// The operation itself could not go on; the text says why.
    Failed(String),
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(error) => error.fmt(f),
            Self::Failed(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Failure {}

/// Why a run could not be carried out. A task that failed is reported instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// The plugin could not do it.
    Failed(String),
    /// The host could not be reached.
    Unreachable(String),
    /// Something was started whose fate cannot be told.
    Unknown(String),
}

/// What a failure means for the task: a result to report, or an error of the whole run where the server
/// itself has to decide (a canceled job, a step whose fate is unknown).
pub(crate) fn settle(result: Result<Outcome, Failure>) -> Result<Outcome, RunError> {
    match result {
        Ok(outcome) => Ok(outcome),
        Err(Failure::Failed(text)) => Ok(Outcome::failed(text)),
        Err(Failure::Step(error)) => match error {
            StepError::Canceled => Err(RunError::Failed("canceled".to_owned())),
            StepError::Unknown(text) => Err(RunError::Unknown(text)),
            StepError::Unreachable(text) => Ok(Outcome::unreachable(text)),
            StepError::Denied(text)
            | StepError::CheckMode(text)
            | StepError::TimedOut(text)
            | StepError::Invalid(text)
            | StepError::Failed(text) => Ok(Outcome::failed(text)),
        },
    }
}

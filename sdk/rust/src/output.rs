//! What steps leave, and why they may leave nothing.

use std::fmt;

use serde_json::Value;

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It returned this code.
    Code(i32),
    /// This signal ended it, without `SIG`.
    Signal(String),
}

impl ExitStatus {
    /// Whether it is code 0.
    #[must_use]
    pub fn success(&self) -> bool {
        matches!(self, Self::Code(0))
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(name) => write!(f, "signal {name}"),
        }
    }
}

/// The answer to a probe. "It is not there" is an answer, not an error.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Nothing is there.
    Absent,
    /// A value; its shape stands at the [`Probe`](crate::Probe).
    Value(Value),
    /// Raw bytes.
    Content(Vec<u8>),
}

/// What a step that ran has left.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// How the process ended; code 0 for probes and files.
    pub status: ExitStatus,
    /// Captured standard output.
    pub stdout: Vec<u8>,
    /// Captured standard error.
    pub stderr: Vec<u8>,
    /// Bytes dropped because of the limit.
    pub dropped: u64,
    /// The answer, for probes.
    pub answer: Option<Answer>,
    /// Whether this is the recorded result of an earlier attempt.
    pub resumed: bool,
}

impl Output {
    /// Whether the process ended with code 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.status.success()
    }

    /// Standard output as text, invalid bytes replaced.
    #[must_use]
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text, invalid bytes replaced.
    #[must_use]
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The answer of a probe that found something with a value.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        match &self.answer {
            Some(Answer::Value(value)) => Some(value),
            Some(Answer::Absent | Answer::Content(_)) | None => None,
        }
    }
}

/// Why a step has no output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepError {
    /// A policy refused it.
    Denied(String),
    /// The server refuses writes in check mode.
    CheckMode(String),
    /// The host could not be reached.
    Unreachable(String),
    /// Time ran out; what was running has been ended.
    TimedOut(String),
    /// The job was canceled.
    Canceled,
    /// It was started, and nobody can tell what became of it.
    Unknown(String),
    /// The step is malformed.
    Invalid(String),
    /// The host could not carry it out.
    Failed(String),
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(text)
            | Self::CheckMode(text)
            | Self::Unreachable(text)
            | Self::TimedOut(text)
            | Self::Unknown(text)
            | Self::Invalid(text)
            | Self::Failed(text) => f.write_str(text),
            Self::Canceled => f.write_str("canceled"),
        }
    }
}

impl std::error::Error for StepError {}

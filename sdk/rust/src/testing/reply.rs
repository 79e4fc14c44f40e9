//! Canned answers.

use serde_json::Value;

use crate::output::{Answer, ExitStatus, Output, StepError};

/// What a scripted host answers to a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply(pub(crate) Result<Output, StepError>);

impl Reply {
    fn of(status: ExitStatus, stdout: &[u8], stderr: &[u8], answer: Option<Answer>) -> Self {
        Self(Ok(Output {
            status,
            stdout: stdout.to_vec(),
            stderr: stderr.to_vec(),
            dropped: 0,
            answer,
            resumed: false,
        }))
    }

    /// Exit code 0 and no output.
    #[must_use]
    pub fn ok() -> Self {
        Self::stdout("")
    }

    /// Exit code 0 with this standard output.
    #[must_use]
    pub fn stdout(stdout: impl AsRef<[u8]>) -> Self {
        Self::of(ExitStatus::Code(0), stdout.as_ref(), b"", None)
    }

    /// This exit code with these outputs.
    #[must_use]
    pub fn exit(code: i32, stdout: impl AsRef<[u8]>, stderr: impl AsRef<[u8]>) -> Self {
        Self::of(ExitStatus::Code(code), stdout.as_ref(), stderr.as_ref(), None)
    }

    /// Ended by this signal, named without `SIG`.
    #[must_use]
    pub fn signal(name: &str) -> Self {
        Self::of(ExitStatus::Signal(name.to_owned()), b"", b"", None)
    }

    /// The answer of a probe that found nothing.
    #[must_use]
    pub fn absent() -> Self {
        Self::of(ExitStatus::Code(0), b"", b"", Some(Answer::Absent))
    }

    /// The answer of a probe.
    #[must_use]
    pub fn value(value: impl Into<Value>) -> Self {
        Self::of(ExitStatus::Code(0), b"", b"", Some(Answer::Value(value.into())))
    }

    /// The answer of a read probe.
    #[must_use]
    pub fn content(bytes: impl AsRef<[u8]>) -> Self {
        Self::of(ExitStatus::Code(0), b"", b"", Some(Answer::Content(bytes.as_ref().to_vec())))
    }

    /// The step could not be carried out.
    #[must_use]
    pub fn error(error: StepError) -> Self {
        Self(Err(error))
    }
}

//! What a step has left, as a guest receives it.

use exed_domain::step::{ExitStatus, ProbeAnswer, StepError, StepOutput};
use exed_plugin_api::v0_1::executor::exed::transport::steps as wit;

pub(crate) fn result(result: Result<StepOutput, StepError>) -> Result<wit::Output, wit::StepError> {
    result.map(output).map_err(error)
}

fn output(output: StepOutput) -> wit::Output {
    wit::Output {
        status: match output.status {
            ExitStatus::Code(code) => wit::ExitStatus::Code(code),
            ExitStatus::Signal(name) => wit::ExitStatus::Signal(name),
        },
        stdout: output.stdout.into(),
        stderr: output.stderr.into(),
        dropped: output.dropped,
        answer: output.answer.map(|answer| match answer {
            ProbeAnswer::Absent => wit::Answer::Absent,
            ProbeAnswer::Value(value) => wit::Answer::Value(value.to_string()),
            ProbeAnswer::Content(bytes) => wit::Answer::Content(bytes.into()),
        }),
        resumed: output.resumed,
    }
}

pub(crate) fn error(error: StepError) -> wit::StepError {
    let sentence = error.to_string();
    match error {
        StepError::Denied { policy, reason } => {
            wit::StepError::Denied(format!("by policy {policy}: {reason}"))
        }
        StepError::CheckMode(reason) => wit::StepError::CheckMode(reason),
        StepError::Unreachable(reason) => wit::StepError::Unreachable(reason),
        StepError::TimedOut { .. } => wit::StepError::TimedOut(sentence),
        // Whoever lost the job has nothing more to do on the host, as if it had been canceled.
        StepError::Canceled | StepError::Fenced => wit::StepError::Canceled,
        StepError::Unknown(reason) => wit::StepError::Unknown(reason),
        StepError::Invalid(reason) => wit::StepError::Invalid(reason),
        StepError::Failed(reason) => wit::StepError::Failed(reason),
    }
}

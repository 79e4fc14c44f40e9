//! Steps, transfers and events as host calls. Each method names exactly the imports it needs, so that the
//! linker drops those that a plugin does not use.

use super::executor::bindings::exed::events::events;
use super::executor::bindings::exed::transport::{steps, transfer};
use super::executor::bindings::exed::types::types;
use crate::host::{Level, OnFailure};
use crate::outcome::{State, TaskResult};
use crate::output::{Answer, ExitStatus, Output, StepError};
use crate::step::{Action, Probe, Repeat, RunAs, Step};

/// The server.
#[derive(Debug)]
pub(crate) struct Backend;

impl Backend {
    pub(crate) fn run(&self, task: &str, path: &str, step: Step) -> Result<Output, StepError> {
        steps::run(task, &sent(path.to_owned(), step)).map(received).map_err(error)
    }

    pub(crate) fn run_batch(
        &self,
        task: &str,
        batch: Vec<(String, Step)>,
        on_failure: OnFailure,
    ) -> Vec<Result<Output, StepError>> {
        let batch: Vec<steps::Step> = batch.into_iter().map(|(path, step)| sent(path, step)).collect();
        steps::run_batch(task, &batch, on_failure == OnFailure::KeepGoing)
            .into_iter()
            .map(|result| result.map(received).map_err(error))
            .collect()
    }

    pub(crate) fn upload(&self, path: &str, mode: u32, user: RunAs) -> Result<Upload, StepError> {
        transfer::open_upload(path, mode, &run_as(user)).map(Upload).map_err(error)
    }

    pub(crate) fn download(&self, path: &str, user: RunAs) -> Result<Download, StepError> {
        transfer::open_download(path, &run_as(user)).map(Download).map_err(error)
    }

    pub(crate) fn report(&self, result: TaskResult) {
        let state = match result.outcome.state {
            State::Ok => types::OperateState::Ok,
            State::Skipped => types::OperateState::Skipped,
            State::Failed => types::OperateState::Failed,
            State::Unreachable => types::OperateState::Unreachable,
            State::Changed => types::OperateState::Changed,
        };
        events::report(&types::TaskResult {
            name: result.name,
            state,
            data: serde_json::Value::Object(result.outcome.data).to_string(),
            message: result.outcome.message,
        });
    }

    pub(crate) fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Debug => events::Level::Debug,
            Level::Info => events::Level::Info,
            Level::Warn => events::Level::Warn,
            Level::Error => events::Level::Error,
        };
        events::log(level, message);
    }
}

/// A file being written.
#[derive(Debug)]
pub(crate) struct Upload(transfer::Upload);

impl Upload {
    pub(crate) fn write(&mut self, data: &[u8]) -> Result<(), StepError> {
        self.0.write(data).map_err(error)
    }

    pub(crate) fn close(self) -> Result<String, StepError> {
        self.0.close().map_err(error)
    }
}

/// A file being read.
#[derive(Debug)]
pub(crate) struct Download(transfer::Download);

impl Download {
    pub(crate) fn read(&mut self, max: u32) -> Result<Vec<u8>, StepError> {
        self.0.read(max).map_err(error)
    }
}

fn sent(path: String, step: Step) -> steps::Step {
    steps::Step {
        path,
        action: action(step.action),
        repeat: match step.repeat {
            Repeat::Repeatable => steps::Repeat::Repeatable,
            Repeat::Once(_) => steps::Repeat::Once,
        },
        stdin: step.stdin,
        env: step.env,
        cwd: step.cwd,
        user: run_as(step.user),
        timeout_ms: step.timeout.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)),
        live: step.live,
        output_limit: step.output_limit,
    }
}

fn action(action: Action) -> steps::Action {
    match action {
        Action::Argv(words) => steps::Action::Argv(words),
        Action::Shell(text) => steps::Action::Shell(text),
        Action::Script { name, args } => steps::Action::Script(steps::ScriptCall { name, args }),
        Action::PutFile { path, mode, content } => {
            steps::Action::PutFile(steps::PutFile { path, mode, content })
        }
        Action::Probe(question) => steps::Action::Probe(probe(question)),
    }
}

fn probe(probe: Probe) -> steps::Probe {
    match probe {
        Probe::Stat { path, follow } => steps::Probe::Stat(steps::StatProbe { path, follow }),
        Probe::Checksum(path) => steps::Probe::Checksum(path),
        Probe::Read { path, limit } => steps::Probe::Read(steps::ReadProbe { path, limit }),
        Probe::List(path) => steps::Probe::List(path),
        Probe::Which(program) => steps::Probe::Which(program),
        Probe::Lookup { database, key } => steps::Probe::Lookup(steps::LookupProbe { database, key }),
    }
}

fn run_as(user: RunAs) -> steps::RunAs {
    match user {
        RunAs::Inherit => steps::RunAs::Inherit,
        RunAs::Login => steps::RunAs::Login,
        RunAs::User(name) => steps::RunAs::User(name),
    }
}

fn received(output: steps::Output) -> Output {
    Output {
        status: match output.status {
            steps::ExitStatus::Code(code) => ExitStatus::Code(code),
            steps::ExitStatus::Signal(name) => ExitStatus::Signal(name),
        },
        stdout: output.stdout,
        stderr: output.stderr,
        dropped: output.dropped,
        answer: output.answer.map(|answer| match answer {
            steps::Answer::Absent => Answer::Absent,
            // The server writes this JSON itself; text that is none stays readable as a string.
            steps::Answer::Value(json) => {
                Answer::Value(serde_json::from_str(&json).unwrap_or(serde_json::Value::String(json)))
            }
            steps::Answer::Content(bytes) => Answer::Content(bytes),
        }),
        resumed: output.resumed,
    }
}

fn error(error: steps::StepError) -> StepError {
    match error {
        steps::StepError::Denied(text) => StepError::Denied(text),
        steps::StepError::CheckMode(text) => StepError::CheckMode(text),
        steps::StepError::Unreachable(text) => StepError::Unreachable(text),
        steps::StepError::TimedOut(text) => StepError::TimedOut(text),
        steps::StepError::Canceled => StepError::Canceled,
        steps::StepError::Unknown(text) => StepError::Unknown(text),
        steps::StepError::Invalid(text) => StepError::Invalid(text),
        steps::StepError::Failed(text) => StepError::Failed(text),
    }
}

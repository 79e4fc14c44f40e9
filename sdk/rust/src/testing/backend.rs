//! What stands behind a [`Host`](crate::Host) in tests.

use std::cell::RefCell;
use std::rc::Rc;

use super::scripted::{LogLine, Script, Sent, Written};
use crate::host::{Level, OnFailure};
use crate::outcome::TaskResult;
use crate::output::{Output, StepError};
use crate::step::{RunAs, Step};

/// The most that one read returns, as the server does it.
const MAX_READ: usize = 1 << 20;

/// A handle on the script of the run.
#[derive(Clone, Debug)]
pub(crate) struct Backend(pub(crate) Rc<RefCell<Script>>);

impl Backend {
    pub(crate) fn run(&self, task: &str, path: &str, step: Step) -> Result<Output, StepError> {
        let mut script = self.0.borrow_mut();
        let reply = match script.expected.pop_front() {
            Some(next) if (next.matches)(&step) => next.reply.0,
            Some(next) => {
                let complaint = format!("expected {}, but {:?} was sent", next.what, step.action);
                script.complaints.push(complaint.clone());
                Err(StepError::Invalid(complaint))
            }
            None => {
                let complaint = format!("expected nothing more, but {:?} was sent", step.action);
                script.complaints.push(complaint.clone());
                Err(StepError::Invalid(complaint))
            }
        };
        script.sent.push(Sent { task: task.to_owned(), path: path.to_owned(), step });
        reply
    }

    pub(crate) fn run_batch(
        &self,
        task: &str,
        batch: Vec<(String, Step)>,
        on_failure: OnFailure,
    ) -> Vec<Result<Output, StepError>> {
        let mut stopped = false;
        batch
            .into_iter()
            .map(|(path, step)| {
                if stopped {
                    return Err(StepError::Failed("not run: an earlier step of the batch failed".to_owned()));
                }
                let result = self.run(task, &path, step);
                let failed = !result.as_ref().is_ok_and(Output::success);
                stopped = failed && on_failure == OnFailure::Stop;
                result
            })
            .collect()
    }

    pub(crate) fn upload(&self, path: &str, mode: u32, _user: RunAs) -> Result<Upload, StepError> {
        let file = Written { path: path.to_owned(), mode, content: Vec::new() };
        Ok(Upload { backend: self.clone(), file })
    }

    pub(crate) fn download(&self, path: &str, _user: RunAs) -> Result<Download, StepError> {
        match self.0.borrow().files.get(path) {
            Some(content) => Ok(Download { rest: content.clone() }),
            None => Err(StepError::Failed(format!("{path}: no such file"))),
        }
    }

    pub(crate) fn report(&self, result: TaskResult) {
        self.0.borrow_mut().results.push(result);
    }

    pub(crate) fn log(&self, level: Level, message: &str) {
        self.0.borrow_mut().log.push(LogLine { level, message: message.to_owned() });
    }
}

/// A file being written.
#[derive(Debug)]
pub(crate) struct Upload {
    backend: Backend,
    file: Written,
}

impl Upload {
    pub(crate) fn write(&mut self, data: &[u8]) -> Result<(), StepError> {
        self.file.content.extend_from_slice(data);
        Ok(())
    }

    /// The digest is not computed: a scripted host answers with the length instead.
    pub(crate) fn close(self) -> Result<String, StepError> {
        let digest = format!("{:064x}", self.file.content.len());
        self.backend.0.borrow_mut().written.push(self.file);
        Ok(digest)
    }
}

/// A file being read.
#[derive(Debug)]
pub(crate) struct Download {
    rest: Vec<u8>,
}

impl Download {
    pub(crate) fn read(&mut self, max: u32) -> Result<Vec<u8>, StepError> {
        let count = usize::try_from(max).unwrap_or(MAX_READ).min(MAX_READ).min(self.rest.len());
        Ok(self.rest.drain(..count).collect())
    }
}

//! The host that a run was given.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use crate::backend::Backend;
use crate::outcome::{Outcome, TaskResult};
use crate::output::{Output, StepError};
use crate::step::{Repeat, RunAs, Step};
use crate::transfer::{Download, Upload};

/// The importance of a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For the plugin's author.
    Debug,
    /// For whoever follows the job.
    Info,
    /// Something is odd.
    Warn,
    /// Something is wrong.
    Error,
}

/// What a batch does after a step that did not run or did not end with code 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The rest is not run.
    Stop,
    /// The rest is run.
    KeepGoing,
}

/// The host of one run. In a component it calls the server; in tests a
/// [`ScriptedHost`](crate::testing::ScriptedHost) answers.
#[derive(Debug)]
pub struct Host {
    name: String,
    job: String,
    task: RefCell<String>,
    next_path: Cell<u32>,
    once_names: RefCell<BTreeSet<String>>,
    backend: Backend,
}

impl Host {
    pub(crate) fn new(name: &str, job: &str, task: &str, backend: Backend) -> Self {
        Self {
            name: name.to_owned(),
            job: job.to_owned(),
            task: RefCell::new(task.to_owned()),
            next_path: Cell::new(1),
            once_names: RefCell::new(BTreeSet::new()),
            backend,
        }
    }

    /// Its name in the inventory.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the job.
    #[must_use]
    pub fn job(&self) -> &str {
        &self.job
    }

    /// Names the task that the output of the following steps belongs to; the operation's name at first.
    pub fn begin_task(&self, name: &str) {
        name.clone_into(&mut self.task.borrow_mut());
    }

    /// Runs one step. Needs the capability `transport`.
    ///
    /// # Errors
    /// Why it has no output. A process that ended with another code than 0 has one.
    pub fn run(&self, step: Step) -> Result<Output, StepError> {
        let path = self.path_of(&step)?;
        self.backend.run(&self.task.borrow(), &path, step)
    }

    /// Runs several steps in one round trip. One result per step. Needs the capability `transport`.
    pub fn run_batch(
        &self,
        steps: impl IntoIterator<Item = Step>,
        on_failure: OnFailure,
    ) -> Vec<Result<Output, StepError>> {
        let steps: Vec<Step> = steps.into_iter().collect();
        let count = steps.len();
        let numbered: Result<Vec<(String, Step)>, StepError> =
            steps.into_iter().map(|step| Ok((self.path_of(&step)?, step))).collect();
        match numbered {
            Ok(steps) => self.backend.run_batch(&self.task.borrow(), steps, on_failure),
            Err(error) => vec![Err(error); count],
        }
    }

    /// Starts writing a file of any size. Needs the capability `transport`.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn upload(&self, path: &str, mode: u32, user: RunAs) -> Result<Upload, StepError> {
        self.backend.upload(path, mode, user).map(Upload)
    }

    /// Starts reading a file of any size. Needs the capability `transport`.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn download(&self, path: &str, user: RunAs) -> Result<Download, StepError> {
        self.backend.download(path, user).map(Download)
    }

    /// Reports the result of a task. The outcome that an operation returns is reported by itself; this is
    /// for operations made of several tasks. Needs the capability `events`.
    pub fn report(&self, task: &str, outcome: Outcome) {
        self.backend.report(TaskResult { name: task.to_owned(), outcome });
    }

    /// Writes a line for people who follow the job. Needs the capability `events`.
    pub fn log(&self, level: Level, message: &str) {
        self.backend.log(level, message);
    }

    /// Steps that run once are known by their name; the others are numbered, because nothing ever has to
    /// find them again.
    fn path_of(&self, step: &Step) -> Result<String, StepError> {
        match &step.repeat {
            Repeat::Repeatable => {
                let number = self.next_path.get();
                self.next_path.set(number.saturating_add(1));
                Ok(format!("#{number}"))
            }
            Repeat::Once(name) => {
                if name.is_empty() || name.starts_with('#') {
                    return Err(StepError::Invalid(format!(
                        "`{name}` is no name for a step that runs once: give it one that does not start with #"
                    )));
                }
                if !self.once_names.borrow_mut().insert(name.clone()) {
                    return Err(StepError::Invalid(format!(
                        "two steps of this run are named `{name}`: give each step that runs once a name of its own"
                    )));
                }
                Ok(name.clone())
            }
        }
    }
}

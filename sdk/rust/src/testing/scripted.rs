//! The scripted host and what it has seen.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::rc::Rc;

use serde_json::Value;

use super::backend::Backend;
use super::reply::Reply;
use crate::executor::{Executor, PlanRequest, RunRequest};
use crate::host::{Host, Level};
use crate::outcome::{RunError, TaskResult};
use crate::step::Step;

/// A step as the server would have received it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The task that its output belongs to.
    pub task: String,
    /// Its path within the run.
    pub path: String,
    /// The step.
    pub step: Step,
}

/// A line of the job's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Its importance.
    pub level: Level,
    /// The text.
    pub message: String,
}

/// A file that an upload has put into its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its path.
    pub path: String,
    /// Its permission bits.
    pub mode: u32,
    /// Its content.
    pub content: Vec<u8>,
}

type Matcher = Box<dyn Fn(&Step) -> bool>;

pub(crate) struct Expectation {
    pub(crate) what: String,
    pub(crate) matches: Matcher,
    pub(crate) reply: Reply,
}

/// Everything that a scripted run shares with its backend.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) expected: VecDeque<Expectation>,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) results: Vec<TaskResult>,
    pub(crate) log: Vec<LogLine>,
    pub(crate) written: Vec<Written>,
    pub(crate) complaints: Vec<String>,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("sent", &self.sent).finish_non_exhaustive()
    }
}

/// A host that answers as a test says.
#[derive(Debug)]
pub struct ScriptedHost {
    name: String,
    script: Script,
}

impl ScriptedHost {
    /// A host of this name that expects nothing yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), script: Script::default() }
    }

    /// Expects, next, a step that does the same as `step` (its action is compared), and answers it.
    #[must_use]
    pub fn on(self, step: Step, reply: Reply) -> Self {
        let what = format!("{:?}", step.action);
        self.on_match(&what, move |sent| sent.action == step.action, reply)
    }

    /// Expects, next, a step that `matches`, described as `what`, and answers it.
    #[must_use]
    pub fn on_match(mut self, what: &str, matches: impl Fn(&Step) -> bool + 'static, reply: Reply) -> Self {
        self.script.expected.push_back(Expectation {
            what: what.to_owned(),
            matches: Box::new(matches),
            reply,
        });
        self
    }

    /// Has a file that can be downloaded.
    #[must_use]
    pub fn with_file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.script.files.insert(path.to_owned(), content.into());
        self
    }

    /// Validates, plans and runs an operation, as the server would.
    #[must_use]
    pub fn run<E: Executor>(self, operation: &str, args: Value) -> Transcript {
        let job = "00000000-0000-7000-8000-000000000000".to_owned();
        let script = Rc::new(RefCell::new(self.script));
        let planned = E::validate(operation, &args).and_then(|()| {
            E::plan(&PlanRequest {
                job: job.clone(),
                operation: operation.to_owned(),
                args: args.clone(),
                hosts: vec![self.name.clone()],
            })
        });
        let outcome = match planned {
            Err(error) => Err(RunError::Failed(format!("{}: {}", error.field, error.problem))),
            Ok(plan) => {
                let host = Host::new(&self.name, &job, operation, Backend(Rc::clone(&script)));
                let operation = operation.to_owned();
                E::run(&host, &RunRequest { job, operation, args, plan, host: self.name })
            }
        };
        Transcript::new(&mut script.borrow_mut(), outcome)
    }
}

/// What a plugin did in a scripted run.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    /// How the run itself ended.
    pub outcome: Result<(), RunError>,
    /// The reported results, in order.
    pub results: Vec<TaskResult>,
    /// The steps, in order.
    pub sent: Vec<Sent>,
    /// The lines of the log.
    pub log: Vec<LogLine>,
    /// Files that were uploaded.
    pub written: Vec<Written>,
    /// Steps that were not expected, and expected ones that did not come.
    pub complaints: Vec<String>,
}

impl Transcript {
    fn new(script: &mut Script, outcome: Result<(), RunError>) -> Self {
        let mut complaints = std::mem::take(&mut script.complaints);
        complaints.extend(script.expected.drain(..).map(|left| format!("never sent: {}", left.what)));
        Self {
            outcome,
            results: std::mem::take(&mut script.results),
            sent: std::mem::take(&mut script.sent),
            log: std::mem::take(&mut script.log),
            written: std::mem::take(&mut script.written),
            complaints,
        }
    }

    /// The only result.
    ///
    /// # Panics
    /// If there is not exactly one: the test fails.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "a test's assertion")]
    pub fn result(&self) -> &TaskResult {
        match self.results.as_slice() {
            [result] => result,
            results => {
                panic!("{} results instead of one: {results:?}; run: {:?}", results.len(), self.outcome)
            }
        }
    }

    /// Fails the test unless every expected step came, and no other.
    ///
    /// # Panics
    /// If one was missing or unexpected.
    #[track_caller]
    pub fn assert_complete(&self) {
        assert!(self.complaints.is_empty(), "{}", self.complaints.join("\n"));
    }
}

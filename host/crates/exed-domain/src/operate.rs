//! What became of a task on a host.

use serde_json::Value;

/// EXEd's operate state. The numbers on the wire belong to the façade; these are their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperateState {
    /// Done, nothing had to change.
    Ok,
    /// Not done, because a condition said so.
    Skipped,
    /// Tried and failed, or refused by a policy, or its fate is unknown.
    Failed,
    /// The host could not be reached.
    Unreachable,
    /// Done, and something changed.
    Changed,
}

impl OperateState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Skipped, Self::Failed, Self::Unreachable, Self::Changed];

    /// The word used in the store, in the native API and in logs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
            Self::Changed => "changed",
        }
    }

    /// The state of a word, if it is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether a task in this state fails its host.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Unreachable)
    }
}

/// The result of one task on one host, as its plugin reported it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskResult {
    /// The name of the task: `ping`, `service`, or a role's task name.
    pub name: String,
    /// What became of it.
    pub state: OperateState,
    /// The result itself: an object whose keys belong to the operation (`rtc`, `stdout`, `facter` …).
    pub data: Value,
    /// Why, where the state needs a reason.
    pub message: Option<String>,
}

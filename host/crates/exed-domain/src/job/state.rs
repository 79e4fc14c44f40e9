//! Which states a job and its targets have, and every transition between them.
//!
//! ```text
//!              claim                        every host done
//!   queued ─────────────▶ running ─────────────────────────▶ done
//!     │                    │  ▲ │        any host not done
//!     │ cancel             │  │ └───────────────────────────▶ failed
//!     │                    │  └─ claim again (lease expired)
//!     │             cancel │
//!     │                    ▼         remote trees ended
//!     │                 canceling ─────────────────────────▶ canceled
//!     └──────────────────────────────────────────────────────▶ canceled
//!
//!   target:  pending ─▶ running ─▶ done | failed | unreachable | canceled | unknown
//!               └──────────────────────────────▶ canceled
//! ```
//!
//! `canceling` may also be claimed again: the new owner ends what runs, then finishes it. A job that
//! completes while it is canceling ends as `canceled` all the same when any host was stopped, and as
//! `done` or `failed` when every host had already ended by itself.

use crate::operate::OperateState;

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    /// Accepted, not yet claimed.
    Queued,
    /// Claimed by a worker.
    Running,
    /// Claimed, and to be stopped.
    Canceling,
    /// Ended; every host did what was asked.
    Done,
    /// Ended; some host did not, or the job itself could not be run.
    Failed,
    /// Ended before its time.
    Canceled,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Running, Self::Canceling, Self::Done, Self::Failed, Self::Canceled];

    /// The word used in the store and in the native API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Canceling => "canceling",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// The state of a word, if it is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether nothing can change it any more.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Canceled)
    }
}

/// Where one host of a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetState {
    /// Nothing was done on it yet.
    Pending,
    /// Work on it has begun.
    Running,
    /// Everything that was asked was done.
    Done,
    /// A task failed, a policy refused, or the plugin itself failed.
    Failed,
    /// It could not be reached.
    Unreachable,
    /// It was stopped, or never begun, because the job was canceled.
    Canceled,
    /// Something was started on it whose fate cannot be told.
    Unknown,
}

impl TargetState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Unreachable,
        Self::Canceled,
        Self::Unknown,
    ];

    /// The word used in the store and in the native API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
            Self::Canceled => "canceled",
            Self::Unknown => "unknown",
        }
    }

    /// The state of a word, if it is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether the host has ended.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Pending | Self::Running => false,
            Self::Done | Self::Failed | Self::Unreachable | Self::Canceled | Self::Unknown => true,
        }
    }

    /// The state a host ends in when its last tasks were these.
    #[must_use]
    pub fn of_results(states: impl IntoIterator<Item = OperateState>) -> Self {
        let mut worst = Self::Done;
        for state in states {
            match state {
                OperateState::Ok | OperateState::Skipped | OperateState::Changed => {}
                OperateState::Failed => worst = Self::Failed,
                OperateState::Unreachable => return Self::Unreachable,
            }
        }
        worst
    }
}

/// What is asked of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A worker wants to run it. `lease_expired` tells whether the last claim has ended or never was.
    Claim {
        /// Whether nobody holds it.
        lease_expired: bool,
    },
    /// Somebody wants it to stop.
    Cancel,
    /// Its owner has seen every target end, in the given way.
    Finish(Ending),
}

/// How the targets of a job have ended, taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All of them did what was asked.
    AllDone,
    /// Some did not, or the job itself could not be run.
    SomeFailed,
    /// Some were stopped.
    SomeCanceled,
}

impl Ending {
    /// Sums up targets. An empty list is a failure: a job that matched nothing did nothing.
    #[must_use]
    pub fn of_targets(states: impl IntoIterator<Item = TargetState>) -> Self {
        let mut ending = Self::SomeFailed;
        for (index, state) in states.into_iter().enumerate() {
            if index == 0 {
                ending = Self::AllDone;
            }
            match state {
                TargetState::Done => {}
                TargetState::Canceled => return Self::SomeCanceled,
                TargetState::Pending
                | TargetState::Running
                | TargetState::Failed
                | TargetState::Unreachable
                | TargetState::Unknown => ending = Self::SomeFailed,
            }
        }
        ending
    }
}

/// Why a trigger is refused in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The job has ended.
    #[error("the job has already ended")]
    AlreadyEnded,
    /// Somebody else runs it.
    #[error("the job is held by another worker")]
    Held,
    /// Nobody has claimed it yet, so nobody can finish it.
    #[error("the job has not been claimed")]
    NotClaimed,
}

/// The state after `trigger`, or why there is none.
///
/// # Errors
/// A [`Refusal`]: the job stays as it is.
pub fn transition(state: JobState, trigger: Trigger) -> Result<JobState, Refusal> {
    match (state, trigger) {
        (JobState::Done | JobState::Failed | JobState::Canceled, _) => Err(Refusal::AlreadyEnded),
        (JobState::Queued, Trigger::Claim { .. }) => Ok(JobState::Running),
        (JobState::Running | JobState::Canceling, Trigger::Claim { lease_expired: false }) => {
            Err(Refusal::Held)
        }
        (JobState::Running, Trigger::Claim { lease_expired: true }) => Ok(JobState::Running),
        (JobState::Canceling, Trigger::Claim { lease_expired: true }) => Ok(JobState::Canceling),
        (JobState::Queued, Trigger::Cancel) => Ok(JobState::Canceled),
        (JobState::Running | JobState::Canceling, Trigger::Cancel) => Ok(JobState::Canceling),
        (JobState::Queued, Trigger::Finish(_)) => Err(Refusal::NotClaimed),
        (JobState::Running | JobState::Canceling, Trigger::Finish(Ending::AllDone)) => Ok(JobState::Done),
        (JobState::Running | JobState::Canceling, Trigger::Finish(Ending::SomeFailed)) => {
            Ok(JobState::Failed)
        }
        // A target is canceled only because the job was, or because a deadline stopped it.
        (JobState::Running, Trigger::Finish(Ending::SomeCanceled)) => Ok(JobState::Failed),
        (JobState::Canceling, Trigger::Finish(Ending::SomeCanceled)) => Ok(JobState::Canceled),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Ending, JobState, Refusal, TargetState, Trigger, transition};
    use crate::operate::OperateState;

    const TRIGGERS: [Trigger; 6] = [
        Trigger::Claim { lease_expired: false },
        Trigger::Claim { lease_expired: true },
        Trigger::Cancel,
        Trigger::Finish(Ending::AllDone),
        Trigger::Finish(Ending::SomeFailed),
        Trigger::Finish(Ending::SomeCanceled),
    ];

    fn triggers() -> impl Strategy<Value = Vec<Trigger>> {
        prop::collection::vec(prop::sample::select(TRIGGERS.to_vec()), 0..24)
    }

    fn targets() -> impl Strategy<Value = Vec<TargetState>> {
        prop::collection::vec(prop::sample::select(TargetState::ALL.to_vec()), 0..12)
    }

    #[test]
    fn words_are_distinct_and_read_back() {
        for state in JobState::ALL {
            assert_eq!(JobState::from_word(state.word()), Some(state));
        }
        for state in TargetState::ALL {
            assert_eq!(TargetState::from_word(state.word()), Some(state));
        }
        assert_eq!(JobState::from_word("Done"), None);
        assert_eq!(TargetState::from_word(""), None);
    }

    #[test]
    fn an_ended_job_refuses_everything() {
        for state in JobState::ALL.into_iter().filter(|state| state.is_terminal()) {
            for trigger in TRIGGERS {
                assert_eq!(transition(state, trigger), Err(Refusal::AlreadyEnded), "{state:?} {trigger:?}");
            }
        }
    }

    #[test]
    fn a_held_job_is_claimed_only_when_its_lease_has_expired() {
        for state in [JobState::Running, JobState::Canceling] {
            assert_eq!(transition(state, Trigger::Claim { lease_expired: false }), Err(Refusal::Held));
            assert_eq!(transition(state, Trigger::Claim { lease_expired: true }), Ok(state));
        }
    }

    #[test]
    fn every_state_that_has_not_ended_can_end() {
        assert_eq!(transition(JobState::Queued, Trigger::Cancel), Ok(JobState::Canceled));
        for state in [JobState::Running, JobState::Canceling] {
            for ending in [Ending::AllDone, Ending::SomeFailed, Ending::SomeCanceled] {
                assert!(transition(state, Trigger::Finish(ending)).unwrap().is_terminal());
            }
        }
    }

    #[test]
    fn a_job_without_targets_has_failed() {
        assert_eq!(Ending::of_targets([]), Ending::SomeFailed);
    }

    proptest! {
        #[test]
        fn every_sequence_follows_the_rules(triggers in triggers()) {
            let (mut state, mut claimed, mut canceled) = (JobState::Queued, false, false);
            for trigger in triggers {
                let Ok(next) = transition(state, trigger) else { continue };
                prop_assert!(!state.is_terminal(), "{state:?} changed");
                prop_assert!(next != JobState::Queued, "nothing returns to the queue");
                prop_assert!(state != JobState::Canceling || next != JobState::Running, "a cancel is not undone");
                claimed |= matches!(trigger, Trigger::Claim { .. });
                canceled |= trigger == Trigger::Cancel;
                prop_assert!(claimed || !matches!(next, JobState::Done | JobState::Failed), "finished unclaimed");
                prop_assert!(canceled || next != JobState::Canceled, "canceled by nobody");
                if let Trigger::Finish(_) = trigger {
                    prop_assert!(next.is_terminal());
                }
                prop_assert!(next != JobState::Done || trigger == Trigger::Finish(Ending::AllDone));
                state = next;
            }
        }

        #[test]
        fn an_ending_sums_up_its_targets(targets in targets()) {
            let ending = Ending::of_targets(targets.iter().copied());
            let canceled = targets.contains(&TargetState::Canceled);
            let all_done = !targets.is_empty() && targets.iter().all(|state| *state == TargetState::Done);
            prop_assert_eq!(ending == Ending::SomeCanceled, canceled);
            prop_assert_eq!(ending == Ending::AllDone, all_done);
        }

        #[test]
        fn the_order_of_targets_does_not_matter(targets in targets()) {
            let forwards = Ending::of_targets(targets.iter().copied());
            prop_assert_eq!(Ending::of_targets(targets.into_iter().rev()), forwards);
        }

        #[test]
        fn the_worst_result_decides(
            states in prop::collection::vec(prop::sample::select(OperateState::ALL.to_vec()), 0..8),
        ) {
            let expected = if states.contains(&OperateState::Unreachable) {
                TargetState::Unreachable
            } else if states.contains(&OperateState::Failed) {
                TargetState::Failed
            } else {
                TargetState::Done
            };
            prop_assert_eq!(TargetState::of_results(states), expected);
        }
    }
}

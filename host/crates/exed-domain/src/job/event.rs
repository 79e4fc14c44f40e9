//! Append-only events. They are what follow streams replay and then tail.

use bytes::Bytes;

use super::state::{JobState, TargetState};
use crate::ids::{EventSeq, HostName};
use crate::operate::TaskResult;
use crate::step::OutputStream;
use crate::time::Timestamp;

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// The job was submitted.
    Submitted,
    /// A worker has claimed the job. The number is the fencing token: more than 1 means it was taken up
    /// again after a crash.
    Claimed {
        /// Which claim.
        attempt: i64,
    },
    /// Work on the host begins.
    HostStarted,
    /// The host has written something.
    Output {
        /// The task whose step wrote it.
        task: String,
        /// Which stream.
        stream: OutputStream,
        /// The bytes; a multi-byte character may be split between two events.
        data: Bytes,
    },
    /// A task has ended.
    Task(TaskResult),
    /// A line for people, from the plugin or the server.
    Log {
        /// `debug`, `info`, `warn` or `error`.
        level: String,
        /// The text.
        message: String,
    },
    /// The work on the host has ended.
    HostFinished {
        /// How.
        state: TargetState,
        /// Why, where the state needs a reason.
        message: Option<String>,
    },
    /// Somebody asked for the job to be canceled.
    CancelRequested {
        /// Who.
        requester: String,
    },
    /// The job has ended; no event follows.
    Finished {
        /// How.
        state: JobState,
        /// Why it failed.
        error: Option<String>,
    },
}

/// An event before the store has numbered it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// When it happened.
    pub time: Timestamp,
    /// On which host; none for the job itself.
    pub host: Option<HostName>,
    /// What happened.
    pub kind: EventKind,
}

/// A stored event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its position within the job, from 1, without gaps.
    pub seq: EventSeq,
    /// When it happened.
    pub time: Timestamp,
    /// On which host; none for the job itself.
    pub host: Option<HostName>,
    /// What happened.
    pub kind: EventKind,
}

//! Typed steps: the only thing a plugin can ask a host to do.
//!
//! A plugin sends steps, singly or as a batch; the server asks the policies, and the transport renders a
//! batch into one round trip. Data travels only as arguments, environment or standard input, never as
//! part of a script's text.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

/// Whether a step may be repeated after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Running it twice is harmless.
    Repeatable,
    /// It must not run twice: it is recorded on the host under its id, and a repetition returns the
    /// recorded result, takes up the process that still runs, or ends as unknown.
    Once,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A program with its arguments; no shell interprets them.
    Argv(Vec<String>),
    /// A command line for the host's `/bin/sh`.
    Shell(String),
    /// A script whose text is constant inside the plugin's component.
    Script(ScriptCall),
    /// A small file, written to a temporary name beside the destination and renamed.
    PutFile(PutFile),
    /// A read-only question of the server's own vocabulary.
    Probe(Probe),
}

impl Action {
    /// Whether the step cannot change the host: probes, and scripts that a trusted manifest declares
    /// read-only. Only these run in check mode, and only these skip the record.
    #[must_use]
    pub fn read_only(&self) -> bool {
        match self {
            Self::Probe(_) => true,
            Self::Script(call) => call.read_only,
            Self::Argv(_) | Self::Shell(_) | Self::PutFile(_) => false,
        }
    }
}

/// A call of a constant script. The plugin host fills in everything but name and arguments from the
/// component itself, so that a plugin cannot send another text under a trusted name.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptCall {
    /// The name within the plugin.
    pub name: String,
    /// SHA-256 of the text, lower-case hex.
    pub digest: String,
    /// POSIX shell text.
    pub text: Arc<str>,
    /// Positional parameters.
    pub args: Vec<String>,
    /// Whether the manifest declares it read-only.
    pub read_only: bool,
}

/// A file to write. Larger contents go through the upload call instead.
#[derive(Clone, Debug, PartialEq)]
pub struct PutFile {
    /// Absolute path on the host.
    pub path: String,
    /// Permission bits, `0o7777` at most.
    pub mode: u32,
    /// The whole content.
    pub content: Bytes,
}

/// Read-only questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Kind, size, mode, owner, group, times and link target of a path, as an object with the keys
    /// `kind` (`file`, `directory`, `link`, `other`), `size`, `mode` (octal text), `uid`, `gid`, `owner`,
    /// `group`, `mtime` (seconds), `inode`, `links` and `target` (links only).
    Stat {
        /// Absolute path.
        path: String,
        /// Whether a final symbolic link is followed.
        follow: bool,
    },
    /// SHA-256 of a regular file, as lower-case hex text.
    Checksum {
        /// Absolute path.
        path: String,
    },
    /// The content of a regular file.
    Read {
        /// Absolute path.
        path: String,
        /// At most this many bytes; a longer file is an error that says its size.
        limit: u64,
    },
    /// The names in a folder, as a sorted array.
    List {
        /// Absolute path.
        path: String,
    },
    /// The absolute path of a program on the search path, as text.
    Which {
        /// Name without a slash.
        program: String,
    },
    /// An entry of the account databases as `getent` prints it, as an array of its fields.
    Lookup {
        /// `passwd`, `group`, `hosts` or `services`.
        database: String,
        /// The key.
        key: String,
    },
}

/// The answer to a probe. "It is not there" is an answer, not an error.
#[derive(Clone, Debug, PartialEq)]
pub enum ProbeAnswer {
    /// Nothing is at that path or under that key.
    Absent,
    /// A value whose shape stands at the [`Probe`].
    Value(Value),
    /// Raw content, for [`Probe::Read`].
    Content(Bytes),
}

/// As whom a step runs.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Become {
    /// As the host's variables say (`ansible_become`, `ansible_become_user` …).
    #[default]
    Inherit,
    /// As the connection's user, whatever the variables say.
    Never,
    /// As the given user, by the host's method.
    User(String),
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Unique within the run: with job and host it makes the step's id.
    pub path: String,
    /// What it does.
    pub action: Action,
    /// Whether it may be repeated after a crash.
    pub repeat: Repeat,
    /// Standard input; nothing else is ever connected to it.
    pub stdin: Bytes,
    /// Additional environment. Values may be secret and are never logged.
    pub env: Vec<(String, String)>,
    /// Working directory; the login directory if absent.
    pub cwd: Option<String>,
    /// As whom.
    pub user: Become,
    /// Wall time for this step; none means the run's own limit.
    pub timeout: Option<Duration>,
    /// Whether output is also streamed to the sink while the step runs.
    pub live: bool,
    /// At most this many bytes are kept of each output stream; the rest is counted and dropped.
    pub output_limit: u64,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It returned a code.
    Code(i32),
    /// A signal ended it: its name without `SIG` (`KILL`, `TERM`).
    Signal(String),
}

impl ExitStatus {
    /// Whether it is code 0.
    #[must_use]
    pub fn success(&self) -> bool {
        matches!(self, Self::Code(0))
    }
}

/// What a step that ran has left.
#[derive(Clone, Debug, PartialEq)]
pub struct StepOutput {
    /// How the process ended; `Code(0)` for probes and files.
    pub status: ExitStatus,
    /// Captured standard output, at most the step's limit.
    pub stdout: Bytes,
    /// Captured standard error, at most the step's limit.
    pub stderr: Bytes,
    /// Bytes that were dropped because of the limit, of both streams together.
    pub dropped: u64,
    /// The answer, for probes.
    pub answer: Option<ProbeAnswer>,
    /// Whether the result comes from a record or a process of an earlier attempt.
    pub resumed: bool,
}

/// Which of the two output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Why a step has no output.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// A policy refused it; nothing was sent.
    #[error("denied by policy {policy}: {reason}")]
    Denied {
        /// Which policy.
        policy: String,
        /// Why.
        reason: String,
    },
    /// The server refuses writes in check mode.
    #[error("refused in check mode: {0}")]
    CheckMode(String),
    /// The host could not be reached, or the connection was lost before the step started.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The time ran out and the remote process tree was ended.
    #[error("timed out after {seconds} s; {ended}")]
    TimedOut {
        /// The limit.
        seconds: u64,
        /// What was ended, as a phrase.
        ended: String,
    },
    /// The job was canceled, or its lease was lost.
    #[error("canceled")]
    Canceled,
    /// The step was started and nobody can tell what became of it.
    #[error("fate unknown: {0}")]
    Unknown(String),
    /// A newer attempt of the job has been seen on the host.
    #[error("refused by the host: a newer attempt of this job has taken over")]
    Fenced,
    /// The step itself is wrong: a relative path, a NUL byte, an unknown script.
    #[error("invalid step: {0}")]
    Invalid(String),
    /// The host refused or failed to carry out the request itself (no space, no such user).
    #[error("{0}")]
    Failed(String),
}

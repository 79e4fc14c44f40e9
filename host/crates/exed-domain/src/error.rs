//! What a service answers when it cannot do what was asked. The categories know no HTTP: each façade
//! decides its own statuses, exhaustively.

use std::time::Duration;

/// The result of a service call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One field of the input that was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct FieldError {
    /// The field, as a dotted path from the root of the input.
    pub field: String,
    /// What was wrong with it and what is accepted, as a sentence without a full stop.
    pub problem: String,
}

impl FieldError {
    /// A field error.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

/// Why a request was not carried out. Nothing has changed when one of these is returned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input is wrong; nothing but another input will help.
    #[error(transparent)]
    Invalid(#[from] FieldError),
    /// Nothing of that name is there.
    #[error("no such {kind} {name}")]
    NotFound {
        /// What was looked for: `jid`, `host`, `plugin`.
        kind: &'static str,
        /// Its name as asked.
        name: String,
    },
    /// The target pattern matched no host.
    #[error("no hosts match that target")]
    NoHosts,
    /// A job that excludes this one already holds some of the hosts.
    #[error("operate conflict, job already exists on some host(s)")]
    HostsBusy {
        /// The hosts that are held, sorted.
        hosts: Vec<String>,
    },
    /// The thing is in a state that does not allow this.
    #[error("{0}")]
    Conflict(String),
    /// No loaded plugin offers the operation.
    #[error("{0}")]
    Unsupported(String),
    /// Too much is under way; try again after the given time.
    #[error("the server is at its limit: {what}; try again in {} s", retry_after.as_secs())]
    Busy {
        /// Which limit was reached.
        what: String,
        /// When another attempt is reasonable.
        retry_after: Duration,
    },
    /// The fault is ours. The chain is logged where it is answered, and not shown outside.
    #[error("internal error: {context}")]
    Internal {
        /// What was being done.
        context: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Wraps a failure of our own.
    pub fn internal(
        context: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Internal { context, source: source.into() }
    }

    /// Whether the same request may succeed later without anybody changing it.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::HostsBusy { .. } | Self::Busy { .. } => true,
            Self::Invalid(_)
            | Self::NotFound { .. }
            | Self::NoHosts
            | Self::Conflict(_)
            | Self::Unsupported(_)
            | Self::Internal { .. } => false,
        }
    }
}

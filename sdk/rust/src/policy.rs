//! Policies: plugins that allow or deny steps before they are sent.

use serde::de::DeserializeOwned;

/// Who wants to do something where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Who submitted the job.
    pub actor: String,
    /// The operation of the job.
    pub operation: String,
    /// The plugin that sends the step.
    pub plugin: String,
    /// The host that the step would run on.
    pub host: String,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyAction {
    /// A program with its arguments.
    Argv(Vec<String>),
    /// A command line for a shell.
    Shell(String),
    /// A constant script of a plugin.
    Script {
        /// Its name within the plugin.
        name: String,
        /// SHA-256 of its text, lower-case hex: allowing a script trusts this digest.
        digest: String,
        /// Its positional parameters.
        args: Vec<String>,
        /// Whether the plugin's manifest declares it read-only.
        read_only: bool,
    },
    /// A file to be written.
    WriteFile {
        /// Its path.
        path: String,
        /// Permission bits.
        mode: u32,
        /// Its size in bytes, if it is known beforehand.
        size: Option<u64>,
    },
    /// A file to be read, by its path.
    ReadFile(String),
    /// A read-only question of the server's vocabulary.
    Probe {
        /// `stat`, `checksum`, `read`, `list`, `which` or `lookup`.
        kind: String,
        /// Path, program or `database:key`.
        subject: String,
    },
}

/// The answer to one action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be done.
    Allow,
    /// It may not, because of this; a sentence without a full stop.
    Deny(String),
}

impl Verdict {
    /// A denial with its reason.
    #[must_use]
    pub fn deny(reason: impl Into<String>) -> Self {
        Self::Deny(reason.into())
    }
}

/// A plugin that allows or denies. It imports nothing and has a few milliseconds; whatever goes wrong
/// denies.
pub trait Policy: Sized {
    /// The operator's configuration.
    type Config: DeserializeOwned;

    /// Takes the configuration, once per instance, before anything else.
    ///
    /// # Errors
    /// What is wrong with it, what is accepted, and where.
    fn configure(config: Self::Config) -> Result<Self, String>;

    /// The verdict on one action.
    fn evaluate(&self, subject: &Subject, action: &PolicyAction) -> Verdict;
}

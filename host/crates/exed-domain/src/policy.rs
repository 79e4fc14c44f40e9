//! What a policy is asked and what it answers.

use crate::ids::HostName;
use crate::ports::transport::TransferRequest;
use crate::step::{Action, Probe};

/// Who wants to do something where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Who submitted the job.
    pub actor: String,
    /// The operation of the job.
    pub operation: String,
    /// The plugin that sends the step.
    pub plugin: String,
    /// The host that the step would run on.
    pub host: HostName,
}

/// What is about to be done on a host, as policies see it: everything that identifies it, without
/// contents, environment or standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposal {
    /// A program with its arguments.
    Argv(Vec<String>),
    /// A command line for a shell.
    Shell(String),
    /// A constant script of the plugin.
    Script {
        /// Its name within the plugin.
        name: String,
        /// SHA-256 of its text, lower-case hex.
        digest: String,
        /// Its positional parameters.
        args: Vec<String>,
        /// Whether the manifest declares it read-only.
        read_only: bool,
    },
    /// A file to be written.
    WriteFile {
        /// Absolute path.
        path: String,
        /// Permission bits.
        mode: u32,
        /// Size in bytes, if it is known beforehand.
        size: Option<u64>,
    },
    /// A file to be read as a whole.
    ReadFile {
        /// Absolute path.
        path: String,
    },
    /// A question of the server's vocabulary.
    Probe {
        /// `stat`, `checksum`, `read`, `list`, `which` or `lookup`.
        kind: &'static str,
        /// The path, the program, or `database:key`.
        subject: String,
    },
}

impl From<&Action> for Proposal {
    fn from(action: &Action) -> Self {
        match action {
            Action::Argv(words) => Self::Argv(words.clone()),
            Action::Shell(line) => Self::Shell(line.clone()),
            Action::Script(call) => Self::Script {
                name: call.name.clone(),
                digest: call.digest.clone(),
                args: call.args.clone(),
                read_only: call.read_only,
            },
            Action::PutFile(file) => Self::WriteFile {
                path: file.path.clone(),
                mode: file.mode,
                size: u64::try_from(file.content.len()).ok(),
            },
            Action::Probe(probe) => {
                let (kind, subject) = match probe {
                    Probe::Stat { path, .. } => ("stat", path.clone()),
                    Probe::Checksum { path } => ("checksum", path.clone()),
                    Probe::Read { path, .. } => ("read", path.clone()),
                    Probe::List { path } => ("list", path.clone()),
                    Probe::Which { program } => ("which", program.clone()),
                    Probe::Lookup { database, key } => ("lookup", format!("{database}:{key}")),
                };
                Self::Probe { kind, subject }
            }
        }
    }
}

impl From<&TransferRequest> for Proposal {
    fn from(request: &TransferRequest) -> Self {
        match request {
            TransferRequest::Upload { path, mode, .. } => {
                Self::WriteFile { path: path.clone(), mode: *mode, size: None }
            }
            TransferRequest::Download { path, .. } => Self::ReadFile { path: path.clone() },
        }
    }
}

/// The answer of the bound policies to one proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be done.
    Allow,
    /// It may not be done.
    Deny {
        /// The policy that said so.
        policy: String,
        /// Why, as a sentence without a full stop.
        reason: String,
    },
}

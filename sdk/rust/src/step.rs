//! Steps: everything a plugin can ask a host to do.

use std::time::Duration;

/// Whether a step may be repeated after a crash of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Running it twice is harmless.
    Repeatable,
    /// It must not run twice. The name identifies it within the run, whatever other steps came before.
    Once(String),
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A program with its arguments; no shell interprets them.
    Argv(Vec<String>),
    /// A command line for the host's `/bin/sh`.
    Shell(String),
    /// A script that is embedded in the component, with its positional parameters.
    Script {
        /// The name, as the export macro lists it.
        name: String,
        /// `$1`, `$2` …
        args: Vec<String>,
    },
    /// A file of at most 1 MiB, written beside its destination and renamed.
    PutFile {
        /// Absolute path.
        path: String,
        /// Permission bits, at most `0o7777`.
        mode: u32,
        /// The whole content.
        content: Vec<u8>,
    },
    /// A read-only question that the server answers.
    Probe(Probe),
}

/// The server's own read-only questions. Paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Kind, size, mode, owner, group and times of a path; the answer is an object.
    Stat {
        /// The path.
        path: String,
        /// Whether a final symbolic link is followed.
        follow: bool,
    },
    /// SHA-256 of a regular file; the answer is lower-case hex text.
    Checksum(String),
    /// The content of a regular file.
    Read {
        /// The path.
        path: String,
        /// At most this many bytes; a longer file is an error.
        limit: u64,
    },
    /// The sorted names in a folder.
    List(String),
    /// The absolute path of a program on the search path.
    Which(String),
    /// The fields of an entry of an account database.
    Lookup {
        /// `passwd`, `group`, `hosts` or `services`.
        database: String,
        /// The key.
        key: String,
    },
}

/// As whom a step runs.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum RunAs {
    /// As the host's variables say.
    #[default]
    Inherit,
    /// As the connection's user.
    Login,
    /// As this user.
    User(String),
}

/// One step. Made by a constructor, refined by the methods, sent by [`Host::run`](crate::Host::run).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// Whether it may be repeated after a crash.
    pub repeat: Repeat,
    /// Standard input.
    pub stdin: Vec<u8>,
    /// Additional environment.
    pub env: Vec<(String, String)>,
    /// Working directory; the login directory if absent.
    pub cwd: Option<String>,
    /// As whom.
    pub user: RunAs,
    /// Wall time; the run's own limit if absent.
    pub timeout: Option<Duration>,
    /// Whether output also becomes events of the job while the step runs.
    pub live: bool,
    /// At most this many bytes of each stream are returned; the server's maximum if absent.
    pub output_limit: Option<u64>,
}

impl Step {
    /// A step that does `action` and may be repeated.
    #[must_use]
    pub fn new(action: Action) -> Self {
        Self {
            action,
            repeat: Repeat::Repeatable,
            stdin: Vec::new(),
            env: Vec::new(),
            cwd: None,
            user: RunAs::Inherit,
            timeout: None,
            live: false,
            output_limit: None,
        }
    }

    /// A program with its arguments; no shell interprets them.
    #[must_use]
    pub fn argv<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        Self::new(Action::Argv(words.into_iter().map(Into::into).collect()))
    }

    /// A command line for the host's `/bin/sh`. Never build one from data: use [`Step::script`].
    #[must_use]
    pub fn shell(text: impl Into<String>) -> Self {
        Self::new(Action::Shell(text.into()))
    }

    /// An embedded script, by the name that the export macro gives it.
    #[must_use]
    pub fn script(name: impl Into<String>) -> Self {
        Self::new(Action::Script { name: name.into(), args: Vec::new() })
    }

    /// A file of at most 1 MiB; larger ones go through [`Host::upload`](crate::Host::upload).
    #[must_use]
    pub fn put_file(path: impl Into<String>, mode: u32, content: impl Into<Vec<u8>>) -> Self {
        Self::new(Action::PutFile { path: path.into(), mode, content: content.into() })
    }

    /// A question of the server's read-only vocabulary.
    #[must_use]
    pub fn probe(probe: Probe) -> Self {
        Self::new(Action::Probe(probe))
    }

    /// Asks what is at a path, following a final symbolic link.
    #[must_use]
    pub fn probe_stat(path: impl Into<String>) -> Self {
        Self::probe(Probe::Stat { path: path.into(), follow: true })
    }

    /// Asks for the content of a file of at most `limit` bytes.
    #[must_use]
    pub fn probe_read(path: impl Into<String>, limit: u64) -> Self {
        Self::probe(Probe::Read { path: path.into(), limit })
    }

    /// Asks where a program is.
    #[must_use]
    pub fn probe_which(program: impl Into<String>) -> Self {
        Self::probe(Probe::Which(program.into()))
    }

    /// Adds a positional parameter to a script, or a word to an argument list. Other actions take none
    /// and stay as they are.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        match &mut self.action {
            Action::Argv(words) => words.push(arg.into()),
            Action::Script { args, .. } => args.push(arg.into()),
            Action::Shell(_) | Action::PutFile { .. } | Action::Probe(_) => {}
        }
        self
    }

    /// Forbids running it twice. After a crash the server finds the record of this name on the host; so
    /// the name must be unique within the run and must not depend on what earlier steps found.
    #[must_use]
    pub fn once(mut self, name: impl Into<String>) -> Self {
        self.repeat = Repeat::Once(name.into());
        self
    }

    /// Gives it standard input.
    #[must_use]
    pub fn stdin(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.stdin = data.into();
        self
    }

    /// Adds a variable to its environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Sets its working directory.
    #[must_use]
    pub fn cwd(mut self, path: impl Into<String>) -> Self {
        self.cwd = Some(path.into());
        self
    }

    /// Sets the user it runs as.
    #[must_use]
    pub fn run_as(mut self, user: RunAs) -> Self {
        self.user = user;
        self
    }

    /// Limits its wall time.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Streams its output to those who follow the job.
    #[must_use]
    pub fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// Limits how many bytes of each output stream are returned.
    #[must_use]
    pub fn output_limit(mut self, bytes: u64) -> Self {
        self.output_limit = Some(bytes);
        self
    }
}

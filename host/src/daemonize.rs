//! `--daemon`: the process starts itself once more; that child leaves the session and the terminal, and the
//! parent returns when the child answers requests, or with what went wrong.
//!
//! The child's standard output is the pipe that it reports over, until it is ready. Its standard error is
//! the parent's until then, so that a failure to start is seen by whoever started it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Command, ExitCode, Stdio};

use anyhow::Context as _;
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

use crate::config::Config;

/// Tells the parent that the server answers.
#[derive(Debug)]
pub(crate) struct Readiness(Option<File>);

impl Readiness {
    /// Nobody waits.
    pub(crate) fn foreground() -> Self {
        Self(None)
    }

    /// Tells it, and lets go of the terminal.
    ///
    /// # Errors
    /// When `/dev/null` cannot be opened. A parent that is gone is none.
    pub(crate) fn tell(self) -> anyhow::Result<()> {
        let Some(mut pipe) = self.0 else { return Ok(()) };
        dup2_stderr(null()?).context("letting go of standard error")?;
        if let Err(error) = pipe.write_all(b"r") {
            tracing::debug!(%error, "nobody waited for the server to be ready");
        }
        Ok(())
    }
}

/// The parent's side: starts the child and waits until it is ready or gone.
///
/// # Errors
/// When the child cannot be started.
pub(crate) fn in_background(config: &Config) -> anyhow::Result<ExitCode> {
    if config.log.error_log.is_none() {
        let _ = writeln!(
            std::io::stderr(),
            "exed: no error_log is set, so that the log of the process in the background goes nowhere"
        );
    }
    let program = std::env::current_exe().context("finding the program to start in the background")?;
    let mut child = Command::new(program)
        .args(std::env::args_os().skip(1))
        .arg("--daemon-child")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting the process in the background")?;
    let mut report = Vec::new();
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_end(&mut report).context("waiting for the process in the background")?;
    }
    if report.is_empty() {
        // It has told why on standard error.
        child.wait().context("waiting for the process in the background")?;
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// The child's side: a session of its own, and nothing of the terminal but standard error until it is ready.
///
/// # Errors
/// When the system refuses one of these.
pub(crate) fn detach() -> anyhow::Result<Readiness> {
    rustix::process::setsid().context("leaving the session")?;
    let pipe = std::io::stdout().as_fd().try_clone_to_owned().context("keeping the pipe to the parent")?;
    dup2_stdout(null()?).context("letting go of standard output")?;
    dup2_stdin(null()?).context("letting go of standard input")?;
    Ok(Readiness(Some(File::from(pipe))))
}

fn null() -> anyhow::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/null").context("opening /dev/null")
}

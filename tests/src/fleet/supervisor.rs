//! The process that holds a fleet, and the pipe that keeps it alive.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::network::{Subnet, Uplink};
use super::{Init, text};
use crate::process::wait_until;

const SUPERVISOR: &str = include_str!("supervisor.sh");
const HOST: &str = include_str!("host.sh");

/// Sends commands to the supervisor.
#[derive(Clone, Debug)]
pub(super) struct Commands(Arc<Mutex<Option<ChildStdin>>>);

impl Commands {
    /// Sends one line.
    pub(super) fn send(&self, line: &str) -> anyhow::Result<()> {
        let mut input = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let input = input.as_mut().context("the fleet has ended")?;
        writeln!(input, "{line}").context("the supervisor of the fleet has ended")
    }
}

/// The supervisor. Dropping it ends the fleet.
#[derive(Debug)]
pub(super) struct Supervisor {
    child: Child,
    commands: Commands,
    output: Mutex<BufReader<ChildStdout>>,
    pid: u32,
    log: PathBuf,
}

impl Supervisor {
    /// Starts it in namespaces of its own; the hosts start when the cable is connected.
    pub(super) fn start(
        work: &Path,
        image: &Path,
        subnet: &Subnet,
        count: usize,
        init: Init,
    ) -> anyhow::Result<Self> {
        fs::write(work.join("supervisor.sh"), SUPERVISOR)?;
        fs::write(work.join("host.sh"), HOST)?;
        let log = work.join("supervisor.log");
        let mut child = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child=KILL", "sh"])
            .arg(work.join("supervisor.sh"))
            .args([text(work)?, text(image)?, &subnet.prefix(), &count.to_string(), init.word()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log)?)
            // A Ctrl-C is for the process that holds the fleet; the fleet follows through the pipe.
            .process_group(0)
            .spawn()
            .context("starting unshare")?;
        let input = child.stdin.take().context("unshare has no standard input")?;
        let output = child.stdout.take().context("unshare has no standard output")?;
        let commands = Commands(Arc::new(Mutex::new(Some(input))));
        let mut supervisor =
            Self { child, commands, output: Mutex::new(BufReader::new(output)), pid: 0, log };
        let line = supervisor.answer()?;
        supervisor.pid = line.parse().with_context(|| format!("the supervisor's process id is {line:?}"))?;
        Ok(supervisor)
    }

    /// Its process id, as this process knows it.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// A handle for commands.
    pub(super) fn commands(&self) -> Commands {
        self.commands.clone()
    }

    /// Tells it the other end of the cable and waits until it has started the hosts.
    pub(super) fn connect(&self, uplink: &Uplink) -> anyhow::Result<()> {
        self.commands.send(&uplink.peer())?;
        match self.answer()?.as_str() {
            "up" => Ok(()),
            other => bail!("the supervisor of the fleet said {other:?} instead of \"up\""),
        }
    }

    /// Ends the fleet and waits for it.
    pub(super) fn stop(&mut self) -> anyhow::Result<()> {
        drop(self.commands.0.lock().unwrap_or_else(PoisonError::into_inner).take());
        let child = &mut self.child;
        let ended =
            wait_until("the fleet to end", Duration::from_secs(10), || !matches!(child.try_wait(), Ok(None)));
        if ended.is_err() {
            // Killing unshare kills the supervisor, and the kernel ends the namespace with it.
            self.child.kill().context("killing the supervisor of the fleet")?;
            self.child.wait().context("waiting for the supervisor of the fleet")?;
        }
        ended
    }

    /// The next line that it prints. It either answers or ends, so this needs no limit of its own.
    fn answer(&self) -> anyhow::Result<String> {
        let mut line = String::new();
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        output.read_line(&mut line).context("reading from the supervisor of the fleet")?;
        if line.is_empty() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            bail!("the supervisor of the fleet ended: {}", log.trim());
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // Nobody is left to tell; what did not go was killed.
        let _ = self.stop();
    }
}

//! The same work by a bare client: a short asyncssh program that does nothing else.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tests::fleet::Fleet;

use crate::clock::Sample;

const CLIENT: &str = include_str!("client.py");

/// The client, and which hosts it connects to.
pub(crate) struct Asyncssh {
    python: PathBuf,
    key: PathBuf,
    known_hosts: PathBuf,
    addresses: Vec<String>,
}

impl Asyncssh {
    /// A client for the first `hosts` hosts.
    pub(crate) fn new(python: PathBuf, fleet: &Fleet, hosts: usize) -> Self {
        let addresses = fleet.hosts().iter().take(hosts).map(|host| host.address().to_string()).collect();
        Self { python, key: fleet.ssh_key(), known_hosts: fleet.known_hosts(), addresses }
    }

    /// Connects to every host at once and runs a command there. Its own clock counts, so that the start of
    /// Python does not.
    pub(crate) fn run(&self, remote: &str) -> anyhow::Result<Sample> {
        let mut python = Command::new(&self.python);
        python.args(["-c", CLIENT]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().with_context(|| format!("starting {}", self.python.display()))?;
        let job = json!({
            "key": self.key, "known_hosts": self.known_hosts, "addresses": self.addresses, "command": remote,
        });
        child.stdin.take().context("standard input")?.write_all(job.to_string().as_bytes())?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "the asyncssh client failed; `pip install asyncssh` for --python");
        let told: Value = serde_json::from_slice(&output.stdout).context("the asyncssh client's answer")?;
        let seconds = |key| told.get(key).and_then(Value::as_f64).with_context(|| format!("no {key}"));
        Ok(Sample { wall: Duration::from_secs_f64(seconds("wall")?), cpu: seconds("cpu")? })
    }
}

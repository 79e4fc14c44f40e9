//! exed as its clients see it: a process behind its HTTP API.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tests::fleet::{Fleet, FleetHost};
use tests::harness::{Server, ServerOptions};

use crate::clock::Sample;
use crate::openssh::process_cpu;

/// A server on a fleet, logging as much as it does when nothing is configured.
pub(crate) struct Exed {
    server: Server,
}

impl Exed {
    /// Starts it.
    pub(crate) fn start(fleet: &Fleet) -> anyhow::Result<Self> {
        let server = Server::start(ServerOptions::for_fleet(fleet))?;
        let file = server.configuration();
        let text = fs::read_to_string(&file).context("reading the configuration of the server")?;
        fs::write(&file, text.replace("level = \"debug\"", "level = \"info\""))?;
        let mut exed = Self { server };
        exed.restart()?;
        Ok(exed)
    }

    /// Starts a fresh process on the same data: it has no connection to any host.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.server.terminate(Duration::from_secs(30))?;
        self.server.restart()
    }

    /// The process.
    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        self.server.pid()
    }

    /// A synchronous call on the first `hosts` hosts, as EXEd's clients make it. Fails unless every host
    /// has done what was asked.
    pub(crate) fn call(&self, call: &Call, fleet: &Fleet, hosts: usize) -> anyhow::Result<Sample> {
        let names: Vec<&str> = fleet.hosts().iter().take(hosts).map(FleetHost::name).collect();
        let path = format!("/{}?target={}{}", call.path, names.join(","), call.query);
        let pid = self.pid()?;
        let (sample, response) = Sample::of(|| process_cpu(pid), || self.server.get(&path))?;
        ensure!(response.status == 200, "{path} answered {}: {}", response.status, response.text());
        let body = response.json()?;
        let answers = body.as_object().context("an answer per host")?;
        ensure!(answers.len() == hosts, "{} answers for {hosts} hosts", answers.len());
        for (host, answer) in answers {
            let status = answer.get("status").and_then(Value::as_u64);
            ensure!(matches!(status, Some(0 | 4)), "{host}: {answer}");
        }
        Ok(sample)
    }
}

/// A synchronous call.
pub(crate) struct Call {
    /// `ping`.
    pub(crate) path: &'static str,
    /// `&cmd=true`, encoded.
    pub(crate) query: &'static str,
}

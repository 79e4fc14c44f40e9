//! The real server of the demo, with its embedded defaults and everything it writes in one temporary folder.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use exed_client::{Client, JobFilter};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::hosts::Hosts;

/// Where exed listens unless it is told otherwise.
const USUAL_PORT: u16 = 16808;

/// How long it may take to answer after its start; the first start compiles the plugins.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// How long jobs may take to end after they were canceled, and the server after SIGTERM.
const ENDED_WITHIN: Duration = Duration::from_secs(20);

/// A running server; it is killed when this is dropped.
pub(super) struct Server {
    child: Child,
    address: SocketAddr,
    client: Client,
    folder: TempDir,
}

impl Server {
    /// Starts the program over the hosts and waits until it answers.
    ///
    /// # Errors
    /// When it does not: with its log.
    pub(super) async fn start(program: &Path, hosts: &Hosts) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("exed-demo-").tempdir()?;
        let address = free_address()?;
        let configuration = folder.path().join("exed.toml");
        let text = format!(
            "listen_port = {}\ndata = \"data\"\ndrain_timeout_seconds = 5\n\
             [log]\nerror_log = \"exed.log\"\naccess_log = \"access.log\"\n{}",
            address.port(),
            hosts.configuration(folder.path())?
        );
        std::fs::write(&configuration, text).context("writing the server's configuration")?;
        let child = Command::new(program)
            .arg("-c")
            .arg(&configuration)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            // A Ctrl-C is for the demo, which ends the server in its own order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let client = Client::new(&format!("http://{address}"))?;
        let mut server = Self { child, address, client, folder };
        server.wait_ready().await?;
        Ok(server)
    }

    /// `http://ADDRESS`.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether `exectl` finds it without being told.
    pub(super) fn is_at_usual_port(&self) -> bool {
        self.address.port() == USUAL_PORT
    }

    /// A client of it.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The folder of everything it writes.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its log file.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.path().join("exed.log")
    }

    /// Cancels what runs, ends the server and waits for both.
    ///
    /// # Errors
    /// When something had to be killed.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        if let Err(error) = self.cancel_jobs().await {
            println!("jobs could not be canceled: {error:#}");
        }
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let Some(pid) = pid else { bail!("the server had ended already: {}", self.log_tail()) };
        kill_process(pid, Signal::TERM).context("ending the server")?;
        match tokio::time::timeout(ENDED_WITHIN, self.child.wait()).await {
            Ok(status) if status.as_ref().is_ok_and(std::process::ExitStatus::success) => Ok(()),
            Ok(status) => bail!("the server ended with {status:?}: {}", self.log_tail()),
            Err(_late) => {
                self.child.kill().await.context("killing the server")?;
                bail!("the server did not end within {} s of SIGTERM", ENDED_WITHIN.as_secs())
            }
        }
    }

    async fn wait_ready(&mut self) -> anyhow::Result<()> {
        let give_up = Instant::now() + READY_WITHIN;
        while self.client.plugins().await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended at its start ({status}): {}", self.log_tail());
            }
            if Instant::now() > give_up {
                bail!("the server does not answer at {}: {}", self.url(), self.log_tail());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn cancel_jobs(&self) -> anyhow::Result<()> {
        let filter = |state: &str| JobFilter { state: Some(state.to_owned()), ..JobFilter::default() };
        for job in self.client.jobs(&filter("queued,running")).await?.items {
            self.client.cancel(&job.id).await?;
        }
        let give_up = Instant::now() + ENDED_WITHIN;
        while !self.client.jobs(&filter("queued,running,canceling")).await?.items.is_empty() {
            if Instant::now() > give_up {
                bail!("they have not ended within {} s", ENDED_WITHIN.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// The last lines of its log.
    fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }
}

/// The usual port on loopback, or any free one where somebody listens there.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, USUAL_PORT))
        .or_else(|_taken| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .context("looking for a free port")?;
    listener.local_addr().context("looking for a free port")
}

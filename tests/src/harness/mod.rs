//! The real server as a process: configured, started, watched, killed and started again on the same data.

mod http;
mod leftovers;

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub use http::Response;
pub use leftovers::{MarkedProcess, marked_processes};

use crate::fleet::Fleet;
use crate::process::{target_dir, wait_until};

/// How long the server may take to answer after it was started.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// How long the last process of an ended step may take to be gone.
const LEFTOVERS_GO_WITHIN: Duration = Duration::from_secs(5);

/// What the configuration of a server under test holds besides address, data folder and logs.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// Further TOML, appended to the configuration: whole tables such as `[policies]`.
    pub toml: String,
    /// Further environment of the process.
    pub env: Vec<(String, String)>,
}

impl ServerOptions {
    /// The inventory, key and known hosts of a fleet.
    #[must_use]
    pub fn for_fleet(fleet: &Fleet) -> Self {
        let toml = format!(
            "[inventory]\npaths = [{:?}]\n[ssh]\nkey = {:?}\nknown_hosts = {:?}\nhost_keys = \"strict\"\n",
            fleet.inventory_path(),
            fleet.ssh_key(),
            fleet.known_hosts(),
        );
        Self { toml, env: Vec::new() }
    }
}

/// A server under test. Dropping it kills it; on a failed test its log is printed.
#[derive(Debug)]
pub struct Server {
    child: Option<Child>,
    address: SocketAddr,
    options: ServerOptions,
    folder: TempDir,
}

impl Server {
    /// Writes a configuration for a free port and a fresh data folder, starts the server and waits until
    /// it answers. The program is `EXED_BIN`, or `debug/exed` of the build folder.
    ///
    /// # Errors
    /// When the program is not built, or does not answer: the error carries its log.
    pub fn start(options: ServerOptions) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("exed-server-").tempdir()?;
        let mut server = Self { child: None, address: free_address()?, options, folder };
        server.write_configuration()?;
        server.restart()?;
        Ok(server)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://ADDRESS`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its data folder, which outlives restarts.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its plugin folder.
    #[must_use]
    pub fn plugins(&self) -> PathBuf {
        self.data().join("plugins")
    }

    /// Its configuration file.
    #[must_use]
    pub fn configuration(&self) -> PathBuf {
        self.folder.path().join("exed.toml")
    }

    /// Everything that it has logged so far, over all starts.
    #[must_use]
    pub fn log(&self) -> String {
        ["exed.log", "stdio.log"]
            .map(|file| fs::read_to_string(self.folder.path().join(file)).unwrap_or_default())
            .concat()
    }

    /// Its process id.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pid(&self) -> anyhow::Result<u32> {
        Ok(self.child.as_ref().context("the server does not run")?.id())
    }

    /// Ends it as a crash does, and waits for its end.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("the server does not run")?;
        child.kill().context("killing the server")?;
        child.wait().context("waiting for the server")?;
        Ok(())
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it does not run.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = i32::try_from(self.pid()?).ok().and_then(Pid::from_raw).context("process id")?;
        kill_process(pid, signal).context("signalling the server")
    }

    /// Sends SIGTERM and waits for its end.
    ///
    /// # Errors
    /// When it does not end within the time: the error carries its log.
    pub fn terminate(&mut self, within: Duration) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        let mut child = self.child.take().context("the server does not run")?;
        let mut status = None;
        let waited = wait_until("the server to end", within, || {
            status = child.try_wait().ok().flatten();
            status.is_some()
        });
        if waited.is_err() {
            child.kill().context("killing the server")?;
            child.wait().context("waiting for the server")?;
        }
        waited.with_context(|| self.log())?;
        status.context("the server has no exit status")
    }

    /// Starts it, on the same port, data and configuration, and waits until it answers.
    ///
    /// # Errors
    /// When it runs already, or does not answer: the error carries its log.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        ensure!(self.child.is_none(), "the server runs already");
        let stdio = File::options().create(true).append(true).open(self.folder.path().join("stdio.log"))?;
        let program = program()?;
        let child = Command::new(&program)
            .arg("-c")
            .arg(self.configuration())
            .current_dir(self.folder.path())
            .envs(self.options.env.iter().cloned())
            .stdin(Stdio::null())
            .stdout(stdio.try_clone()?)
            .stderr(stdio)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        self.child = Some(child);
        let mut ended = None;
        let ready = wait_until("the server to answer /readyz", READY_WITHIN, || {
            ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            ended.is_some() || self.get("/readyz").is_ok_and(|response| response.status == 200)
        });
        ready.with_context(|| self.log())?;
        if let Some(status) = ended {
            self.child = None;
            bail!("the server ended at its start ({status}): {}", self.log());
        }
        Ok(())
    }

    /// Asks for a path and reads the whole answer.
    ///
    /// # Errors
    /// When there is no complete answer.
    pub fn get(&self, path: &str) -> anyhow::Result<Response> {
        http::request(self.address, "GET", path, None)
    }

    /// Posts JSON and reads the whole answer.
    ///
    /// # Errors
    /// When there is no complete answer.
    pub fn post(&self, path: &str, body: &serde_json::Value) -> anyhow::Result<Response> {
        http::request(self.address, "POST", path, Some(&body.to_string()))
    }

    /// Sends DELETE and reads the whole answer.
    ///
    /// # Errors
    /// When there is no complete answer.
    pub fn delete(&self, path: &str) -> anyhow::Result<Response> {
        http::request(self.address, "DELETE", path, None)
    }

    /// Fails when the test leaves something behind: jobs that have not ended, or processes of its runs on
    /// this machine (those of a fleet's hosts are seen from here, too).
    ///
    /// # Errors
    /// Names what is left.
    pub fn check_leftovers(&self) -> anyhow::Result<()> {
        for state in ["queued", "running", "canceling"] {
            let response = self.get(&format!("/api/v1/jobs?state={state}"))?;
            let left = response.json()?;
            let jobs = left.get("items").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
            ensure!(
                response.status == 200,
                "listing {state} jobs answered {}: {}",
                response.status,
                response.text()
            );
            ensure!(jobs == 0, "{jobs} jobs are left {state}: {left}");
        }
        // The last process of a step may outlive the news of its end by a moment.
        let mut left = Vec::new();
        let _ = wait_until("the processes of ended runs to go", LEFTOVERS_GO_WITHIN, || {
            left = self.own_processes().unwrap_or_default();
            left.is_empty()
        });
        ensure!(self.own_processes()?.is_empty(), "processes of ended runs are left: {left:?}");
        Ok(())
    }

    /// The marked processes that belong to jobs of this server; others may run on this machine as well.
    fn own_processes(&self) -> anyhow::Result<Vec<MarkedProcess>> {
        let mut own = Vec::new();
        for process in marked_processes()? {
            if self.get(&format!("/api/v1/jobs/{}", process.job))?.status == 200 {
                own.push(process);
            }
        }
        Ok(own)
    }

    fn write_configuration(&self) -> anyhow::Result<()> {
        let text = format!(
            "listen = \"{}\"\nlisten_port = {}\ndata = \"data\"\npid_file = \"exed.pid\"\n\
             [log]\nlevel = \"debug\"\nerror_log = \"exed.log\"\naccess_log = \"access.log\"\n{}",
            self.address.ip(),
            self.address.port(),
            self.options.toml
        );
        fs::write(self.configuration(), text).context("writing the configuration of the server")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "---- log of the server ----\n{}", self.log());
        }
    }
}

/// The server's program.
///
/// # Errors
/// When it is not there: the error says how to build it.
pub fn program() -> anyhow::Result<PathBuf> {
    let program = match std::env::var_os("EXED_BIN") {
        Some(file) => PathBuf::from(file),
        None => target_dir().join("debug").join("exed"),
    };
    ensure!(
        Path::new(&program).is_file(),
        "{} is not there; build it with `cargo xtask build`, or name another program in EXED_BIN",
        program.display()
    );
    Ok(program)
}

/// An address on loopback whose port nobody uses at the moment.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("looking for a free port")?;
    listener.local_addr().context("looking for a free port")
}

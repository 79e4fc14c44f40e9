//! Throwaway OpenSSH servers on loopback, for tests and benchmarks.
//!
//! Each runs the real `/usr/sbin/sshd` with keys of its own in a temporary folder, as root or as an ordinary
//! user, listens on a free port of 127.0.0.1, and is ended with all of its sessions when it is dropped.

use std::fmt::Write as _;
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

const SSHD: &str = "/usr/sbin/sshd";
const PATIENCE: Duration = Duration::from_secs(20);

/// What a server is started with.
#[derive(Clone, Debug, Default)]
pub struct SshdOptions {
    /// Lines for its `sshd_config`, such as `MaxSessions 1`. They precede the defaults, so they win.
    pub config: Vec<String>,
    /// Public keys in `authorized_keys` form, besides the generated user key.
    pub authorized_keys: Vec<String>,
}

/// A running server.
#[derive(Debug)]
pub struct Sshd {
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Sshd {
    /// Starts a server and waits until it accepts connections. Fails with a message that says what to
    /// install if OpenSSH is not there, and with the server's log if it does not start.
    pub fn start(options: &SshdOptions) -> Result<Self> {
        ensure!(Path::new(SSHD).exists(), "{SSHD} is missing: apt-get install openssh-server");
        let folder = tempfile::Builder::new().prefix("sshd-").tempdir().context("a temporary folder")?;
        generate_key(&folder.path().join("host_key"))?;
        let user_key = folder.path().join("user_key");
        generate_key(&user_key)?;
        let mut authorized = std::fs::read_to_string(user_key.with_extension("pub"))?;
        for key in &options.authorized_keys {
            writeln!(authorized, "{key}")?;
        }
        std::fs::write(folder.path().join("authorized_keys"), authorized)?;
        privilege_separation_folder()?;
        // Another process may take the port between the choice and the bind: then another is chosen.
        let mut last = None;
        for _ in 0..5 {
            match Self::attempt(&folder, options) {
                Ok((port, child)) => return Ok(Self { folder, port, child }),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("sshd was not started")))
    }

    fn attempt(folder: &tempfile::TempDir, options: &SshdOptions) -> Result<(u16, Child)> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let path = folder.path().display();
        let mut config = options.config.join("\n");
        write!(
            config,
            "\nPort {port}\nListenAddress 127.0.0.1\nHostKey {path}/host_key\nPidFile none\n\
             AuthorizedKeysFile {path}/authorized_keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 1000\nUseDNS no\n\
             Subsystem sftp internal-sftp\n"
        )?;
        let file = folder.path().join("sshd_config");
        std::fs::write(&file, config)?;
        let log = folder.path().join("sshd.log");
        let mut child = Command::new(SSHD)
            .args(["-D", "-f"])
            .arg(&file)
            .arg("-E")
            .arg(&log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("sshd cannot be started")?;
        match wait_until_accepting(&mut child, port) {
            Ok(()) => Ok((port, child)),
            Err(error) => {
                end(&mut child);
                Err(error.context(std::fs::read_to_string(&log).unwrap_or_default()))
            }
        }
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The account to log in as: the one this process runs as.
    #[must_use]
    pub fn user(&self) -> String {
        account()
    }

    /// The private key that may log in.
    #[must_use]
    pub fn user_key(&self) -> PathBuf {
        self.folder.path().join("user_key")
    }

    /// The server's folder; other files may be put there.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The line of a known hosts file for this server.
    pub fn known_hosts_line(&self) -> Result<String> {
        let key = std::fs::read_to_string(self.folder.path().join("host_key.pub"))?;
        let fields: Vec<&str> = key.split_whitespace().take(2).collect();
        Ok(format!("[127.0.0.1]:{} {}\n", self.port, fields.join(" ")))
    }

    /// What the server has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("sshd.log")).unwrap_or_default()
    }

    /// The processes of its connections that are open now (not of what runs in them).
    #[must_use]
    pub fn connections(&self) -> Vec<u32> {
        children(self.child.id())
    }

    /// Kills the server's side of every open connection, as a crash would, and waits until they are gone.
    /// The server goes on accepting new ones.
    pub fn kill_connections(&self) {
        let victims = self.connections();
        for pid in victims.iter().flat_map(|pid| descendants(*pid)) {
            kill(pid);
        }
        let deadline = Instant::now() + PATIENCE;
        while self.connections().iter().any(|pid| victims.contains(pid)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let family = descendants(self.child.id());
        end(&mut self.child);
        for pid in family {
            kill(pid);
        }
    }
}

fn generate_key(path: &Path) -> Result<()> {
    let output = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "exed-test", "-f"])
        .arg(path)
        .output()
        .context("ssh-keygen is missing: apt-get install openssh-client")?;
    ensure!(output.status.success(), "ssh-keygen: {}", String::from_utf8_lossy(&output.stderr));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(())
}

/// As root, sshd wants `/run/sshd`, which a machine without a running SSH service does not have.
fn privilege_separation_folder() -> Result<()> {
    if rustix::process::geteuid().is_root() {
        let folder = Path::new("/run/sshd");
        std::fs::DirBuilder::new().recursive(true).mode(0o755).create(folder).context("/run/sshd")?;
    }
    Ok(())
}

/// Ready means that the server's banner came, not only that the kernel took the connection.
fn wait_until_accepting(child: &mut Child, port: u16) -> Result<()> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            bail!("sshd ended at once ({status})");
        }
        if let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            let mut banner = [0; 4];
            if stream.read_exact(&mut banner).is_ok() && &banner == b"SSH-" {
                return Ok(());
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    bail!("sshd did not accept connections on port {port} within {} s", PATIENCE.as_secs())
}

fn account() -> String {
    let uid = rustix::process::geteuid().as_raw().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| "root".to_owned())
}

fn end(child: &mut Child) {
    // Both fail only if it has ended already.
    let _killed = child.kill();
    let _reaped = child.wait();
}

fn kill(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended in the meantime.
        let _killed = kill_process(pid, Signal::KILL);
    }
}

/// The process and everything below it, deepest last.
fn descendants(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let mut index = 0;
    while let Some(parent) = family.get(index) {
        family.extend(children(*parent));
        index += 1;
    }
    family
}

fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; the state and the parent follow the last one.
    text.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

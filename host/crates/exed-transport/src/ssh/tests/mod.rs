//! Against real sshd: every test starts its own.

mod authentication;
mod channels;
mod host_keys;
mod jumps;
mod passwords;

mod pooling;

use std::path::Path;
use std::time::Duration;

use exed_domain::step::ExitStatus;
use exed_domain::{Host, HostName};
use serde_json::{Value, json};
use tests::sshd::{Sshd, SshdOptions};

use super::{SshConnector, SshOptions};
use crate::connect::{Channel, ChannelEvent, ConnectError, Connector as _};

/// Longer than anything here takes, so that a hang fails instead of lasting.
const PATIENCE: Duration = Duration::from_secs(60);

fn start(config: &[&str]) -> Sshd {
    let config = config.iter().map(|line| (*line).to_owned()).collect();
    Sshd::start(&SshdOptions { config, ..SshdOptions::default() }).unwrap()
}

/// A home that trusts the servers.
fn home(servers: &[&Sshd]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".ssh")).unwrap();
    let lines: String = servers.iter().map(|sshd| sshd.known_hosts_line().unwrap()).collect();
    std::fs::write(home.path().join(".ssh/known_hosts"), lines).unwrap();
    home
}

fn options(home: &Path) -> SshOptions {
    SshOptions::for_home(home)
}

/// A host of the inventory behind which the server is, with further variables.
fn host_with(name: &str, sshd: &Sshd, vars: &Value) -> Host {
    let mut all = json!({
        "ansible_host": "127.0.0.1",
        "ansible_port": sshd.port(),
        "ansible_user": sshd.user(),
    });
    let map = all.as_object_mut().unwrap();
    map.extend(vars.as_object().unwrap().clone());
    Host {
        name: HostName(name.to_owned()),
        groups: Vec::new(),
        vars: map.clone(),
        labels: Default::default(),
    }
}

/// The same with the generated key.
fn host(name: &str, sshd: &Sshd) -> Host {
    host_with(name, sshd, &json!({"ansible_ssh_private_key_file": sshd.user_key()}))
}

#[derive(Debug, PartialEq)]
struct Done {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

async fn finish(mut channel: Channel) -> Result<Done, String> {
    drop(channel.input);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        match channel.output.next().await {
            ChannelEvent::Stdout(data) => stdout.extend_from_slice(&data),
            ChannelEvent::Stderr(data) => stderr.extend_from_slice(&data),
            ChannelEvent::Exited(status) => {
                let text = |bytes| String::from_utf8(bytes).unwrap();
                return Ok(Done { status, stdout: text(stdout), stderr: text(stderr) });
            }
            ChannelEvent::Lost(lost) => return Err(lost.to_string()),
        }
    }
}

async fn run(connector: &SshConnector, host: &Host, command: &str) -> Result<Done, ConnectError> {
    let work = async { Ok(finish(connector.open(host, command).await?).await.unwrap()) };
    tokio::time::timeout(PATIENCE, work).await.expect("the command hangs")
}

async fn stdout_of(connector: &SshConnector, host: &Host, command: &str) -> String {
    run(connector, host, command).await.unwrap().stdout
}

/// Waits until something holds.
async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(tokio::time::Instant::now() < deadline, "did not happen: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

//! The suite over a real sshd on loopback.

use std::sync::Arc;

use tests::sshd::{Sshd, SshdOptions};

use super::fixture::Fixture;
use crate::ssh::{HostKeyPolicy, SshConnector, SshOptions};

async fn fixture() -> Fixture {
    let sshd = tokio::task::spawn_blocking(|| Sshd::start(&SshdOptions::default())).await;
    let sshd = sshd.expect("no panic").expect("sshd starts");
    let mut options = SshOptions::for_home(sshd.folder());
    options.host_key_policy = Some(HostKeyPolicy::AcceptNew);
    let key = sshd.user_key();
    let port = sshd.port().to_string();
    let user = sshd.user();
    let vars = [
        ("ansible_host", "127.0.0.1"),
        ("ansible_port", port.as_str()),
        ("ansible_user", user.as_str()),
        ("ansible_ssh_private_key_file", key.to_str().expect("a plain path")),
    ];
    let ssh = Arc::new(SshConnector::new(options));
    let mut fixture = Fixture::new(ssh, Arc::new(super::fixture::Nothing), &vars);
    fixture.sshd = Some(sshd);
    fixture
}

all_cases!(fixture());

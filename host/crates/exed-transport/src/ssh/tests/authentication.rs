use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::*;

/// A real ssh-agent, ended when dropped.
struct Agent {
    socket: PathBuf,
    child: Child,
}

impl Agent {
    async fn start(folder: &Path) -> Self {
        let socket = folder.join("agent");
        let child = Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn();
        let agent =
            Self { child: child.expect("ssh-agent is needed: apt-get install openssh-client"), socket };
        eventually("the agent listens", || agent.socket.exists()).await;
        agent
    }

    fn add(&self, key: &Path) {
        let done =
            Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn keygen(arguments: &[&str], file: &Path) {
    let done = Command::new("ssh-keygen").arg("-q").args(arguments).arg("-f").arg(file).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_key_logs_in() {
    let folder = tempfile::tempdir().unwrap();
    let kinds: [&[&str]; 4] = [
        &["-t", "ed25519", "-N", ""],
        &["-t", "ecdsa", "-N", ""],
        &["-t", "rsa", "-b", "2048", "-N", ""],
        &["-t", "rsa", "-b", "2048", "-N", "", "-m", "PEM"],
    ];
    let mut options_of_server = SshdOptions::default();
    for (index, kind) in kinds.iter().enumerate() {
        let file = folder.path().join(format!("key{index}"));
        keygen(kind, &file);
        options_of_server.authorized_keys.push(std::fs::read_to_string(file.with_extension("pub")).unwrap());
    }
    let sshd = Sshd::start(&options_of_server).unwrap();
    let home = home(&[&sshd]);
    let connector = SshConnector::new(options(home.path()));
    for index in 0..kinds.len() {
        let vars = json!({"ansible_ssh_private_key_file": folder.path().join(format!("key{index}"))});
        let done = run(&connector, &host_with("web1", &sshd, &vars), "echo in").await.unwrap();
        assert_eq!(done.stdout, "in\n", "{:?}", kinds.get(index));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_default_key_and_the_keys_of_the_home_are_tried() {
    let sshd = start(&[]);
    let home = home(&[&sshd]);
    let plain = host_with("web1", &sshd, &json!({}));
    let mut with_default = options(home.path());
    with_default.default_key = Some(sshd.user_key());
    run(&SshConnector::new(with_default), &plain, "true").await.unwrap();
    std::fs::copy(sshd.user_key(), home.path().join(".ssh/id_ed25519")).unwrap();
    run(&SshConnector::new(options(home.path())), &plain, "true").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_file_names_key_user_and_port() {
    let sshd = start(&[]);
    let home = home(&[&sshd]);
    let text = format!(
        "Host web*\n HostName 127.0.0.1\n Port {}\n User {}\n IdentityFile {}\n IdentitiesOnly yes\n",
        sshd.port(),
        sshd.user(),
        sshd.user_key().display()
    );
    std::fs::write(home.path().join(".ssh/config"), text).unwrap();
    let host = Host {
        name: HostName("web7".to_owned()),
        groups: Vec::new(),
        vars: serde_json::Map::new(),
        labels: Default::default(),
    };
    run(&SshConnector::new(options(home.path())), &host, "true").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agent_signs_for_its_keys_and_for_encrypted_files() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::start(folder.path()).await;
    let sshd = start(&[]);
    let home = home(&[&sshd]);
    let mut with_agent = options(home.path());
    with_agent.agent_socket = Some(agent.socket.clone());
    let plain = host_with("web1", &sshd, &json!({}));
    let error = run(&SshConnector::new(with_agent.clone()), &plain, "true").await.unwrap_err();
    assert!(error.to_string().contains("no key was tried"), "{error}");

    let encrypted = folder.path().join("encrypted");
    std::fs::copy(sshd.user_key(), &encrypted).unwrap();
    keygen(&["-p", "-N", "geheim", "-P", ""], &encrypted);
    let named = json!({"ansible_ssh_private_key_file": encrypted});
    let with_file = host_with("web1", &sshd, &named);
    let error = run(&SshConnector::new(with_agent.clone()), &with_file, "true").await.unwrap_err();
    assert!(error.to_string().contains("ssh-add"), "{error}");

    agent.add(&sshd.user_key());
    run(&SshConnector::new(with_agent.clone()), &with_file, "true").await.unwrap();
    run(&SshConnector::new(with_agent), &plain, "true").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_key_is_named_with_the_next_step() {
    let (sshd, other) = (start(&[]), start(&[]));
    let home = home(&[&sshd]);
    let vars = json!({"ansible_ssh_private_key_file": other.user_key(), "ansible_password": "geheim"});
    let connector = SshConnector::new(options(home.path()));
    let error = run(&connector, &host_with("web1", &sshd, &vars), "true").await.unwrap_err().to_string();
    for part in ["web1 (", "authentication failed", "user_key", "accepts publickey", "authorized_keys"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!error.contains("geheim"), "{error}");
}

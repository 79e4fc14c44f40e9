use futures_util::future::join_all;

use super::*;
use crate::ssh::HostKeyPolicy;

fn connector(home: &Path, policy: HostKeyPolicy) -> SshConnector {
    let mut options = options(home);
    options.host_key_policy = Some(policy);
    SshConnector::new(options)
}

fn recorded(home: &Path) -> String {
    std::fs::read_to_string(home.join(".ssh/known_hosts")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_key_is_refused_unless_the_policy_accepts_it() {
    let sshd = start(&[]);
    let home = tempfile::tempdir().unwrap();
    let host = host("web1", &sshd);
    let error = run(&SshConnector::new(options(home.path())), &host, "true").await.unwrap_err().to_string();
    for part in ["SHA256:", "known_hosts", "ssh-keyscan", "accept-new"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(recorded(home.path()), "");
    run(&connector(home.path(), HostKeyPolicy::Off), &host, "true").await.unwrap();
    assert_eq!(recorded(home.path()), "");
    run(&connector(home.path(), HostKeyPolicy::AcceptNew), &host, "true").await.unwrap();
    assert_eq!(recorded(home.path()), sshd.known_hosts_line().unwrap());
    run(&SshConnector::new(options(home.path())), &host, "true").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_connections_record_a_new_key_once() {
    let sshd = start(&[]);
    let home = tempfile::tempdir().unwrap();
    let host = host("web1", &sshd);
    let connectors: Vec<_> = (0..6).map(|_| connector(home.path(), HostKeyPolicy::AcceptNew)).collect();
    for done in join_all(connectors.iter().map(|connector| run(connector, &host, "true"))).await {
        done.unwrap();
    }
    assert_eq!(recorded(home.path()), sshd.known_hosts_line().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_key_is_refused_with_both_fingerprints() {
    let (sshd, other) = (start(&[]), start(&[]));
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".ssh")).unwrap();
    let wrong =
        other.known_hosts_line().unwrap().replace(&other.port().to_string(), &sshd.port().to_string());
    std::fs::write(home.path().join(".ssh/known_hosts"), format!("# first line\n{wrong}")).unwrap();
    let host = host("web1", &sshd);
    for policy in [HostKeyPolicy::Strict, HostKeyPolicy::AcceptNew] {
        let error = run(&connector(home.path(), policy), &host, "true").await.unwrap_err().to_string();
        assert!(error.contains("known_hosts:2") && error.contains("has changed"), "{error}");
        assert_eq!(error.matches("SHA256:").count(), 2, "{error}");
    }
    run(&connector(home.path(), HostKeyPolicy::Off), &host, "true").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recorded_kind_of_key_is_asked_for_first() {
    let sshd = start(&[]);
    let folder = sshd.folder().to_owned();
    let file = folder.join("ecdsa");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ecdsa", "-N", "", "-f"])
        .arg(&file)
        .status();
    assert!(made.unwrap().success());
    let second = start(&[&format!("HostKey {}", file.display())]);
    let key = std::fs::read_to_string(file.with_extension("pub")).unwrap();
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".ssh")).unwrap();
    let line = format!("[127.0.0.1]:{} {key}", second.port());
    std::fs::write(home.path().join(".ssh/known_hosts"), line).unwrap();
    run(&SshConnector::new(options(home.path())), &host("web1", &second), "true").await.unwrap();
}

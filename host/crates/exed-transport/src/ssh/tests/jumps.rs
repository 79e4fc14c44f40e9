use futures_util::future::join_all;

use super::*;

fn through(args: &str, sshd: &Sshd) -> Host {
    let vars = json!({"ansible_ssh_private_key_file": sshd.user_key(), "ansible_ssh_common_args": args});
    host_with("inner", sshd, &vars)
}

/// `~/.ssh/config` that gives each server its key.
fn configure(home: &Path, servers: &[&Sshd]) {
    let mut text = String::new();
    for (index, sshd) in servers.iter().enumerate() {
        text += &format!(
            "Host jump{index}\n HostName 127.0.0.1\n Port {}\n User {}\n IdentityFile {}\n",
            sshd.port(),
            sshd.user(),
            sshd.user_key().display()
        );
    }
    std::fs::write(home.join(".ssh/config"), text).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chains_work_and_jump_connections_are_shared() {
    let (first, second, inner) = (start(&["MaxSessions 1"]), start(&[]), start(&[]));
    let home = home(&[&first, &second, &inner]);
    configure(home.path(), &[&first, &second]);
    let connector = SshConnector::new(options(home.path()));
    let host = through("-J jump0,jump1", &inner);
    assert_eq!(stdout_of(&connector, &host, "echo far").await, "far\n");
    assert_eq!(connector.connections(), 3);
    assert_eq!((first.connections().len(), second.connections().len()), (1, 1));

    let other = through("-o ProxyJump=jump0,jump1 -p 1", &inner);
    let texts = join_all(
        [&host, &other].map(|host| stdout_of(&connector, host, "head -c 3000000 /dev/zero | wc -c")),
    );
    assert!(texts.await.iter().all(|text| text.trim() == "3000000"));
    assert_eq!(
        (first.connections().len(), second.connections().len()),
        (1, 1),
        "MaxSessions is for commands"
    );

    connector.close().await;
    eventually("the jump hosts see the end", || first.connections().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_jump_is_named_and_a_dead_one_is_replaced() {
    let (jump, inner) = (start(&[]), start(&[]));
    let home = home(&[&jump, &inner]);
    configure(home.path(), &[&jump]);
    let connector = SshConnector::new(options(home.path()));
    let host = through("-J jump0", &inner);
    run(&connector, &host, "true").await.unwrap();
    jump.kill_connections();
    assert_eq!(stdout_of(&connector, &host, "echo again").await, "again\n");

    inner.kill_connections();
    let mut closed = host.clone();
    closed.vars.insert("ansible_port".to_owned(), json!(1));
    let error = run(&connector, &closed, "true").await.unwrap_err().to_string();
    assert!(error.contains("jump host") && error.contains("127.0.0.1:1"), "{error}");
}

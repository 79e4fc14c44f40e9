use futures_util::future::join_all;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_commands_share_few_connections() {
    let sshd = start(&[]);
    let home = home(&[&sshd]);
    let connector = SshConnector::new(options(home.path()));
    let host = host("web1", &sshd);
    join_all((0..8).map(|_| run(&connector, &host, "true"))).await;
    assert_eq!(connector.connections(), 1, "eight at once fit one connection, dialled once");
    let texts =
        join_all((0..60).map(async |number| stdout_of(&connector, &host, &format!("echo {number}")).await));
    for (number, text) in texts.await.into_iter().enumerate() {
        assert_eq!(text, format!("{number}\n"));
    }
    assert!(connector.connections() <= 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_allows_fewer_channels_gets_fewer() {
    for limit in [1, 2] {
        let sshd = start(&[&format!("MaxSessions {limit}")]);
        let home = home(&[&sshd]);
        let connector = SshConnector::new(options(home.path()));
        let host = host("web1", &sshd);
        let done = join_all((0..12).map(|_| run(&connector, &host, "sleep 0.05; echo x"))).await;
        assert!(done.into_iter().all(|done| done.unwrap().stdout == "x\n"));
        assert!((2..=4).contains(&connector.connections()), "{}", connector.connections());
        for _ in 0..10 {
            assert_eq!(stdout_of(&connector, &host, "echo y").await, "y\n");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_sessions_is_said_to_refuse_them() {
    let sshd = start(&["MaxSessions 0"]);
    let home = home(&[&sshd]);
    let connector = SshConnector::new(options(home.path()));
    let error = run(&connector, &host("web1", &sshd), "true").await.unwrap_err();
    assert!(error.to_string().contains("opens no channel"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_connection_is_replaced() {
    let sshd = start(&[]);
    let home = home(&[&sshd]);
    let connector = SshConnector::new(options(home.path()));
    let host = host("web1", &sshd);
    for _ in 0..5 {
        assert_eq!(stdout_of(&connector, &host, "echo x").await, "x\n");
        assert_eq!(connector.connections(), 1);
        sshd.kill_connections();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_are_closed_and_busy_ones_are_not() {
    let sshd = start(&[]);
    let home = home(&[&sshd]);
    let mut options = options(home.path());
    options.idle_timeout = Duration::from_millis(80);
    let connector = SshConnector::new(options);
    let host = host("web1", &sshd);
    let channel = connector.open(&host, "sleep 0.5; echo late").await.unwrap();
    assert_eq!(finish(channel).await.unwrap().stdout, "late\n");
    eventually("the idle connection is closed", || connector.connections() == 0).await;
    eventually("the server sees it", || sshd.connections().is_empty()).await;
    assert_eq!(stdout_of(&connector, &host, "echo again").await, "again\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_ends_every_connection_and_refuses_new_ones() {
    let sshd = start(&[]);
    let home = home(&[&sshd]);
    let connector = SshConnector::new(options(home.path()));
    let host = host("web1", &sshd);
    run(&connector, &host, "true").await.unwrap();
    connector.close().await;
    eventually("the server sees it", || sshd.connections().is_empty()).await;
    let error = run(&connector, &host, "true").await.unwrap_err();
    assert!(error.to_string().contains("shutting down"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_wait_for_a_failing_dial_fail_with_it() {
    let sshd = start(&[]);
    let home = tempfile::tempdir().unwrap();
    let connector = SshConnector::new(options(home.path()));
    let mut host = host("web1", &sshd);
    drop(sshd);
    host.vars.insert("ansible_user".to_owned(), json!("ann"));
    for result in join_all((0..20).map(|_| run(&connector, &host, "true"))).await {
        let error = result.unwrap_err().to_string();
        for part in ["web1", "ann@127.0.0.1:", "refused", "ansible_port"] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_says_nothing_is_given_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut options = options(home.path());
    options.connect_timeout = Duration::from_millis(100);
    let connector = SshConnector::new(options);
    let sshd = start(&[]);
    let vars = json!({"ansible_port": silent.local_addr().unwrap().port()});
    let error = run(&connector, &host_with("web1", &sshd, &vars), "true").await.unwrap_err();
    assert!(error.to_string().contains("ansible_ssh_timeout"), "{error}");
}

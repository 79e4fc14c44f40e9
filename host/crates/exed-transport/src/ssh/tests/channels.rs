use bytes::Bytes;

use super::*;

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_and_signals_are_told_apart() {
    let sshd = start(&[]);
    let home = home(&[&sshd]);
    let connector = SshConnector::new(options(home.path()));
    let host = host("web1", &sshd);
    let done = run(&connector, &host, "echo out; echo err >&2; exit 7").await.unwrap();
    let expected = Done { status: ExitStatus::Code(7), stdout: "out\n".into(), stderr: "err\n".into() };
    assert_eq!(done, expected);
    for name in ["KILL", "TERM", "SEGV"] {
        let done = run(&connector, &host, &format!("kill -{name} $$")).await.unwrap();
        assert_eq!(done.status, ExitStatus::Signal(name.to_owned()));
    }
    assert_eq!(connector.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn standard_input_arrives_whole_and_its_end_too() {
    let sshd = start(&[]);
    let home = home(&[&sshd]);
    let connector = SshConnector::new(options(home.path()));
    let channel = connector.open(&host("web1", &sshd), "wc -c").await.unwrap();
    let Channel { mut input, output } = channel;
    let chunk = Bytes::from(vec![b'x'; 1_000_000]);
    for _ in 0..20 {
        input.write(chunk.clone()).await.unwrap();
    }
    let done = finish(Channel { input, output }).await.unwrap();
    assert_eq!(done.stdout.trim(), "20000000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_may_be_given_up_without_losing_anything() {
    let sshd = start(&[]);
    let home = home(&[&sshd]);
    let connector = SshConnector::new(options(home.path()));
    let command = "i=0; while [ $i -lt 200 ]; do echo $i; i=$((i+1)); done";
    let mut channel = connector.open(&host("web1", &sshd), command).await.unwrap();
    let mut text = Vec::new();
    loop {
        let event = tokio::select! {
            biased;
            () = tokio::task::yield_now() => continue,
            event = channel.output.next() => event,
        };
        match event {
            ChannelEvent::Stdout(data) => text.extend_from_slice(&data),
            ChannelEvent::Exited(status) => break assert!(status.success()),
            ChannelEvent::Stderr(_) | ChannelEvent::Lost(_) => panic!("{event:?}"),
        }
    }
    let expected: String = (0..200).map(|number| format!("{number}\n")).collect();
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_costs_little_memory_and_nobody_else_waits() {
    const SIZE: usize = 256 * 1024 * 1024;
    let sshd = start(&[]);
    let home = home(&[&sshd]);
    let connector = SshConnector::new(options(home.path()));
    let host = host("web1", &sshd);
    run(&connector, &host, "true").await.unwrap();
    let before = resident();
    let mut slow = connector.open(&host, &format!("head -c {SIZE} /dev/zero")).await.unwrap();
    let (mut read, mut largest) = (0, 0);
    loop {
        match slow.output.next().await {
            ChannelEvent::Stdout(data) => {
                let part = read / (SIZE / 8);
                read += data.len();
                if read / (SIZE / 8) > part {
                    // The reader pauses for as long as this takes, eight times.
                    assert_eq!(stdout_of(&connector, &host, "echo here").await, "here\n");
                    largest = largest.max(resident());
                }
            }
            ChannelEvent::Exited(status) => break assert!(status.success()),
            event @ (ChannelEvent::Stderr(_) | ChannelEvent::Lost(_)) => panic!("{event:?}"),
        }
    }
    assert_eq!(read, SIZE);
    let grown = largest.saturating_sub(before) / 1024 / 1024;
    // Other tests of this process run at the same time; the stream alone would be 256 MiB.
    assert!(grown < 100, "grew by {grown} MiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_output_frees_the_place() {
    let sshd = start(&[]);
    let home = home(&[&sshd]);
    let mut options = options(home.path());
    options.channels_per_connection = 1;
    options.connections_per_host = 1;
    let connector = SshConnector::new(options);
    let host = host("web1", &sshd);
    for _ in 0..5 {
        drop(connector.open(&host, "sleep 1000").await.unwrap());
    }
    assert_eq!(stdout_of(&connector, &host, "echo here").await, "here\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_ends_reading_and_writing() {
    let sshd = start(&[]);
    let home = home(&[&sshd]);
    let connector = SshConnector::new(options(home.path()));
    let host = host("web1", &sshd);
    let mut channel = connector.open(&host, "echo started; sleep 1000").await.unwrap();
    assert!(matches!(channel.output.next().await, ChannelEvent::Stdout(_)));
    sshd.kill_connections();
    let mut input = channel.input;
    let chunk = Bytes::from(vec![0; 1_000_000]);
    let writing = async { while input.write(chunk.clone()).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, writing).await.expect("writing hangs");
    let end = tokio::time::timeout(PATIENCE, channel.output.next()).await.expect("reading hangs");
    assert!(matches!(end, ChannelEvent::Lost(_)), "{end:?}");
    assert_eq!(channel.output.next().await, end, "the end stays");
}

//! The process itself: configuration files, background, signals, logs.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tests::harness::program;

use super::world::{ended, json as body, on, server, until};

fn exed(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(program().unwrap());
    command.current_dir(folder).args(arguments).env("XDG_STATE_HOME", folder).output().unwrap()
}

fn said(output: &Output) -> String {
    [output.stdout.as_slice(), output.stderr.as_slice()].map(String::from_utf8_lossy).concat()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Asks with the least of clients, because these servers are not the harness's own.
fn get(port: u16, path: &str) -> Option<String> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn an_exed_installation_starts_unchanged_in_the_background() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let conf = format!(
        "[api]\nlisten = '127.0.0.1'\nlisten_port = {port}\npid_file = exed.pid\n\
         [runner]\nexecutor = ansible\nconcurrency = 4\nredis_url = redis://127.0.0.1:6379\n\
         broker_url = amqp://guest:guest@localhost:5672//\n\
         [log]\nlog_level = info\nerror_log = error.log\naccess_log = access.log\n\
         [ansible]\ninventory = hosts\nplaybooks = playbooks\n"
    );
    fs::write(folder.path().join("exe.conf"), conf).unwrap();
    fs::write(folder.path().join("hosts"), "here ansible_connection=local\n").unwrap();
    // No -c: exe.conf of the working directory is the default.
    let started = exed(folder.path(), &["-d"]);
    assert!(started.status.success(), "{}", said(&started));
    let pid: i32 = fs::read_to_string(folder.path().join("exed.pid")).unwrap().trim().parse().unwrap();
    let answer = get(port, "/target").expect("it answers as soon as the parent has returned");
    assert!(answer.ends_with("[\"here\"]"), "{answer}");
    let log = fs::read_to_string(folder.path().join("error.log")).unwrap();
    assert!(log.contains("redis_url") && log.contains("broker_url"), "unused settings are told: {log}");

    for name in ["error.log", "access.log"] {
        fs::rename(folder.path().join(name), folder.path().join(format!("{name}.1"))).unwrap();
    }
    kill_process(Pid::from_raw(pid).unwrap(), Signal::HUP).unwrap();
    until("both logs to be opened again", || {
        get(port, "/target").is_some()
            && ["error.log", "access.log"].iter().all(|name| folder.path().join(name).exists())
    });
    until("the access log to tell of a request", || {
        get(port, "/target").is_some()
            && fs::read_to_string(folder.path().join("access.log")).is_ok_and(|log| log.contains("/target"))
    });

    let second = exed(folder.path(), &["-d"]);
    assert!(!second.status.success(), "a second one on the same data is refused");
    kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    until("the pid file to go", || !folder.path().join("exed.pid").exists());
}

#[test]
fn what_is_wrong_is_said_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    for (text, words) in [
        ("listen = \"0.0.0.0\"\n", ["listen", "loopback"]),
        ("listen_port = 99999\n", ["listen_port", "exed.toml"]),
        ("lisen = \"127.0.0.1\"\n", ["lisen", "listen"]),
        ("[policies]\nexecute = \"x\"\n", ["policies", "execute"]),
    ] {
        fs::write(folder.path().join("exed.toml"), text).unwrap();
        for background in [&["-c", "exed.toml"][..], &["-c", "exed.toml", "-d"]] {
            let output = exed(folder.path(), background);
            assert!(!output.status.success(), "{text}");
            for word in words {
                assert!(said(&output).contains(word), "{text}: {}", said(&output));
            }
        }
    }
    let missing = exed(folder.path(), &["-c", "nowhere.conf"]);
    assert!(!missing.status.success() && said(&missing).contains("nowhere.conf"), "{}", said(&missing));
}

#[test]
fn help_and_version_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let help = exed(folder.path(), &["-h"]);
    assert!(help.status.success());
    for word in ["--conf", "--daemon", "--version"] {
        assert!(said(&help).contains(word), "{}", said(&help));
    }
    let version = exed(folder.path(), &["-v"]);
    assert!(version.status.success() && said(&version).contains("0.1.0"), "{}", said(&version));
}

#[test]
fn sigterm_drains() {
    let mut server = server("");
    let gate = format!("/tmp/drain-{}", std::process::id());
    let line = format!("echo x > {gate}.up; while [ ! -e {gate} ]; do sleep 0.05; done; echo finished");
    let answer = body(server.post("/execute", &json!({"targets": ["host03"], "cmd": line})), 201);
    let jid = answer["jid"].as_str().expect("a jid").to_owned();
    until("the command to run", || !on("host03", &format!("cat {gate}.up 2>/dev/null || true")).is_empty());
    server.signal(Signal::TERM).unwrap();
    until("the server to say that it drains", || server.log().contains("draining"));
    on("host03", &format!("touch {gate}"));
    until("the server to end", || server.log().contains("exed::app: ended"));
    // It has ended or is about to: another signal changes nothing, and its status is collected.
    let status = server.terminate(Duration::from_secs(30)).unwrap();
    assert!(status.success(), "{status}");
    server.restart().unwrap();
    let job = body(server.get(&format!("/jobs/{jid}?outputs=1")), 200);
    assert_eq!(job["state"], 0, "it had ended before the server did: {job}");
    assert_eq!(job["return_data"]["host03"][0]["stdout"], "finished\n");
}

#[test]
fn a_second_sigterm_stops_and_the_job_is_taken_up() {
    let mut server = server("");
    let gate = format!("/tmp/halt-{}", std::process::id());
    let line = format!("echo x >> {gate}.log; while [ ! -e {gate} ]; do sleep 0.05; done; echo finished");
    let answer = body(server.post("/execute", &json!({"targets": ["host04"], "cmd": line})), 201);
    let jid = answer["jid"].as_str().expect("a jid").to_owned();
    until("the command to run", || !on("host04", &format!("cat {gate}.log 2>/dev/null || true")).is_empty());
    server.signal(Signal::TERM).unwrap();
    until("the server to say that it drains", || server.log().contains("draining"));
    // The harness sends the second one.
    server.terminate(Duration::from_secs(20)).unwrap();
    server.restart().unwrap();
    on("host04", &format!("touch {gate}"));
    let job = ended(&server, &jid);
    assert_eq!(job["return_data"]["host04"][0]["stdout"], "finished\n", "{job}");
    assert_eq!(on("host04", &format!("cat {gate}.log")), "x\n", "it ran once");
}

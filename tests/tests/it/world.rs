//! One fleet of real hosts for the whole test binary, and helpers to talk to a server over it.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::fleet::{Fleet, FleetOptions};
use tests::harness::{Response, Server, ServerOptions};

/// How many hosts the shared fleet has.
pub(crate) const HOSTS: usize = 6;

/// The shared fleet. Its supervisor ends with this process, and takes the hosts with it.
pub(crate) fn fleet() -> &'static Fleet {
    static FLEET: OnceLock<Fleet> = OnceLock::new();
    FLEET.get_or_init(|| {
        Fleet::start_blocking(HOSTS, &FleetOptions::default()).expect("the fleet of test hosts starts")
    })
}

/// A server over the shared fleet, with further configuration.
pub(crate) fn server(toml: &str) -> Server {
    let mut options = ServerOptions::for_fleet(fleet());
    options.toml.push_str(toml);
    Server::start(options).expect("the server starts")
}

/// The body of an answer that must have this status.
#[track_caller]
pub(crate) fn json(response: anyhow::Result<Response>, status: u16) -> Value {
    let response = response.expect("an answer");
    assert_eq!(response.status, status, "{}", response.text());
    response.json().expect("a JSON body")
}

/// Waits until a job has ended, and returns its EXEd object with outputs.
#[track_caller]
pub(crate) fn ended(server: &Server, jid: &str) -> Value {
    let give_up = Instant::now() + Duration::from_secs(60);
    loop {
        let job = json(server.get(&format!("/jobs/{jid}?outputs=1")), 200);
        if job["state"] != 1 {
            return job;
        }
        assert!(Instant::now() < give_up, "job {jid} has not ended: {job}\n{}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits for a condition on the outside world.
#[track_caller]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < give_up, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs a shell line as root in a host of the fleet, past exed, and returns its standard output.
#[track_caller]
pub(crate) fn on(host: &str, line: &str) -> String {
    let output = fleet().exec(host, &["sh", "-c", line]).expect("the host answers");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Text for a query string.
pub(crate) fn encoded(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

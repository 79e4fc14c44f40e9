//! A plugin replaced a hundred times while clients use it: nobody notices.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use tests::harness::Server;

use super::component::{first_party, in_version};
use super::site::{active_version, install, memory_kib, put};
use crate::world::{HOSTS, encoded, json as body, server, until};

const REPLACEMENTS: usize = 100;
/// Memory is looked at when the retained versions are there, and again at the end.
const SETTLED: usize = 20;
/// What the server may grow by in the other replacements: far less than that many compiled plugins.
const GROWTH_AT_MOST_KIB: u64 = 64 << 10;

#[test]
fn a_hundred_replacements_under_load_fail_no_request() {
    let server = server("");
    let component = first_party("remote-shell");
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut settled = 0;
    std::thread::scope(|scope| {
        for client in 1..=3 {
            let (server, stop, answered) = (&server, &stop, &answered);
            scope.spawn(move || {
                let _stops = StopsOnPanic(stop);
                while !stop.load(SeqCst) {
                    use_it(server, client);
                    answered.fetch_add(2, SeqCst);
                }
            });
        }
        let _stops = StopsOnPanic(&stop);
        for number in 0..REPLACEMENTS {
            let version = format!("1.{}.{}", number / 10, number % 10);
            let next = in_version(&component, "0.1.0", &version);
            let before = answered.load(SeqCst);
            if number % 2 == 0 {
                put(&server, "remote-shell.wasm", &next);
                until("the replacement", || active_version(&server, "remote-shell") == Some(version.clone()));
            } else {
                assert_eq!(install(&server, next).expect("it is installed"), version);
            }
            until("answers meanwhile", || answered.load(SeqCst) > before || stop.load(SeqCst));
            assert!(!stop.load(SeqCst), "a client has failed");
            if number == SETTLED {
                settled = memory_kib(&server, "VmRSS");
            }
        }
        stop.store(true, SeqCst);
    });
    let grown = memory_kib(&server, "VmRSS").saturating_sub(settled);
    assert!(grown <= GROWTH_AT_MOST_KIB, "from {settled} KiB the server has grown by {grown} KiB");
    let kept = body(server.get("/api/v1/plugins/remote-shell"), 200);
    let kept = kept["items"].as_array().map_or(0, Vec::len);
    assert!((2..=6).contains(&kept), "{kept} versions are kept");
    server.check_leftovers().unwrap();
}

/// A ping of every host and a command on one, both of which must succeed.
fn use_it(server: &Server, client: usize) {
    let pong = body(server.get("/ping?target=*"), 200);
    let hosts = pong.as_object().expect("an object");
    assert_eq!(hosts.values().filter(|result| result["status"] == 0).count(), HOSTS, "{pong}");
    let host = format!("host{client:02}");
    let line = encoded(&format!("echo client {client}"));
    let answer = body(server.get(&format!("/execute?target={host}&cmd={line}")), 200);
    assert_eq!(answer[&host]["stdout"], format!("client {client}\n"), "{answer}");
}

/// Lets the others end when one has failed.
struct StopsOnPanic<'a>(&'a AtomicBool);

impl Drop for StopsOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, SeqCst);
        }
    }
}

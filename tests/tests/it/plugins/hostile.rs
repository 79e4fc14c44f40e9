//! A plugin that breaks a rule harms its own run only, and the job's error names plugin, version and limit.

use serde_json::{Value, json};

use super::component::Guest;
use super::site::{add, finished, put, run, server_granting, submit};
use crate::world::{HOSTS, json as body, on, until};

/// Jobs that compute for ever, each on every host: more than forty runs.
const SPINNING_JOBS: usize = 7;

#[test]
fn every_breach_is_named_and_ends_its_own_run() {
    let server = server_granting(&[Guest::Hostile], "");
    add(&server, Guest::Hostile);
    for (operation, said) in [
        ("spin", "plugin hostile 1.0.0 breached its cpu limit: at most 500 ms of computing"),
        ("hoard", "plugin hostile 1.0.0 breached its memory limit: at most 16 MiB"),
        ("trap", "plugin hostile 1.0.0 trapped: wasm trap: wasm `unreachable` instruction executed"),
        ("chatter", "plugin hostile 1.0.0 breached its output limit: at most 256 KiB in one run"),
        ("boast", "plugin hostile 1.0.0 breached its output limit: at most 256 KiB in one run"),
        ("nag", "plugin hostile 1.0.0 breached its host call limit: at most 500 calls in one run"),
    ] {
        let id = submit(&server, operation, "host01", &json!({}));
        let pong = body(server.get("/ping?target=*"), 200);
        assert_eq!(answering(&pong), HOSTS, "{operation}: {pong}");
        let job = finished(&server, &id);
        assert_eq!(job["state"], "failed", "{operation}: {job}");
        let error = job["error"].as_str().unwrap_or_default();
        assert!(error.contains(said), "{operation}: {error}");
        assert_eq!(job["plugin"]["version"], "1.0.0", "{job}");
    }
    server.check_leftovers().unwrap();
}

#[test]
fn the_api_answers_while_forty_runs_spin() {
    const { assert!(SPINNING_JOBS * HOSTS >= 40, "forty runs") };
    let server = server_granting(&[Guest::Hostile], "");
    add(&server, Guest::Hostile);
    let jobs: Vec<_> = (0..SPINNING_JOBS).map(|_| submit(&server, "spin", "*", &json!({}))).collect();
    let running = || {
        let running = body(server.get("/api/v1/jobs?state=running"), 200);
        running["items"].as_array().map_or(0, Vec::len)
    };
    until("the spinning runs", || running() == SPINNING_JOBS);
    let mut pings = 0;
    while running() > 0 {
        let pong = body(server.get("/ping?target=*"), 200);
        assert_eq!(answering(&pong), HOSTS, "{pong}");
        body(server.get("/api/v1/plugins"), 200);
        pings += 1;
    }
    assert!(pings >= 5, "only {pings} pings were answered while guests were spinning");
    for id in jobs {
        let job = finished(&server, &id);
        let runs = job["runs"].as_array().expect("runs");
        assert_eq!(runs.len(), HOSTS);
        for run in runs {
            let message = run["message"].as_str().unwrap_or_default();
            assert!(message.contains("hostile 1.0.0 breached its cpu limit"), "{run}");
        }
    }
    server.check_leftovers().unwrap();
}

#[test]
fn a_run_that_waits_too_long_leaves_nothing_on_the_host() {
    let server = server_granting(&[Guest::Hostile], "");
    let hasty = Guest::Hostile.manifest("wall_ms = 120000", "wall_ms = 1500");
    put(&server, "hostile.toml", hasty.as_bytes());
    add(&server, Guest::Hostile);
    let job = run(&server, "linger", "host02", &json!({}));
    let error = job["error"].as_str().unwrap_or_default();
    assert!(error.contains("hostile 1.0.0 breached its wall time limit: at most 1500 ms"), "{error}");
    assert_eq!(on("host02", "pgrep -f '^sleep 86399'"), "", "its process was ended");
    server.check_leftovers().unwrap();
}

/// How many hosts say that all is well.
fn answering(pong: &Value) -> usize {
    let hosts = pong.as_object().expect("an object");
    hosts.values().filter(|result| result["status"] == 0).count()
}

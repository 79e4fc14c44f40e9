//! Policies bound by configuration stand between every plugin and the hosts.

use rustix::process::Signal;
use serde_json::json;
use tests::harness::Server;

use super::component::Guest;
use super::site::{add, run, server_granting};
use crate::world::{encoded, json as body, on, until};

const BOUND: &str = "[policies]\nexecute = [\"command-allowlist\"]\nwords = [\"command-allowlist\"]\n\
                     round-trip = [\"command-allowlist\"]\n";
const CONFIG: &str = "[plugins.config]\ncommand-allowlist = { patterns = ['^touch /tmp/allowed-[0-9]+$'] }\n";

fn execute(server: &Server, line: &str) -> serde_json::Value {
    let answer = body(server.get(&format!("/execute?target=host04&cmd={}", encoded(line))), 200);
    answer["host04"].clone()
}

fn exists(path: &str) -> bool {
    on("host04", &format!("ls {path} 2>&1 && echo there")).contains("there")
}

#[test]
fn an_allowlist_denies_what_is_not_listed_and_nothing_reaches_the_host() {
    let server = server_granting(&[Guest::Courier], &format!("{CONFIG}{BOUND}"));
    add(&server, Guest::Courier);
    on("host04", "rm -f /tmp/allowed-* /tmp/denied*");

    // A command line for a shell is never words, even where its words would be listed.
    let answer = execute(&server, "touch /tmp/allowed-1");
    assert_eq!(answer["status"], 2, "{answer}");
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(message.contains("command-allowlist") && message.contains("shell"), "{answer}");
    assert!(!exists("/tmp/allowed-1"));

    let words = |words: &[&str]| run(&server, "words", "host04", &json!({"words": words}));
    for denied in [
        &["touch", "/tmp/denied"] as &[&str],
        &["touch", "/tmp/allowed-2", "/tmp/denied"],
        &["touch", "/tmp/allowed-2 /tmp/denied"],
        &["sh", "-c", "touch /tmp/denied"],
    ] {
        let job = words(denied);
        assert_eq!(job["state"], "failed", "{job}");
        let error = job["error"].as_str().unwrap_or_default();
        assert!(error.contains("policy command-allowlist"), "{error}");
    }
    let parcel = json!({"path": "/tmp/denied-file", "mib": 1});
    assert_eq!(run(&server, "round-trip", "host04", &parcel)["state"], "failed", "files pass it, too");
    assert!(!exists("/tmp/denied*") && !exists("/tmp/allowed-2"));

    let job = words(&["touch", "/tmp/allowed-2"]);
    assert_eq!(job["state"], "done", "{job}");
    assert!(exists("/tmp/allowed-2"));
    assert_eq!(body(server.get("/ping?target=host04"), 200)["host04"]["status"], 0, "ping is not bound");
    server.check_leftovers().unwrap();
}

#[test]
fn sighup_changes_the_bindings() {
    let server = server_granting(&[], &format!("{CONFIG}{BOUND}"));
    let file = server.configuration();
    let bound = std::fs::read_to_string(&file).unwrap();
    let free = bound.replace(BOUND, "");
    assert_ne!(bound, free);
    assert_eq!(execute(&server, "true")["status"], 2);

    std::fs::write(&file, &free).unwrap();
    server.signal(Signal::HUP).unwrap();
    until("the bindings to go", || execute(&server, "true")["status"] == 4);

    std::fs::write(&file, &bound).unwrap();
    server.signal(Signal::HUP).unwrap();
    until("the bindings to come back", || execute(&server, "true")["status"] == 2);

    // A mistake changes nothing, and the log says where it is.
    std::fs::write(&file, format!("{free}[nonsense]\n")).unwrap();
    server.signal(Signal::HUP).unwrap();
    until("the log to tell", || server.log().contains("nonsense"));
    assert_eq!(execute(&server, "true")["status"], 2);
}

#[test]
fn a_policy_that_is_missing_or_does_not_accept_its_configuration_denies() {
    let server = server_granting(&[], "[policies]\nexecute = [\"nobody\"]\n");
    let answer = execute(&server, "true");
    assert_eq!(answer["status"], 2, "{answer}");
    assert!(answer["message"].as_str().is_some_and(|text| text.contains("nobody is not loaded")), "{answer}");
}

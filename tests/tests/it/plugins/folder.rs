//! The plugin folder and its API: files come, change and go while the server runs.

use std::fs::{self, File};
use std::io::Write as _;

use serde_json::json;

use super::component::{Guest, first_party, in_version};
use super::site::{
    active, active_version, add, finished, install, plugins, put, refusal, refused, run, server_granting,
    submit,
};
use crate::world::{json as body, on, until};

const WORDS: &str = "courier";

#[test]
fn files_are_added_replaced_and_removed() {
    let server = server_granting(&[Guest::Courier], "");
    assert_eq!(active_version(&server, WORDS), None);
    add(&server, Guest::Courier);
    let args = json!({"words": ["hostname"]});
    let job = run(&server, "words", "host01", &args);
    assert_eq!(job["runs"][0]["results"][0]["data"]["stdout"], "host01\n", "{job}");

    let next = in_version(&Guest::Courier.component(), "1.0.0", "1.0.1");
    put(&server, "courier.wasm", &next);
    until("the next version", || active_version(&server, WORDS).as_deref() == Some("1.0.1"));
    assert_eq!(run(&server, "words", "host01", &args)["plugin"]["version"], "1.0.1");

    put(&server, "courier.wasm", b"broken");
    refused(&server, "courier.wasm");
    assert_eq!(run(&server, "words", "host01", &args)["plugin"]["version"], "1.0.1", "the working one stays");

    fs::remove_file(server.plugins().join("courier.wasm")).unwrap();
    until("its end", || active(&server, WORDS).is_none());
    assert_eq!(refusal(&server, "courier.wasm"), None, "the file is forgotten");
    let job = json!({"operation": "words", "targets": ["host01"], "args": args});
    let answer = server.post("/api/v1/jobs", &job).unwrap();
    assert!((400..500).contains(&answer.status), "{}", answer.text());
    assert!(answer.text().contains("no plugin offers the operation"), "{}", answer.text());
}

#[test]
fn a_file_that_is_still_being_written_is_taken_when_it_is_whole() {
    let server = server_granting(&[Guest::Courier], "");
    let component = Guest::Courier.component();
    let (first, second) = component.split_at(component.len() / 2);
    let mut file = File::create(server.plugins().join("courier.wasm")).unwrap();
    file.write_all(first).unwrap();
    let reason = refused(&server, "courier.wasm");
    assert!(reason.contains("broken"), "{reason}");
    file.write_all(second).unwrap();
    drop(file);
    until("the whole file", || active(&server, WORDS).is_some());
    assert_eq!(refusal(&server, "courier.wasm"), None);
}

#[test]
fn a_manifest_beside_the_component_wins_and_is_watched() {
    let server = server_granting(&[Guest::Courier], "");
    put(&server, "courier.toml", Guest::Courier.manifest("\"1.0.0\"", "\"7.1.0\"").as_bytes());
    put(&server, "courier.wasm", &Guest::Courier.component());
    until("the manifest", || active_version(&server, WORDS).as_deref() == Some("7.1.0"));
    put(&server, "courier.toml", Guest::Courier.manifest("\"1.0.0\"", "\"7.2.0\"").as_bytes());
    until("its change", || active_version(&server, WORDS).as_deref() == Some("7.2.0"));
    put(&server, "courier.toml", b"name = ");
    assert!(refused(&server, "courier.wasm").contains("the manifest is wrong: line 1"));
    assert_eq!(active_version(&server, WORDS).as_deref(), Some("7.2.0"));
}

#[test]
fn the_folder_overrides_what_the_server_carries_also_after_a_restart() {
    let mut server = server_granting(&[], "");
    let carried = active(&server, "remote-shell").expect("the server carries it");
    assert_eq!(carried["file"], json!(null), "{carried}");
    let other = in_version(&first_party("remote-shell"), "0.1.0", "0.7.7");
    put(&server, "shell.wasm", &other);
    until("the folder's version", || active_version(&server, "remote-shell").as_deref() == Some("0.7.7"));
    assert_eq!(active(&server, "remote-shell").unwrap()["file"], "shell.wasm");
    server.kill().unwrap();
    server.restart().unwrap();
    assert_eq!(active_version(&server, "remote-shell").as_deref(), Some("0.7.7"));
    assert_eq!(body(server.get("/ping?target=host01"), 200)["host01"]["status"], 0);
    fs::remove_file(server.plugins().join("shell.wasm")).unwrap();
    until("the carried version", || active(&server, "remote-shell").is_some_and(|it| it["file"].is_null()));
    assert_eq!(body(server.get("/ping?target=host01"), 200)["host01"]["status"], 0);
    assert_eq!(server.delete("/api/v1/plugins/remote-shell").unwrap().status, 409, "it cannot be removed");
}

#[test]
fn rollback_goes_back_and_removal_takes_the_file() {
    let server = server_granting(&[Guest::Courier], "");
    let component = Guest::Courier.component();
    install(&server, component.clone()).unwrap();
    install(&server, in_version(&component, "1.0.0", "1.1.0")).unwrap();
    assert_eq!(active_version(&server, WORDS).as_deref(), Some("1.1.0"));
    let back = body(server.post("/api/v1/plugins/courier/rollback", &json!({})), 200);
    assert_eq!((&back["version"], &back["state"]), (&json!("1.0.0"), &json!("active")), "{back}");
    let args = json!({"words": ["true"]});
    assert_eq!(run(&server, "words", "host01", &args)["plugin"]["version"], "1.0.0");
    let answer = server.post("/api/v1/plugins/courier/rollback", &json!({})).unwrap();
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert_eq!(server.post("/api/v1/plugins/nobody/rollback", &json!({})).unwrap().status, 404);
    assert_eq!(server.delete("/api/v1/plugins/courier").unwrap().status, 204);
    assert_eq!(active(&server, WORDS), None);
    assert!(!server.plugins().join("courier.wasm").exists());
}

#[test]
fn a_job_ends_with_the_version_it_began_with() {
    let server = server_granting(&[Guest::Courier], "");
    add(&server, Guest::Courier);
    let gate = "/tmp/courier-gate";
    on("host03", &format!("rm -f {gate}; mkfifo {gate}"));
    let id = submit(&server, "words", "host03", &json!({"words": ["cat", gate]}));
    until("the run", || active(&server, WORDS).is_some_and(|plugin| plugin["running"] == 1));
    install(&server, in_version(&Guest::Courier.component(), "1.0.0", "2.0.0")).unwrap();
    let state = |version: &str| {
        let all = plugins(&server);
        let items = all["items"].as_array().expect("a list");
        let found = items.iter().find(|item| item["name"] == WORDS && item["version"] == version);
        found.map(|item| item["state"].clone())
    };
    assert_eq!((state("1.0.0"), state("2.0.0")), (Some(json!("draining")), Some(json!("active"))));
    on("host03", &format!("echo through > {gate}"));
    let job = finished(&server, &id);
    assert_eq!(job["plugin"]["version"], "1.0.0", "{job}");
    assert_eq!(job["runs"][0]["results"][0]["data"]["stdout"], "through\n", "{job}");
    until("the end of the old version's work", || state("1.0.0") == Some(json!("retained")));
}

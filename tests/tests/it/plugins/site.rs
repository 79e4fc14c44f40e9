//! A server with a plugin folder, and what the tests ask of it.

use std::fs;
use std::time::{Duration, Instant};

use exed_client::{Client, ClientError};
use serde_json::{Value, json};
use tests::harness::Server;

use super::component::Guest;
use crate::world::{json as body, until};

/// A server over the shared fleet that grants these plugins everything.
pub(super) fn server_granting(guests: &[Guest], toml: &str) -> Server {
    let grants: String =
        guests.iter().map(|guest| format!("{} = [\"transport\", \"events\"]\n", guest.name())).collect();
    crate::world::server(&format!("[plugins.grants]\n{grants}{toml}"))
}

/// Puts a file into the plugin folder as a careful program does: complete, then renamed.
pub(super) fn put(server: &Server, file: &str, bytes: &[u8]) {
    let beside = server.plugins().join(format!(".{file}.part"));
    fs::write(&beside, bytes).expect("the plugin folder is writable");
    fs::rename(beside, server.plugins().join(file)).expect("the plugin folder is writable");
}

/// Puts a plugin into the folder and waits until it is active.
pub(super) fn add(server: &Server, guest: Guest) {
    put(server, &format!("{}.wasm", guest.name()), &guest.component());
    until("the plugin", || active(server, guest.name()).is_some());
}

/// Every version of every plugin, and what was refused.
pub(super) fn plugins(server: &Server) -> Value {
    body(server.get("/api/v1/plugins"), 200)
}

/// The active version of a plugin.
pub(super) fn active(server: &Server, name: &str) -> Option<Value> {
    let all = plugins(server);
    let items = all["items"].as_array().expect("a list");
    items.iter().find(|item| item["name"] == name && item["state"] == "active").cloned()
}

/// The number of the active version.
pub(super) fn active_version(server: &Server, name: &str) -> Option<String> {
    active(server, name).and_then(|plugin| plugin["version"].as_str().map(str::to_owned))
}

/// Why a file was refused.
pub(super) fn refusal(server: &Server, file: &str) -> Option<String> {
    let all = plugins(server);
    let refusals = all["refusals"].as_array().expect("a list");
    let found = refusals.iter().find(|refusal| refusal["file"] == file)?;
    found["reason"].as_str().map(str::to_owned)
}

/// Waits for the refusal of a file.
#[track_caller]
pub(super) fn refused(server: &Server, file: &str) -> String {
    until(&format!("the refusal of {file}"), || refusal(server, file).is_some());
    refusal(server, file).expect("it is still refused")
}

/// Installs a component by API; the answer is the version, or the server's refusal.
pub(super) fn install(server: &Server, component: Vec<u8>) -> Result<String, ClientError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let client = Client::new(&server.url())?;
    let plugin = runtime.block_on(client.install(component.into()))?;
    Ok(plugin.used.version)
}

/// Submits a job and returns its id.
#[track_caller]
pub(super) fn submit(server: &Server, operation: &str, targets: &str, args: &Value) -> String {
    let job = json!({"operation": operation, "targets": [targets], "args": args});
    let answer = server.post("/api/v1/jobs", &job).expect("an answer");
    assert!((200..300).contains(&answer.status), "{}", answer.text());
    let id = answer.json().expect("JSON")["id"].as_str().map(str::to_owned);
    id.expect("an id")
}

/// Waits until a job has ended, and returns it with its runs.
#[track_caller]
pub(super) fn finished(server: &Server, id: &str) -> Value {
    let give_up = Instant::now() + Duration::from_secs(120);
    loop {
        let job = body(server.get(&format!("/api/v1/jobs/{id}")), 200);
        if ["done", "failed", "canceled"].iter().any(|state| job["state"] == *state) {
            return job;
        }
        assert!(Instant::now() < give_up, "job {id} has not ended: {job}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs a job to its end.
#[track_caller]
pub(super) fn run(server: &Server, operation: &str, targets: &str, args: &Value) -> Value {
    finished(server, &submit(server, operation, targets, args))
}

/// What a job's only run has reported first.
pub(super) fn only_result(job: &Value) -> &Value {
    &job["runs"][0]["results"][0]
}

/// A field of `/proc/PID/status` of the server, in KiB.
pub(super) fn memory_kib(server: &Server, field: &str) -> u64 {
    let pid = server.pid().expect("the server runs");
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the server's status");
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.unwrap_or_else(|| panic!("{field} is not in {status}"))
}

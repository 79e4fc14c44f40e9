//! Files of any size through a plugin, in constant memory.

use serde_json::json;

use super::component::Guest;
use super::site::{add, memory_kib, only_result, run, server_granting};
use crate::world::on;

const MIB: u64 = 128;
/// What the server may need at most beside what it had before: a part of the file.
const GROWTH_AT_MOST_KIB: u64 = 48 << 10;

#[test]
fn a_large_file_goes_there_and_back() {
    let server = server_granting(&[Guest::Courier], "");
    add(&server, Guest::Courier);
    let path = "/tmp/parcel";
    let parcel = |mib: u64| json!({"path": path, "mib": mib});
    assert_eq!(run(&server, "round-trip", "host05", &parcel(1))["state"], "done");
    let before = memory_kib(&server, "VmHWM");
    let job = run(&server, "round-trip", "host05", &parcel(MIB));
    let grown = memory_kib(&server, "VmHWM").saturating_sub(before);
    assert_eq!(job["state"], "done", "{job}");
    let told = on("host05", &format!("sha256sum {path}; stat -c '%s %a' {path}; rm {path}"));
    let mut lines = told.lines();
    let digest = lines.next().and_then(|line| line.split_whitespace().next());
    assert_eq!(only_result(&job)["data"]["sha256"].as_str(), digest, "{job}");
    assert_eq!(lines.next(), Some(format!("{} 640", MIB << 20).as_str()));
    assert!(grown <= GROWTH_AT_MOST_KIB, "{MIB} MiB went both ways, and the server needed {grown} KiB more");
    server.check_leftovers().unwrap();
}

#[test]
fn an_upload_that_is_let_go_leaves_nothing() {
    let server = server_granting(&[Guest::Courier], "");
    add(&server, Guest::Courier);
    let job = run(&server, "abandon", "host06", &json!({}));
    assert_eq!(job["state"], "done", "{job}");
    // Neither under its name nor under the temporary one beside it.
    crate::world::until("the file to go", || on("host06", "find /tmp -name '*abandoned*'").is_empty());
    server.check_leftovers().unwrap();
}

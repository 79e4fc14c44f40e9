//! The examples of third-party plugins do what their documentation says.

use serde_json::json;

use super::component::Guest;
use super::site::{add, only_result, run, server_granting};
use crate::world::{on, until};

#[test]
fn a_plugin_that_imports_wasi_finds_nothing_behind_it() {
    let server = server_granting(&[Guest::WasiProbe], "");
    add(&server, Guest::WasiProbe);
    let imports = String::from_utf8_lossy(&Guest::WasiProbe.component()).contains("wasi:filesystem/");
    assert!(imports, "it would prove nothing if it imported nothing");
    let job = run(&server, "wasi-probe", "host01", &json!({}));
    assert_eq!(job["state"], "done", "{job}");
    assert_eq!(only_result(&job)["state"], "ok", "{job}");
    assert_eq!(only_result(&job)["data"], json!({"found": []}), "{job}");
    until("its output in the log", || {
        let log = server.log();
        ["output", "error"].iter().all(|stream| log.contains(&format!("a line on standard {stream}")))
    });
}

#[test]
fn a_plugin_of_its_own_repository_works_on_a_host() {
    let server = server_granting(&[Guest::DiskUsage], "");
    add(&server, Guest::DiskUsage);
    let job = run(&server, "disk-usage", "host02", &json!({"paths": ["/", "/tmp"]}));
    assert_eq!(job["state"], "done", "{job}");
    let rows = only_result(&job)["data"]["filesystems"].as_array().cloned().unwrap_or_default();
    assert_eq!(rows.len(), 2, "{job}");
    let total: u64 = on("host02", "df -P -k / | awk 'NR == 2 { print $2 }'").trim().parse().unwrap();
    assert_eq!(rows[0]["total_kib"], total, "{job}");
    let bad = json!({"operation": "disk-usage", "targets": ["host02"], "args": {"paths": ["tmp"]}});
    let answer = server.post("/api/v1/jobs", &bad).unwrap();
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains("absolute paths"), "{}", answer.text());
}

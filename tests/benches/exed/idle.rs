//! What the server costs while it does nothing, with every host connected.

use std::time::Duration;

use serde_json::json;
use tests::fleet::Fleet;

use crate::openssh::process_cpu;
use crate::report::Report;
use crate::server::{Call, Exed};

/// How long it is watched.
const FOR: Duration = Duration::from_secs(20);
/// Pings and facts before it is measured, so that every buffer and every arena has been used.
const ROUNDS: usize = 10;

/// Measures resident memory after some calls, and the processor's share after that.
pub(crate) fn measure(
    report: &mut Report,
    fleet: &Fleet,
    exed: &mut Exed,
    hosts: usize,
) -> anyhow::Result<()> {
    exed.restart()?;
    let (ping, facts) = (Call { path: "ping", query: "" }, Call { path: "facter", query: "" });
    for _ in 0..ROUNDS {
        exed.call(&ping, fleet, hosts)?;
        exed.call(&facts, fleet, hosts)?;
    }
    let pid = exed.pid()?;
    report.note(&format!("resident with {hosts} hosts connected, MiB"), json!(resident_mib(pid)));
    let before = process_cpu(pid);
    std::thread::sleep(FOR);
    let share = (process_cpu(pid) - before) / FOR.as_secs_f64();
    report.note("idle share of one core, percent", json!(share * 100.0));
    Ok(())
}

/// Resident memory of a process.
fn resident_mib(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kib = line.split_whitespace().next().and_then(|number| number.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

//! The server is killed at any moment: what was acknowledged is there, and nothing is half done.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use exed_domain::job::state::Ending;
use exed_domain::ports::JobStore as _;
use exed_domain::ports::store::CancelOutcome;
use exed_domain::{EventSeq, JobId};
use rusqlite::Connection;
use serde_json::json;

use super::open;
use crate::conformance::support::*;

const PATH_VARIABLE: &str = "EXED_STORE_CRASH_TEST_PATH";

/// The part that is killed. Without the variable it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some(path) = std::env::var_os(PATH_VARIABLE) else { return };
    let store: Store = Arc::new(open(Path::new(&path)));
    store.release_leases(None, at(0)).await.unwrap();
    let mut workers = tokio::task::JoinSet::<()>::new();
    for number in 0..4 {
        let store = store.clone();
        workers.spawn(async move {
            loop {
                work(&store, number).await;
            }
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker.unwrap();
    }
}

/// Submits a job and runs one, printing what was acknowledged.
async fn work(store: &Store, number: u32) {
    let host = format!("host{number}");
    let new = if number.is_multiple_of(2) { queueing(&["shared", &host]) } else { ping(&[&host]) };
    let id = submit(store, new).await.id;
    println!("acknowledged {id} 1");
    if number == 2 {
        let outcome = store.cancel(id, "bob", at(1_500)).await.unwrap();
        println!("acknowledged {id} {}", if outcome == CancelOutcome::Canceled { 5 } else { 3 });
    }
    for claimed in claim(store, 2_000, 1).await {
        let (id, key) = (claimed.job.id, key(&claimed));
        for step in 0..3 {
            let told = vec![log("line"), task("shared", &format!("task {step}"), json!({"step": step}))];
            let last = store.record(&key, writes(told)).await.unwrap();
            println!("acknowledged {id} {}", last.0);
        }
        let last = store.record(&key, finish(Ending::AllDone, 3_000)).await.unwrap();
        println!("acknowledged {id} {}", last.0);
    }
}

/// Runs the child until it has acknowledged `lines` things, kills it, and returns all that it said.
fn run_and_kill(path: &Path, lines: usize) -> HashMap<JobId, EventSeq> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sqlite::tests::crash::child", "--nocapture"])
        .env(PATH_VARIABLE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = HashMap::new();
    let output = BufReader::new(child.stdout.take().unwrap()).lines();
    for (heard, line) in (1_usize..).zip(output) {
        let line = line.unwrap();
        if let Some((id, seq)) = line.rsplit_once("acknowledged ").and_then(|(_, rest)| rest.split_once(' '))
            && let (Ok(id), Ok(seq)) = (id.parse::<JobId>(), seq.parse())
        {
            acknowledged.insert(id, EventSeq(seq));
        }
        if heard == lines {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    acknowledged
}

fn numbers(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn assert_consistent(path: &Path) {
    let connection = Connection::open(path).unwrap();
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let orphans = "SELECT count(*) FROM pragma_foreign_key_check";
    assert_eq!(numbers(&connection, orphans), 0);
    let leaked = "SELECT count(*) FROM mutexes AS m LEFT JOIN jobs AS j ON j.alias = m.job
                  WHERE j.state IS NULL OR j.state NOT IN ('queued', 'running', 'canceling')";
    assert_eq!(numbers(&connection, leaked), 0, "a mutex belongs to a job that has ended");
    let idle = "SELECT count(*) FROM waiting AS w LEFT JOIN jobs AS j ON j.alias = w.job
                WHERE j.state IS NOT 'queued'";
    assert_eq!(numbers(&connection, idle), 0, "a job waits that is not queued");
    let miscounted = "SELECT count(*) FROM jobs AS j WHERE state = 'queued' AND blocked != (
        SELECT count(*) FROM waiting AS w WHERE w.job = j.alias AND (
            EXISTS (SELECT 1 FROM mutexes AS m WHERE m.mutex = w.mutex AND m.host = w.host)
            OR EXISTS (SELECT 1 FROM waiting AS e
                       WHERE e.mutex = w.mutex AND e.host = w.host AND e.job < w.job)))";
    assert_eq!(numbers(&connection, miscounted), 0, "a waiting job counts its obstacles wrongly");
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_by_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exed.db");
    let mut acknowledged: HashMap<JobId, EventSeq> = HashMap::new();
    // After how many lines the child is killed; the moment within its work is chance.
    for lines in [12, 3, 57, 140, 31, 400, 9, 83] {
        for (id, seq) in run_and_kill(&path, lines) {
            let known = acknowledged.entry(id).or_default();
            *known = seq.max(*known);
        }
        assert_consistent(&path);
        let store = open(&path);
        for (id, seq) in &acknowledged {
            assert!(store.job(*id).await.unwrap().is_some(), "job {id} was acknowledged and is gone");
            let events = store.events(*id, EventSeq(0), usize::MAX).await.unwrap();
            assert_gapless(&events);
            assert!(events.last().is_some_and(|event| event.seq >= *seq), "events of {id} are gone");
        }
    }
    assert!(acknowledged.len() > 100, "only {} jobs were acknowledged", acknowledged.len());
}

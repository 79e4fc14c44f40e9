//! The writer: neighbours in a group, panics, and callers that stop waiting.

use std::sync::Arc;

use rusqlite::params;

use super::super::fault::Fault;
use super::super::open::open;
use super::super::writer::Writer;
use crate::conformance::support::at;

/// A writer of its own, with a table to write to, and a way to hold it at work until the sender is dropped.
fn writer(folder: &tempfile::TempDir) -> (Arc<Writer>, std::sync::mpsc::Sender<()>) {
    let (connection, lock) = open(&folder.path().join("exed.db")).unwrap();
    connection.execute_batch("CREATE TABLE notes (note INTEGER PRIMARY KEY)").unwrap();
    let writer = Arc::new(Writer::start(connection, lock).unwrap());
    let (release, hold) = std::sync::mpsc::channel::<()>();
    let held = Arc::clone(&writer);
    tokio::spawn(async move {
        held.run("holding", move |_| {
            // The end of the channel is the signal.
            Ok(hold.recv().is_err())
        })
        .await
    });
    (writer, release)
}

fn insert(connection: &rusqlite::Connection, note: i64) -> Result<i64, Fault> {
    Ok(connection.prepare_cached("INSERT INTO notes VALUES (?1)")?.insert(params![note])?)
}

async fn notes(writer: &Writer) -> Vec<i64> {
    let read = |connection: &rusqlite::Connection| -> Result<Vec<i64>, Fault> {
        let mut statement = connection.prepare("SELECT note FROM notes ORDER BY note")?;
        let notes = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(notes)
    };
    writer.run("reading", read).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_request_does_not_spoil_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, release) = writer(&folder);
    let requests: Vec<_> = (0..60_i64)
        .map(|note| {
            let writer = Arc::clone(&writer);
            tokio::spawn(async move {
                writer
                    .run("writing", move |connection| {
                        insert(connection, note)?;
                        match note % 3 {
                            0 => Ok(note),
                            1 => insert(connection, note),
                            _ => panic!("a bug in one request"),
                        }
                    })
                    .await
            })
        })
        .collect();
    drop(release);
    for (note, request) in (0_i64..).zip(requests) {
        let answer = request.await.unwrap();
        assert_eq!(answer.is_ok(), note % 3 == 0, "{note}: {answer:?}");
    }
    let expected: Vec<i64> = (0..60).filter(|note| note % 3 == 0).collect();
    assert_eq!(notes(&writer).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_sqlite_ends_is_told_to_the_whole_group() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, release) = writer(&folder);
    let rolled_back = writer.run("breaking", |connection| {
        insert(connection, 1)?;
        // What SQLite does by itself when the disk is full.
        connection.execute_batch("ROLLBACK")?;
        insert(connection, 2)
    });
    drop(release);
    assert!(rolled_back.await.is_err());
    writer.run("writing", |connection| insert(connection, 3)).await.unwrap();
    assert!(!notes(&writer).await.contains(&1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_stops_waiting_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, release) = writer(&folder);
    let gone = tokio::spawn({
        let writer = Arc::clone(&writer);
        async move { writer.run("writing", |connection| insert(connection, at(1).0)).await }
    });
    gone.abort();
    drop(release);
    writer.run("writing", |connection| insert(connection, 2)).await.unwrap();
    assert!(notes(&writer).await.contains(&2));
}

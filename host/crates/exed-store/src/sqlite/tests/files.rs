//! The file: permissions, lock, versions, damage.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::Connection;

use super::super::{OpenError, SqliteOptions, SqliteStore};
use super::open;
use crate::conformance::support::{Store, page, ping, submit};

fn refusal(path: &Path) -> OpenError {
    match SqliteStore::open(SqliteOptions::new(path)) {
        Ok(_) => panic!("{} must be refused", path.display()),
        Err(error) => error,
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn files_are_private() {
    let folder = tempfile::tempdir().unwrap();
    let parent = folder.path().join("new/deeper");
    let path = parent.join("exed.db");
    let store: Store = std::sync::Arc::new(open(&path));
    submit(&store, ping(&["a"])).await;
    assert_eq!((mode(&parent), mode(parent.parent().unwrap())), (0o700, 0o700));
    for name in ["exed.db", "exed.db-wal", "exed.db-shm", "exed.db.lock"] {
        assert_eq!(mode(&parent.join(name)), 0o600, "{name}");
    }
}

#[test]
fn an_existing_file_becomes_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exed.db");
    fs::write(&path, b"").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    drop(open(&path));
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_second_server_is_refused_until_the_first_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exed.db");
    let first = open(&path);
    let error = refusal(&path);
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    drop(first);
    drop(open(&path));
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exed.db");
    let store: Store = std::sync::Arc::new(open(&path));
    let job = submit(&store, ping(&["a", "b"])).await;
    drop(store);
    let store: Store = std::sync::Arc::new(open(&path));
    assert_eq!(store.jobs(page(9)).await.unwrap(), [job]);
}

#[test]
fn settings_are_those_promised() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exed.db");
    let (connection, _lock) = super::super::open::open(&path).unwrap();
    let number = |pragma: &str| -> i64 { connection.query_row(pragma, [], |row| row.get(0)).unwrap() };
    assert_eq!(number("PRAGMA synchronous"), 2, "2 is FULL");
    assert_eq!(number("PRAGMA foreign_keys"), 1);
    let journal: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(journal, "wal");
}

#[test]
fn text_is_not_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exed.db");
    let text = "[server]\nlisten = 127.0.0.1:16666\n".repeat(200);
    fs::write(&path, &text).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "a refused file is left as it is");
}

#[test]
fn a_foreign_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exed.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = fs::read(&path).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exed.db");
    drop(open(&path));
    let connection = Connection::open(&path).unwrap();
    connection.execute("INSERT INTO schema_version VALUES (999, 'later')", []).unwrap();
    drop(connection);
    let error = refusal(&path);
    assert!(matches!(error, OpenError::Newer { found: 999, .. }), "{error:?}");
    assert!(error.to_string().contains("999"), "{error}");
}

#[test]
fn a_damaged_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exed.db");
    drop(open(&path));
    let mut bytes = fs::read(&path).unwrap();
    for byte in bytes.iter_mut().skip(100).take(3_900) {
        *byte = 0xa5;
    }
    fs::write(&path, bytes).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("backup"), "{error}");
}

#[test]
fn an_unreachable_place_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), b"").unwrap();
    for path in [folder.path().join("file/exed.db"), folder.path().to_owned()] {
        let error = refusal(&path);
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    }
}

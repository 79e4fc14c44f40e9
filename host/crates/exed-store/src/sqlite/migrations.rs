//! The schema and its versions.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::open::{OpenError, explain};

/// Every version of the schema in order; a published one is never edited, only followed by another.
const MIGRATIONS: &[(i64, &str)] = &[(1, include_str!("schema/0001_jobs.sql"))];

/// Marks the file as one of exed: the letters `exed`.
const APPLICATION: i64 = 0x6578_6564;

/// The newest version that this program knows.
fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |(version, _)| *version)
}

/// Refuses files that are not ours or too new, before anything is written to them.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let (application, tables) = inspect(connection).map_err(explain(path, "reading its header"))?;
    if application != APPLICATION && tables > 0 {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    let found = version(connection).map_err(explain(path, "reading its schema version"))?;
    if found > newest() {
        return Err(OpenError::Newer { path: path.to_owned(), found, known: newest() });
    }
    Ok(())
}

/// Brings the schema up to date, each version in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let found = version(connection).map_err(explain(path, "reading its schema version"))?;
    for (number, sql) in MIGRATIONS.iter().filter(|(number, _)| *number > found) {
        apply(connection, *number, sql).map_err(explain(path, "bringing its schema up to date"))?;
        tracing::info!(path = %path.display(), version = number, "database schema brought up to date");
    }
    Ok(())
}

fn inspect(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let application = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok((application, tables))
}

/// The version of the file; 0 while it is empty.
fn version(connection: &Connection) -> rusqlite::Result<i64> {
    let known: Option<i64> = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE name = 'schema_version'", [], |row| row.get(0))
        .optional()?;
    match known {
        None => Ok(0),
        Some(_) => {
            connection.query_row("SELECT coalesce(max(version), 0) FROM schema_version", [], |row| row.get(0))
        }
    }
}

fn apply(connection: &mut Connection, number: i64, sql: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_version (
             version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL) STRICT;",
    )?;
    transaction.execute_batch(sql)?;
    transaction.execute(
        "INSERT INTO schema_version (version, applied_at) VALUES (?1, datetime('now'))",
        params![number],
    )?;
    transaction.commit()
}

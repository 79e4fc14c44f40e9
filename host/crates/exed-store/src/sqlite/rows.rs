//! Rows to entities and back. A row that this version cannot read is an error that names the column.

use std::str::FromStr;
use std::time::Duration;

use exed_domain::job::state::JobState;
use exed_domain::job::{Job, JobOptions, Lease, OnConflict};
use exed_domain::plugin::{PluginRequirement, PluginUse};
use exed_domain::{FencingToken, HostName, JobAlias, JobId, Timestamp, WorkerId};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// What [`job`] reads, in this order.
pub(super) const JOB_COLUMNS: &str = "alias, id, operation, args, patterns, requester, timeout_ns, \
     on_conflict, hosts_at_once, plugin_wanted, mutex, state, error, lease_owner, lease_token, \
     lease_expires, plugin, submitted_at, started_at, finished_at";

/// A column holds what this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("the column {column} holds {found:?}, which this version of exed does not know")]
struct Unreadable {
    column: &'static str,
    found: String,
}

fn unreadable(column: &'static str, found: &str) -> rusqlite::Error {
    let found = found.chars().take(80).collect();
    let problem = Unreadable { column, found };
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(problem))
}

/// A word that `read` must know.
pub(super) fn word<T>(
    column: &'static str,
    text: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    read(text).ok_or_else(|| unreadable(column, text))
}

/// JSON text.
pub(super) fn json(column: &'static str, text: &str) -> rusqlite::Result<Value> {
    serde_json::from_str(text).map_err(|_| unreadable(column, text))
}

fn parsed<T: FromStr>(column: &'static str, text: &str) -> rusqlite::Result<T> {
    word(column, text, |text| text.parse().ok())
}

/// The id as it is stored.
pub(super) fn id_bytes(id: &JobId) -> &[u8] {
    id.0.as_bytes()
}

/// The id that was stored.
pub(super) fn id_from(bytes: &[u8]) -> rusqlite::Result<JobId> {
    Uuid::from_slice(bytes).map(JobId).map_err(|_| unreadable("id", "another length than 16 bytes"))
}

/// A job from [`JOB_COLUMNS`], still without its hosts.
pub(super) fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        alias: JobAlias(row.get("alias")?),
        id: id_from(row.get_ref("id")?.as_blob()?)?,
        operation: row.get("operation")?,
        args: json("args", row.get_ref("args")?.as_str()?)?,
        patterns: serde_json::from_str(row.get_ref("patterns")?.as_str()?)
            .map_err(|_| unreadable("patterns", "something else than a list of texts"))?,
        hosts: Vec::new(),
        requester: row.get("requester")?,
        options: options(row)?,
        mutex: row.get("mutex")?,
        state: word("state", row.get_ref("state")?.as_str()?, JobState::from_word)?,
        error: row.get("error")?,
        lease: lease(row)?,
        plugin: optional(row, "plugin", plugin_from)?,
        submitted_at: Timestamp(row.get("submitted_at")?),
        started_at: row.get::<_, Option<i64>>("started_at")?.map(Timestamp),
        finished_at: row.get::<_, Option<i64>>("finished_at")?.map(Timestamp),
    })
}

fn optional<T>(
    row: &Row<'_>,
    column: &'static str,
    read: impl FnOnce(&str) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    row.get_ref(column)?.as_str_or_null()?.map(read).transpose()
}

fn options(row: &Row<'_>) -> rusqlite::Result<JobOptions> {
    let on_conflict = row.get_ref("on_conflict")?.as_str()?;
    Ok(JobOptions {
        timeout: row
            .get::<_, Option<i64>>("timeout_ns")?
            .map(|nanoseconds| Duration::from_nanos(nanoseconds.unsigned_abs())),
        on_conflict: word("on_conflict", on_conflict, |text| {
            [OnConflict::Reject, OnConflict::Queue].into_iter().find(|known| known.word() == text)
        })?,
        hosts_at_once: row.get("hosts_at_once")?,
        plugin: optional(row, "plugin_wanted", |text| parsed::<PluginRequirement>("plugin_wanted", text))?,
    })
}

fn lease(row: &Row<'_>) -> rusqlite::Result<Option<Lease>> {
    let owner: Option<String> = row.get("lease_owner")?;
    let expires: Option<i64> = row.get("lease_expires")?;
    let token = FencingToken(row.get("lease_token")?);
    Ok(owner.zip(expires).map(|(owner, expires)| Lease {
        owner: WorkerId(owner),
        token,
        expires_at: Timestamp(expires),
    }))
}

/// The hosts of a job in its order.
pub(super) fn hosts(connection: &Connection, job: JobAlias) -> rusqlite::Result<Vec<HostName>> {
    connection
        .prepare_cached("SELECT host FROM targets WHERE job = ?1 ORDER BY position")?
        .query_map(params![job.0], |row| row.get(0).map(HostName))?
        .collect()
}

/// A duration as it is stored; more than 292 years are stored as that.
pub(super) fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// A number of rows as SQL's `LIMIT` takes it.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// How a used plugin is stored.
#[derive(Serialize, Deserialize)]
struct StoredPlugin {
    name: String,
    version: String,
    digest: String,
    api: String,
    grants: Vec<String>,
}

/// A used plugin as JSON text.
pub(super) fn plugin_text(plugin: &PluginUse) -> rusqlite::Result<String> {
    let stored = StoredPlugin {
        name: plugin.name.clone(),
        version: plugin.version.to_string(),
        digest: plugin.digest.clone(),
        api: plugin.api.to_string(),
        grants: plugin.grants.clone(),
    };
    serde_json::to_string(&stored).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn plugin_from(text: &str) -> rusqlite::Result<PluginUse> {
    let stored: StoredPlugin = serde_json::from_str(text).map_err(|_| unreadable("plugin", text))?;
    Ok(PluginUse {
        name: stored.name,
        version: parsed::<Version>("plugin.version", &stored.version)?,
        digest: stored.digest,
        api: parsed::<Version>("plugin.api", &stored.api)?,
        grants: stored.grants,
    })
}

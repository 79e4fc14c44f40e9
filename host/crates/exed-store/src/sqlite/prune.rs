//! What leaves the store: on request, and by age.

use exed_domain::job::state::JobState;
use exed_domain::ports::store::{DeleteOutcome, Retention};
use exed_domain::{JobAlias, JobId};
use rusqlite::{Connection, params};

use super::fault::Fault;
use super::{mutex, query, rows};

/// Removes a job that has ended, with all that belongs to it.
pub(super) fn delete(connection: &Connection, id: JobId) -> Result<DeleteOutcome, Fault> {
    let Some(alias) = query::alias(connection, id)? else { return Ok(DeleteOutcome::NotFound) };
    let state = connection
        .prepare_cached("SELECT state FROM jobs WHERE alias = ?1")?
        .query_row(params![alias.0], |row| {
            rows::word("state", row.get_ref(0)?.as_str()?, JobState::from_word)
        })?;
    if !state.is_terminal() {
        return Ok(DeleteOutcome::NotEnded(state));
    }
    remove(connection, alias)?;
    Ok(DeleteOutcome::Deleted)
}

/// Ended jobs that are older than the history that is kept.
pub(super) const OLD_JOBS: &str = "SELECT alias FROM jobs WHERE finished_at IS NOT NULL AND finished_at < ?1
     ORDER BY finished_at LIMIT ?2";
/// Ended jobs whose events are older than those that are kept.
pub(super) const OLD_EVENTS: &str = "SELECT alias FROM jobs
     WHERE finished_at IS NOT NULL AND events_pruned = 0 AND finished_at < ?1
     ORDER BY finished_at LIMIT ?2";

/// Removes what is old, at most one batch of jobs; returns how many jobs it has touched.
pub(super) fn prune(connection: &Connection, retention: Retention) -> Result<u64, Fault> {
    let jobs = old(connection, OLD_JOBS, retention.jobs_before.0, retention.batch)?;
    for alias in &jobs {
        remove(connection, *alias)?;
    }
    let left = retention.batch.saturating_sub(jobs.len());
    let silenced = old(connection, OLD_EVENTS, retention.events_before.0, left)?;
    for alias in &silenced {
        connection.prepare_cached("DELETE FROM events WHERE job = ?1")?.execute(params![alias.0])?;
        connection
            .prepare_cached("UPDATE jobs SET events_pruned = 1 WHERE alias = ?1")?
            .execute(params![alias.0])?;
        // Results of attempts that were begun anew were kept for the events alone.
        connection
            .prepare_cached("DELETE FROM results WHERE job = ?1 AND superseded = 1")?
            .execute(params![alias.0])?;
    }
    Ok(u64::try_from(jobs.len() + silenced.len()).unwrap_or(u64::MAX))
}

fn old(connection: &Connection, sql: &str, before: i64, batch: usize) -> rusqlite::Result<Vec<JobAlias>> {
    connection
        .prepare_cached(sql)?
        .query_map(params![before, rows::limit(batch)], |row| row.get(0).map(JobAlias))?
        .collect()
}

/// Targets, results, events and the idempotency key go with the job's row.
fn remove(connection: &Connection, job: JobAlias) -> rusqlite::Result<()> {
    mutex::release(connection, job)?;
    connection.prepare_cached("DELETE FROM jobs WHERE alias = ?1")?.execute(params![job.0])?;
    Ok(())
}

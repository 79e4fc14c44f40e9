//! What is read without changing anything.

use std::collections::HashMap;

use exed_domain::job::state::{JobState, TargetState};
use exed_domain::job::{Job, TargetRun};
use exed_domain::ports::store::{JobCounts, JobQuery};
use exed_domain::{HostName, JobAlias, JobId, OperateState, TaskResult};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::fault::Fault;
use super::rows;

/// One job.
pub(super) fn job(connection: &Connection, id: JobId) -> Result<Option<Job>, Fault> {
    match alias(connection, id)? {
        Some(alias) => Ok(job_by_alias(connection, alias)?),
        None => Ok(None),
    }
}

/// The number of a job.
pub(super) fn alias(connection: &Connection, id: JobId) -> rusqlite::Result<Option<JobAlias>> {
    connection
        .prepare_cached("SELECT alias FROM jobs WHERE id = ?1")?
        .query_row(params![rows::id_bytes(&id)], |row| row.get(0).map(JobAlias))
        .optional()
}

/// The id of a job.
pub(super) fn by_alias(connection: &Connection, alias: JobAlias) -> Result<Option<JobId>, Fault> {
    Ok(connection
        .prepare_cached("SELECT id FROM jobs WHERE alias = ?1")?
        .query_row(params![alias.0], |row| rows::id_from(row.get_ref(0)?.as_blob()?))
        .optional()?)
}

/// One job by its number.
pub(super) fn job_by_alias(connection: &Connection, alias: JobAlias) -> rusqlite::Result<Option<Job>> {
    let job = connection
        .prepare_cached(&format!("SELECT {} FROM jobs WHERE alias = ?1", rows::JOB_COLUMNS))?
        .query_row(params![alias.0], rows::job)
        .optional()?;
    let Some(mut job) = job else { return Ok(None) };
    job.hosts = rows::hosts(connection, alias)?;
    Ok(Some(job))
}

/// A page of jobs, newest first.
pub(super) fn jobs(connection: &Connection, query: &JobQuery) -> Result<Vec<Job>, Fault> {
    let mut page = Vec::new();
    for alias in page_aliases(connection, query)? {
        page.extend(job_by_alias(connection, JobAlias(alias))?);
    }
    Ok(page)
}

/// Without a filter the table itself is in order. With one, each state is an ordered range of an index:
/// as many as the page needs are read from each range, and the newest of them make the page, so that the
/// cost follows the page's size and never the table's.
fn page_aliases(connection: &Connection, query: &JobQuery) -> rusqlite::Result<Vec<i64>> {
    let before = query.before.map_or(i64::MAX, |alias| alias.0);
    let limit = rows::limit(query.limit);
    let all = || JobState::ALL.to_vec();
    let states = if query.states.is_empty() { all() } else { query.states.clone() };
    let mut aliases = Vec::new();
    match &query.operation {
        None if query.states.is_empty() => {
            let mut statement = connection.prepare_cached(PAGE)?;
            aliases.extend(collect(&mut statement, params![before, limit])?);
        }
        None => {
            let mut statement = connection.prepare_cached(PAGE_OF_STATE)?;
            for state in states {
                aliases.extend(collect(&mut statement, params![before, limit, state.word()])?);
            }
        }
        Some(operation) => {
            let mut statement = connection.prepare_cached(PAGE_OF_OPERATION)?;
            for state in states {
                aliases.extend(collect(&mut statement, params![before, limit, state.word(), operation])?);
            }
        }
    }
    aliases.sort_unstable_by(|a, b| b.cmp(a));
    aliases.dedup();
    aliases.truncate(query.limit);
    Ok(aliases)
}

pub(super) const PAGE: &str = "SELECT alias FROM jobs WHERE alias < ?1 ORDER BY alias DESC LIMIT ?2";
pub(super) const PAGE_OF_STATE: &str =
    "SELECT alias FROM jobs WHERE alias < ?1 AND state = ?3 ORDER BY alias DESC LIMIT ?2";
pub(super) const PAGE_OF_OPERATION: &str = "SELECT alias FROM jobs
     WHERE alias < ?1 AND operation = ?4 AND state = ?3 ORDER BY alias DESC LIMIT ?2";

fn collect(
    statement: &mut rusqlite::CachedStatement<'_>,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Vec<i64>> {
    statement.query_map(parameters, |row| row.get(0))?.collect()
}

/// The targets of a job with their results.
pub(super) fn targets(connection: &Connection, id: JobId) -> Result<Vec<TargetRun>, Fault> {
    match alias(connection, id)? {
        Some(alias) => Ok(targets_by_alias(connection, alias)?),
        None => Ok(Vec::new()),
    }
}

/// The targets of a job by its number.
pub(super) fn targets_by_alias(connection: &Connection, job: JobAlias) -> rusqlite::Result<Vec<TargetRun>> {
    let mut results = results(connection, job)?;
    connection
        .prepare_cached("SELECT host, state, message FROM targets WHERE job = ?1 ORDER BY position")?
        .query_map(params![job.0], |row| {
            let host: String = row.get("host")?;
            Ok(TargetRun {
                results: results.remove(&host).unwrap_or_default(),
                host: HostName(host),
                state: rows::word("state", row.get_ref("state")?.as_str()?, TargetState::from_word)?,
                message: row.get("message")?,
            })
        })?
        .collect()
}

fn results(connection: &Connection, job: JobAlias) -> rusqlite::Result<HashMap<String, Vec<TaskResult>>> {
    let mut statement = connection.prepare_cached(
        "SELECT host, task, state, data, message FROM results
         WHERE job = ?1 AND host IS NOT NULL AND superseded = 0 ORDER BY host, id",
    )?;
    let mut rows = statement.query(params![job.0])?;
    let mut results: HashMap<String, Vec<TaskResult>> = HashMap::new();
    while let Some(row) = rows.next()? {
        results.entry(row.get("host")?).or_default().push(TaskResult {
            name: row.get("task")?,
            state: rows::word("state", row.get_ref("state")?.as_str()?, OperateState::from_word)?,
            data: rows::json("data", row.get_ref("data")?.as_str()?)?,
            message: row.get("message")?,
        });
    }
    Ok(results)
}

/// The state of the queue.
pub(super) fn counts(connection: &Connection) -> Result<JobCounts, Fault> {
    let mut count = connection.prepare_cached("SELECT count(*) FROM jobs WHERE state = ?1")?;
    let mut of = |state: JobState| -> rusqlite::Result<u64> {
        let jobs: i64 = count.query_row(params![state.word()], |row| row.get(0))?;
        Ok(jobs.unsigned_abs())
    };
    Ok(JobCounts {
        queued: of(JobState::Queued)?,
        running: of(JobState::Running)? + of(JobState::Canceling)?,
    })
}

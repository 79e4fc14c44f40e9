//! A job enters the store.

use exed_domain::job::event::EventKind;
use exed_domain::job::state::{JobState, TargetState};
use exed_domain::job::{Idempotency, Job, NewJob, OnConflict};
use exed_domain::ports::store::Submission;
use exed_domain::{EventSeq, JobAlias};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

use super::events::Appender;
use super::fault::Fault;
use super::{mutex, query, rows};

/// Stores a job with everything that belongs to it, or says why not.
pub(super) fn submit(connection: &Connection, new: NewJob) -> Result<Submission, Fault> {
    if let Some(known) = repeated(connection, &new)? {
        return Ok(known);
    }
    if let (Some(name), OnConflict::Reject) = (&new.mutex, new.options.on_conflict) {
        let busy = mutex::busy(connection, name, &new.hosts)?;
        if !busy.is_empty() {
            return Ok(Submission::HostsBusy(busy));
        }
    }
    let alias = insert_job(connection, &new)?;
    insert_targets(connection, alias, &new)?;
    match (&new.mutex, new.options.on_conflict) {
        (None, _) => {}
        (Some(name), OnConflict::Reject) => mutex::take(connection, name, alias, &new.hosts)?,
        (Some(name), OnConflict::Queue) => mutex::wait(connection, name, alias, &new.hosts)?,
    }
    let mut events = Appender::new(connection, alias, EventSeq(0));
    events.append_job(new.submitted_at, EventKind::Submitted)?;
    events.close()?;
    if let Some(idempotency) = &new.idempotency {
        remember(connection, alias, &new.requester, idempotency)?;
    }
    Ok(Submission::Created(created(new, alias)))
}

/// What became of the key's first submission, if there was one.
fn repeated(connection: &Connection, new: &NewJob) -> rusqlite::Result<Option<Submission>> {
    let Some(idempotency) = &new.idempotency else { return Ok(None) };
    let known: Option<(String, i64)> = connection
        .prepare_cached("SELECT fingerprint, job FROM idempotency WHERE requester = ?1 AND key = ?2")?
        .query_row(params![new.requester, idempotency.key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((fingerprint, alias)) = known else { return Ok(None) };
    let Some(job) = query::job_by_alias(connection, JobAlias(alias))? else { return Ok(None) };
    Ok(Some(if fingerprint == idempotency.fingerprint {
        Submission::Existing(job)
    } else {
        Submission::KeyReused(job.id)
    }))
}

fn insert_job(connection: &Connection, new: &NewJob) -> rusqlite::Result<JobAlias> {
    connection
        .prepare_cached(
            "INSERT INTO jobs (id, operation, args, patterns, requester, timeout_ns, on_conflict,
                               hosts_at_once, plugin_wanted, mutex, state, submitted_at, last_seq)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0)",
        )?
        .insert(params![
            rows::id_bytes(&new.id),
            new.operation,
            new.args.to_string(),
            Value::from(new.patterns.clone()).to_string(),
            new.requester,
            new.options.timeout.map(rows::nanoseconds),
            new.options.on_conflict.word(),
            new.options.hosts_at_once,
            new.options.plugin.as_ref().map(ToString::to_string),
            new.mutex,
            JobState::Queued.word(),
            new.submitted_at.0,
        ])
        .map(JobAlias)
}

fn insert_targets(connection: &Connection, job: JobAlias, new: &NewJob) -> rusqlite::Result<()> {
    let mut insert = connection
        .prepare_cached("INSERT INTO targets (job, host, position, state) VALUES (?1, ?2, ?3, ?4)")?;
    for (position, host) in (0_i64..).zip(&new.hosts) {
        insert.execute(params![job.0, host.as_str(), position, TargetState::Pending.word()])?;
    }
    Ok(())
}

fn remember(
    connection: &Connection,
    job: JobAlias,
    requester: &str,
    idempotency: &Idempotency,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO idempotency (requester, key, fingerprint, job) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![requester, idempotency.key, idempotency.fingerprint, job.0])?;
    Ok(())
}

fn created(new: NewJob, alias: JobAlias) -> Job {
    Job {
        id: new.id,
        alias,
        operation: new.operation,
        args: new.args,
        patterns: new.patterns,
        hosts: new.hosts,
        requester: new.requester,
        options: new.options,
        mutex: new.mutex,
        state: JobState::Queued,
        error: None,
        lease: None,
        plugin: None,
        submitted_at: new.submitted_at,
        started_at: None,
        finished_at: None,
    }
}

//! Somebody wants a job to stop.

use exed_domain::job::event::{EventKind, NewEvent};
use exed_domain::job::state::{JobState, TargetState, Trigger, transition};
use exed_domain::ports::store::CancelOutcome;
use exed_domain::{EventSeq, JobAlias, JobId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::events::Appender;
use super::fault::Fault;
use super::{mutex, rows};

/// Cancels a queued job at once, and asks the worker of a running one to stop it.
pub(super) fn cancel(
    connection: &Connection,
    id: JobId,
    requester: &str,
    now: Timestamp,
) -> Result<CancelOutcome, Fault> {
    let Some((alias, state, last)) = find(connection, id)? else {
        return Ok(CancelOutcome::NotFound);
    };
    let Ok(next) = transition(state, Trigger::Cancel) else {
        return Ok(CancelOutcome::AlreadyEnded(state));
    };
    // Asking twice changes nothing.
    if next == state {
        return Ok(CancelOutcome::Requested);
    }
    connection
        .prepare_cached("UPDATE jobs SET state = ?2 WHERE alias = ?1")?
        .execute(params![alias.0, next.word()])?;
    let mut events = Appender::new(connection, alias, last);
    events.append_job(now, EventKind::CancelRequested { requester: requester.to_owned() })?;
    let outcome = if next.is_terminal() {
        end_queued(connection, alias, &mut events, next, requester, now)?;
        CancelOutcome::Canceled
    } else {
        CancelOutcome::Requested
    };
    events.close()?;
    Ok(outcome)
}

fn find(connection: &Connection, id: JobId) -> rusqlite::Result<Option<(JobAlias, JobState, EventSeq)>> {
    connection
        .prepare_cached("SELECT alias, state, last_seq FROM jobs WHERE id = ?1")?
        .query_row(params![rows::id_bytes(&id)], |row| {
            let state = rows::word("state", row.get_ref(1)?.as_str()?, JobState::from_word)?;
            Ok((JobAlias(row.get(0)?), state, EventSeq(row.get(2)?)))
        })
        .optional()
}

/// Nobody runs the job, so nobody else would write how it and its targets end.
fn end_queued(
    connection: &Connection,
    job: JobAlias,
    events: &mut Appender<'_>,
    state: JobState,
    requester: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    for host in rows::hosts(connection, job)? {
        let message = Some("canceled before it started".to_owned());
        let kind = EventKind::HostFinished { state: TargetState::Canceled, message };
        events.append(&NewEvent { time: now, host: Some(host), kind })?;
    }
    let error = Some(format!("canceled by {requester} before it started"));
    connection
        .prepare_cached("UPDATE jobs SET error = ?2, finished_at = ?3 WHERE alias = ?1")?
        .execute(params![job.0, error, now.0])?;
    events.append_job(now, EventKind::Finished { state, error })?;
    mutex::release(connection, job)
}

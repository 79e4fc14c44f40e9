//! What a worker writes under its lease.

use exed_domain::job::event::EventKind;
use exed_domain::job::state::{JobState, Trigger, transition};
use exed_domain::ports::store::{Finish, JobWrites, LeaseKey, Renewed};
use exed_domain::{EventSeq, JobAlias, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::events::Appender;
use super::fault::Fault;
use super::{mutex, rows};

/// A job whose lease was shown to be the caller's.
struct Held {
    alias: JobAlias,
    state: JobState,
    last: EventSeq,
}

/// The job of a lease, if the claim is still the current one. A lease that has expired is still ours
/// until somebody else claims the job: the token decides, not the clock.
fn held(connection: &Connection, key: &LeaseKey) -> Result<Held, Fault> {
    let found = connection
        .prepare_cached(
            "SELECT alias, state, last_seq FROM jobs
             WHERE id = ?1 AND lease_token = ?2 AND lease_owner IS NOT NULL",
        )?
        .query_row(params![rows::id_bytes(&key.job), key.token.0], |row| {
            let state = rows::word("state", row.get_ref(1)?.as_str()?, JobState::from_word)?;
            Ok(Held { alias: JobAlias(row.get(0)?), state, last: EventSeq(row.get(2)?) })
        })
        .optional()?;
    found.ok_or(Fault::LeaseLost(key.job))
}

/// Extends a lease.
pub(super) fn renew(connection: &Connection, key: &LeaseKey, until: Timestamp) -> Result<Renewed, Fault> {
    let held = held(connection, key)?;
    connection
        .prepare_cached("UPDATE jobs SET lease_expires = ?2 WHERE alias = ?1")?
        .execute(params![held.alias.0, until.0])?;
    Ok(Renewed { cancel_requested: held.state == JobState::Canceling })
}

/// Appends events, notes the plugin, and ends the job if that is asked.
pub(super) fn record(connection: &Connection, key: &LeaseKey, writes: &JobWrites) -> Result<EventSeq, Fault> {
    let held = held(connection, key)?;
    let mut events = Appender::new(connection, held.alias, held.last);
    for event in &writes.events {
        events.append(event)?;
    }
    if let Some(plugin) = &writes.plugin {
        connection
            .prepare_cached("UPDATE jobs SET plugin = ?2 WHERE alias = ?1")?
            .execute(params![held.alias.0, rows::plugin_text(plugin)?])?;
    }
    if let Some(finish) = &writes.finish {
        let trigger = Trigger::Finish(finish.ending);
        let state = transition(held.state, trigger).map_err(|_| Fault::LeaseLost(key.job))?;
        end(connection, held.alias, state, finish)?;
        events.append_job(finish.at, EventKind::Finished { state, error: finish.error.clone() })?;
    }
    Ok(events.close()?)
}

fn end(connection: &Connection, job: JobAlias, state: JobState, finish: &Finish) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE jobs SET state = ?2, error = ?3, finished_at = ?4,
                             lease_owner = NULL, lease_expires = NULL
             WHERE alias = ?1",
        )?
        .execute(params![job.0, state.word(), finish.error, finish.at.0])?;
    mutex::release(connection, job)
}

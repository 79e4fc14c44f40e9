//! Workers take jobs, and give them back.

use exed_domain::job::event::EventKind;
use exed_domain::job::state::{JobState, Trigger, transition};
use exed_domain::ports::store::Claimed;
use exed_domain::{EventSeq, JobAlias, Timestamp, WorkerId};
use rusqlite::{Connection, params};

use super::events::Appender;
use super::fault::Fault;
use super::{mutex, query, rows};

/// A worker's wish for jobs.
pub(super) struct Claim {
    pub(super) owner: WorkerId,
    pub(super) now: Timestamp,
    pub(super) until: Timestamp,
    pub(super) limit: usize,
}

/// Queued jobs that are blocked on none of their hosts. The index is named because SQLite would rather
/// take the one by state, and look at every waiting job.
pub(super) const STARTABLE: &str = "SELECT alias FROM jobs INDEXED BY jobs_claimable
     WHERE state = 'queued' AND blocked = 0 ORDER BY alias LIMIT ?1";
/// Jobs whose worker is gone. There are never more of them than the workers can run at once.
pub(super) const ABANDONED: &str = "SELECT alias FROM jobs WHERE state IN ('running', 'canceling')
     AND (lease_expires IS NULL OR lease_expires <= ?2) ORDER BY alias LIMIT ?1";

impl Claim {
    /// Claims up to `limit` jobs, oldest first.
    ///
    /// Claiming one job never makes another startable or unstartable, because a job that may start is
    /// first in the line for all of its hosts; so the candidates can be chosen before any is claimed.
    pub(super) fn take(&self, connection: &Connection) -> Result<Vec<Claimed>, Fault> {
        let limit = rows::limit(self.limit);
        let mut candidates = aliases(connection, STARTABLE, params![limit])?;
        candidates.extend(aliases(connection, ABANDONED, params![limit, self.now.0])?);
        candidates.sort_unstable();
        candidates.truncate(self.limit);
        let mut claimed = Vec::with_capacity(candidates.len());
        for alias in candidates {
            claimed.extend(self.take_one(connection, JobAlias(alias))?);
        }
        Ok(claimed)
    }

    fn take_one(&self, connection: &Connection, alias: JobAlias) -> Result<Option<Claimed>, Fault> {
        let (state, last, token) = standing(connection, alias)?;
        let Ok(next) = transition(state, Trigger::Claim { lease_expired: true }) else {
            return Ok(None);
        };
        if state == JobState::Queued {
            mutex::promote(connection, alias)?;
        }
        let token = token + 1;
        connection
            .prepare_cached(
                "UPDATE jobs SET state = ?2, lease_owner = ?3, lease_token = ?4, lease_expires = ?5,
                                 started_at = coalesce(started_at, ?6)
                 WHERE alias = ?1",
            )?
            .execute(params![alias.0, next.word(), self.owner.0, token, self.until.0, self.now.0])?;
        let mut events = Appender::new(connection, alias, last);
        events.append_job(self.now, EventKind::Claimed { attempt: token })?;
        events.close()?;
        let Some(job) = query::job_by_alias(connection, alias)? else { return Ok(None) };
        Ok(Some(Claimed { job, targets: query::targets_by_alias(connection, alias)? }))
    }
}

fn aliases(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Vec<i64>> {
    connection.prepare_cached(sql)?.query_map(parameters, |row| row.get(0))?.collect()
}

fn standing(connection: &Connection, alias: JobAlias) -> rusqlite::Result<(JobState, EventSeq, i64)> {
    connection.prepare_cached("SELECT state, last_seq, lease_token FROM jobs WHERE alias = ?1")?.query_row(
        params![alias.0],
        |row| {
            let state = rows::word("state", row.get_ref(0)?.as_str()?, JobState::from_word)?;
            Ok((state, EventSeq(row.get(1)?), row.get(2)?))
        },
    )
}

/// Gives leases up, all of them or one worker's. The tokens stay, so that the old ones are worthless.
pub(super) fn release(connection: &Connection, owner: Option<&WorkerId>) -> Result<u64, Fault> {
    let released = connection
        .prepare_cached(
            "UPDATE jobs SET lease_owner = NULL, lease_expires = NULL
             WHERE state IN ('running', 'canceling') AND lease_owner IS NOT NULL
               AND (?1 IS NULL OR lease_owner = ?1)",
        )?
        .execute(params![owner.map(|owner| owner.0.as_str())])?;
    Ok(u64::try_from(released).unwrap_or(u64::MAX))
}

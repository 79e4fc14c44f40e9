//! Who has which host, and who is next.
//!
//! A host under a mutex has at most one holder (`mutexes`) and a line of queued jobs that wait for it
//! (`waiting`), oldest first. A waiting job is *blocked* on a host unless the host is free and the job is
//! first in its line; `jobs.blocked` counts those hosts, so that a claim finds the jobs that may start in
//! an index instead of looking at every waiting job. Each function here keeps that count true.

use exed_domain::{HostName, JobAlias};
use rusqlite::{Connection, OptionalExtension as _, params};

/// The hosts that a job holds already.
pub(super) fn busy(
    connection: &Connection,
    mutex: &str,
    hosts: &[HostName],
) -> rusqlite::Result<Vec<HostName>> {
    let mut busy = Vec::new();
    for host in hosts {
        if is_held(connection, mutex, host.as_str())? {
            busy.push(host.clone());
        }
    }
    Ok(busy)
}

/// Takes hosts that are free. Whoever was next in line has to wait for longer.
pub(super) fn take(
    connection: &Connection,
    mutex: &str,
    job: JobAlias,
    hosts: &[HostName],
) -> rusqlite::Result<()> {
    for host in hosts {
        connection
            .prepare_cached("INSERT INTO mutexes (mutex, host, job) VALUES (?1, ?2, ?3)")?
            .execute(params![mutex, host.as_str(), job.0])?;
        adjust_first(connection, mutex, host.as_str(), 1)?;
    }
    Ok(())
}

/// Puts a job at the end of the line for each host.
pub(super) fn wait(
    connection: &Connection,
    mutex: &str,
    job: JobAlias,
    hosts: &[HostName],
) -> rusqlite::Result<()> {
    let mut blocked = 0_i64;
    for host in hosts {
        let first = first_in_line(connection, mutex, host.as_str())?;
        if first.is_some() || is_held(connection, mutex, host.as_str())? {
            blocked += 1;
        }
        connection
            .prepare_cached("INSERT INTO waiting (mutex, host, job) VALUES (?1, ?2, ?3)")?
            .execute(params![mutex, host.as_str(), job.0])?;
    }
    connection
        .prepare_cached("UPDATE jobs SET blocked = ?2 WHERE alias = ?1")?
        .execute(params![job.0, blocked])?;
    Ok(())
}

/// Gives a job that is blocked on none of its hosts all of them. Those behind it stay blocked: they were
/// not first before, and the hosts are held now.
pub(super) fn promote(connection: &Connection, job: JobAlias) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO mutexes (mutex, host, job) SELECT mutex, host, job FROM waiting WHERE job = ?1",
        )?
        .execute(params![job.0])?;
    connection.prepare_cached("DELETE FROM waiting WHERE job = ?1")?.execute(params![job.0])?;
    Ok(())
}

/// Gives up what a job holds and where it waits.
pub(super) fn release(connection: &Connection, job: JobAlias) -> rusqlite::Result<()> {
    for (mutex, host) in places(connection, "SELECT mutex, host FROM mutexes WHERE job = ?1", job)? {
        connection
            .prepare_cached("DELETE FROM mutexes WHERE mutex = ?1 AND host = ?2")?
            .execute(params![mutex, host])?;
        adjust_first(connection, &mutex, &host, -1)?;
    }
    for (mutex, host) in places(connection, "SELECT mutex, host FROM waiting WHERE job = ?1", job)? {
        let was_first = first_in_line(connection, &mutex, &host)? == Some(job.0);
        connection
            .prepare_cached("DELETE FROM waiting WHERE mutex = ?1 AND host = ?2 AND job = ?3")?
            .execute(params![mutex, host, job.0])?;
        if was_first && !is_held(connection, &mutex, &host)? {
            adjust_first(connection, &mutex, &host, -1)?;
        }
    }
    Ok(())
}

fn places(connection: &Connection, sql: &str, job: JobAlias) -> rusqlite::Result<Vec<(String, String)>> {
    connection.prepare_cached(sql)?.query_map(params![job.0], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn is_held(connection: &Connection, mutex: &str, host: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM mutexes WHERE mutex = ?1 AND host = ?2")?
        .exists(params![mutex, host])
}

fn first_in_line(connection: &Connection, mutex: &str, host: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT job FROM waiting WHERE mutex = ?1 AND host = ?2 ORDER BY job LIMIT 1")?
        .query_row(params![mutex, host], |row| row.get(0))
        .optional()
}

fn adjust_first(connection: &Connection, mutex: &str, host: &str, by: i64) -> rusqlite::Result<()> {
    if let Some(first) = first_in_line(connection, mutex, host)? {
        connection
            .prepare_cached("UPDATE jobs SET blocked = blocked + ?2 WHERE alias = ?1")?
            .execute(params![first, by])?;
    }
    Ok(())
}

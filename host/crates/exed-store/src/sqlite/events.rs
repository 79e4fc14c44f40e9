//! The append-only events of a job.

use bytes::Bytes;
use exed_domain::job::event::{Event, EventKind, NewEvent};
use exed_domain::job::state::{JobState, TargetState};
use exed_domain::step::OutputStream;
use exed_domain::{EventSeq, HostName, JobAlias, JobId, OperateState, TaskResult, Timestamp};
use rusqlite::{Connection, Row, params};

use super::fault::Fault;
use super::rows;

/// What an event's row holds beside its place, time and host.
#[derive(Default)]
struct Columns<'a> {
    kind: &'static str,
    name: Option<&'a str>,
    word: Option<&'static str>,
    text: Option<&'a str>,
    number: Option<i64>,
    data: Option<&'a [u8]>,
    result: Option<i64>,
}

/// Appends events to one job; their numbers follow the job's last one.
pub(super) struct Appender<'c> {
    connection: &'c Connection,
    job: JobAlias,
    seq: i64,
}

impl<'c> Appender<'c> {
    /// Goes on after `last`.
    pub(super) fn new(connection: &'c Connection, job: JobAlias, last: EventSeq) -> Self {
        Self { connection, job, seq: last.0 }
    }

    /// Appends an event about the job itself.
    pub(super) fn append_job(&mut self, time: Timestamp, kind: EventKind) -> rusqlite::Result<()> {
        self.append(&NewEvent { time, host: None, kind })
    }

    /// Appends an event, and brings the target's row up to date with it.
    pub(super) fn append(&mut self, event: &NewEvent) -> rusqlite::Result<()> {
        let columns = self.columns(event)?;
        self.seq += 1;
        self.connection
            .prepare_cached(
                "INSERT INTO events (job, seq, time, host, kind, name, word, text, number, data, result)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                self.job.0,
                self.seq,
                event.time.0,
                event.host.as_ref().map(HostName::as_str),
                columns.kind,
                columns.name,
                columns.word,
                columns.text,
                columns.number,
                columns.data,
                columns.result,
            ])?;
        Ok(())
    }

    /// Writes the number of the last event to the job's row, and returns it.
    pub(super) fn close(self) -> rusqlite::Result<EventSeq> {
        self.connection
            .prepare_cached("UPDATE jobs SET last_seq = ?2 WHERE alias = ?1")?
            .execute(params![self.job.0, self.seq])?;
        Ok(EventSeq(self.seq))
    }

    fn columns<'e>(&self, event: &'e NewEvent) -> rusqlite::Result<Columns<'e>> {
        let host = event.host.as_ref();
        Ok(match &event.kind {
            EventKind::Submitted => Columns { kind: "submitted", ..Columns::default() },
            EventKind::Claimed { attempt } => {
                Columns { kind: "claimed", number: Some(*attempt), ..Columns::default() }
            }
            EventKind::HostStarted => {
                self.begin_target(host)?;
                Columns { kind: "host-started", ..Columns::default() }
            }
            EventKind::Output { task, stream, data } => Columns {
                kind: "output",
                name: Some(task),
                word: Some(stream_word(*stream)),
                data: Some(data),
                ..Columns::default()
            },
            EventKind::Task(result) => Columns {
                kind: "task",
                result: Some(self.insert_result(host, result)?),
                ..Columns::default()
            },
            EventKind::Log { level, message } => {
                Columns { kind: "log", name: Some(level), text: Some(message), ..Columns::default() }
            }
            EventKind::HostFinished { state, message } => {
                self.end_target(host, *state, message.as_deref())?;
                let word = Some(state.word());
                Columns { kind: "host-finished", word, text: message.as_deref(), ..Columns::default() }
            }
            EventKind::CancelRequested { requester } => {
                Columns { kind: "cancel-requested", name: Some(requester), ..Columns::default() }
            }
            EventKind::Finished { state, error } => {
                let word = Some(state.word());
                Columns { kind: "finished", word, text: error.as_deref(), ..Columns::default() }
            }
        })
    }

    /// A host is begun, perhaps once more after a crash: then from the beginning, so that what an earlier
    /// attempt reported is no result any more. It stays in the events.
    fn begin_target(&self, host: Option<&HostName>) -> rusqlite::Result<()> {
        let Some(host) = host else { return Ok(()) };
        let began = self
            .connection
            .prepare_cached(
                "UPDATE targets SET state = 'running', message = NULL
                 WHERE job = ?1 AND host = ?2 AND state IN ('pending', 'running')",
            )?
            .execute(params![self.job.0, host.as_str()])?;
        if began > 0 {
            self.connection
                .prepare_cached("UPDATE results SET superseded = 1 WHERE job = ?1 AND host = ?2")?
                .execute(params![self.job.0, host.as_str()])?;
        }
        Ok(())
    }

    /// A host has ended; the first ending stays.
    fn end_target(
        &self,
        host: Option<&HostName>,
        state: TargetState,
        message: Option<&str>,
    ) -> rusqlite::Result<()> {
        let Some(host) = host else { return Ok(()) };
        self.connection
            .prepare_cached(
                "UPDATE targets SET state = ?3, message = ?4
                 WHERE job = ?1 AND host = ?2 AND state IN ('pending', 'running')",
            )?
            .execute(params![self.job.0, host.as_str(), state.word(), message])?;
        Ok(())
    }

    fn insert_result(&self, host: Option<&HostName>, result: &TaskResult) -> rusqlite::Result<i64> {
        self.connection
            .prepare_cached(
                "INSERT INTO results (job, host, task, state, data, message)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .insert(params![
                self.job.0,
                host.map(HostName::as_str),
                result.name,
                result.state.word(),
                result.data.to_string(),
                result.message,
            ])
    }
}

/// Events after `after`, in order.
pub(super) fn read(
    connection: &Connection,
    id: JobId,
    after: EventSeq,
    limit: usize,
) -> Result<Vec<Event>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT e.seq, e.time, e.host, e.kind, e.name, e.word, e.text, e.number, e.data,
                r.task, r.state, r.data AS result_data, r.message
         FROM events AS e LEFT JOIN results AS r ON r.id = e.result
         WHERE e.job = (SELECT alias FROM jobs WHERE id = ?1) AND e.seq > ?2
         ORDER BY e.seq LIMIT ?3",
    )?;
    let rows = statement.query_map(params![rows::id_bytes(&id), after.0, rows::limit(limit)], event)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        seq: EventSeq(row.get("seq")?),
        time: Timestamp(row.get("time")?),
        host: row.get::<_, Option<String>>("host")?.map(HostName),
        kind: kind(row)?,
    })
}

fn kind(row: &Row<'_>) -> rusqlite::Result<EventKind> {
    let text = row.get_ref("kind")?.as_str()?;
    Ok(match text {
        "submitted" => EventKind::Submitted,
        "claimed" => EventKind::Claimed { attempt: row.get("number")? },
        "host-started" => EventKind::HostStarted,
        "output" => EventKind::Output {
            task: row.get("name")?,
            stream: rows::word("word", row.get_ref("word")?.as_str()?, stream_from)?,
            data: Bytes::copy_from_slice(row.get_ref("data")?.as_blob()?),
        },
        "task" => EventKind::Task(TaskResult {
            name: row.get("task")?,
            state: rows::word("state", row.get_ref("state")?.as_str()?, OperateState::from_word)?,
            data: rows::json("data", row.get_ref("result_data")?.as_str()?)?,
            message: row.get("message")?,
        }),
        "log" => EventKind::Log { level: row.get("name")?, message: row.get("text")? },
        "host-finished" => EventKind::HostFinished {
            state: rows::word("word", row.get_ref("word")?.as_str()?, TargetState::from_word)?,
            message: row.get("text")?,
        },
        "cancel-requested" => EventKind::CancelRequested { requester: row.get("name")? },
        "finished" => EventKind::Finished {
            state: rows::word("word", row.get_ref("word")?.as_str()?, JobState::from_word)?,
            error: row.get("text")?,
        },
        unknown => return rows::word("kind", unknown, |_| None),
    })
}

fn stream_word(stream: OutputStream) -> &'static str {
    match stream {
        OutputStream::Stdout => "stdout",
        OutputStream::Stderr => "stderr",
    }
}

fn stream_from(word: &str) -> Option<OutputStream> {
    [OutputStream::Stdout, OutputStream::Stderr].into_iter().find(|stream| stream_word(*stream) == word)
}

//! The one thread that writes, and its group commits.
//!
//! ```text
//!   callers ──▶ queue ──▶ BEGIN · [savepoint · work · release] × n · COMMIT ──▶ n answers
//! ```
//!
//! Making a commit durable costs one wait for the disk, however much it holds. While the thread waits,
//! requests queue up, and the next transaction takes them all. One that fails is undone by its savepoint
//! and spoils none of its neighbours. No answer leaves before the commit.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use exed_domain::ports::StoreError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::fault::{Fault, failed};
use super::open::FileLock;

/// How many requests may wait; a caller beyond that waits before its request is queued.
const QUEUE: usize = 1024;
/// How many requests one commit holds at most.
const GROUP: usize = 512;
/// No request is added to a group that has been at work for so long: its first caller waits for the last.
const GROUP_TIME: Duration = Duration::from_millis(50);

/// A request whose type of answer is known only to itself.
trait Request: Send {
    /// Does the work inside a savepoint, and keeps the outcome.
    fn execute(&mut self, connection: &Connection);
    /// Answers; `lost` says why the transaction around it did not become durable.
    fn answer(self: Box<Self>, lost: Option<&Arc<rusqlite::Error>>);
}

type Group = Vec<Box<dyn Request>>;

/// The way to the thread. Dropping it ends the thread after what is queued.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Box<dyn Request>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread; it owns the connection and the lock, so that the lock outlives every write.
    pub(super) fn start(connection: Connection, lock: FileLock) -> io::Result<Self> {
        let (queue, requests) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write(connection, requests, lock))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Does `work` in a group commit and answers when it is durable. When the caller stops waiting, the
    /// work may be done all the same.
    pub(super) async fn run<T, F>(&self, context: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let task = Box::new(Task { context, work: Some(work), outcome: None, reply });
        let Some(queue) = &self.queue else {
            return Err(failed(context, WriterGone));
        };
        queue.send(task).await.map_err(|_| failed(context, WriterGone))?;
        answer.await.map_err(|_| failed(context, WriterGone))?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes the database has panicked");
        }
    }
}

/// The thread has ended.
#[derive(Debug, thiserror::Error)]
#[error("the thread that writes the database has ended")]
struct WriterGone;

/// A request panicked; it was undone.
#[derive(Debug, thiserror::Error)]
#[error("the request panicked and was undone")]
struct Panicked;

struct Task<T, F> {
    context: &'static str,
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Request for Task<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, Fault> + Send,
{
    fn execute(&mut self, connection: &Connection) {
        let Some(work) = self.work.take() else { return };
        let context = self.context;
        // A panic is a bug in one request; the thread serves everybody and must go on.
        let outcome = catch_unwind(AssertUnwindSafe(|| in_savepoint(connection, work)));
        self.outcome = Some(match outcome {
            Ok(outcome) => outcome.map_err(|fault| fault.told(context)),
            Err(_) => match undo(connection) {
                Ok(()) => Err(failed(context, Panicked)),
                Err(source) => Err(failed(context, source)),
            },
        });
    }

    fn answer(self: Box<Self>, lost: Option<&Arc<rusqlite::Error>>) {
        let answer = match (self.outcome, lost) {
            (Some(Ok(_)), Some(source)) => Err(failed(self.context, Arc::clone(source))),
            (Some(outcome), _) => outcome,
            (None, Some(source)) => Err(failed(self.context, Arc::clone(source))),
            (None, None) => Err(failed(self.context, WriterGone)),
        };
        // Nobody to answer: the caller has stopped waiting.
        drop(self.reply.send(answer));
    }
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    connection.prepare_cached("SAVEPOINT request")?.execute([])?;
    match work(connection) {
        Ok(value) => {
            connection.prepare_cached("RELEASE request")?.execute([])?;
            Ok(value)
        }
        Err(fault) => {
            undo(connection)?;
            Err(fault)
        }
    }
}

/// Takes a request's changes back. After some errors (a full disk) SQLite has already rolled the whole
/// transaction back; then there is nothing to undo, and [`run_group`] sees to the neighbours.
fn undo(connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_autocommit() {
        return Ok(());
    }
    connection.execute_batch("ROLLBACK TO request; RELEASE request")
}

fn write(connection: Connection, mut requests: mpsc::Receiver<Box<dyn Request>>, lock: FileLock) {
    while let Some(first) = requests.blocking_recv() {
        let mut group: Group = Vec::new();
        let outcome = run_group(&connection, first, &mut requests, &mut group);
        let lost = outcome.err().map(Arc::new);
        if let Some(source) = &lost {
            tracing::error!(error = %source, requests = group.len(), "a group of writes was lost");
            if !connection.is_autocommit()
                && let Err(source) = connection.execute_batch("ROLLBACK")
            {
                tracing::error!(error = %source, "the lost group could not be rolled back");
            }
        }
        for request in group {
            request.answer(lost.as_ref());
        }
    }
    if let Err((_, source)) = connection.close() {
        tracing::warn!(error = %source, "the database was not closed properly");
    }
    drop(lock);
}

/// One transaction; `group` receives every request that it took, also when it fails.
fn run_group(
    connection: &Connection,
    first: Box<dyn Request>,
    requests: &mut mpsc::Receiver<Box<dyn Request>>,
    group: &mut Group,
) -> rusqlite::Result<()> {
    let started = Instant::now();
    let mut next = Some(first);
    let begun = connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([]));
    while let Some(mut request) = next.take() {
        if begun.is_ok() {
            request.execute(connection);
        }
        group.push(request);
        if begun.is_err() || connection.is_autocommit() {
            break;
        }
        if group.len() < GROUP && started.elapsed() < GROUP_TIME {
            next = requests.try_recv().ok();
        }
    }
    begun?;
    // If SQLite has ended the transaction by itself, this fails, and every request of the group learns it.
    connection.prepare_cached("COMMIT")?.execute([]).map(|_| ())
}

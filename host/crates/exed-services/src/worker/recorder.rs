//! Writes the events of a running job, in order, as many in one commit as have come together.

use std::sync::Arc;
use std::time::Duration;

use exed_domain::HostName;
use exed_domain::job::event::{EventKind, NewEvent};
use exed_domain::plugin::PluginUse;
use exed_domain::ports::store::{Finish, JobWrites, LeaseKey};
use exed_domain::ports::{Signal, StoreError};
use tokio::sync::mpsc;

use super::Shared;
use super::control::{Control, StopReason};

/// How many events may wait for a commit before those who report them wait.
const QUEUE: usize = 1024;
/// How many events one commit takes.
const BATCH: usize = 512;
/// How long a failing store is left alone before the next attempt.
const RETRY: Duration = Duration::from_millis(500);

enum Message {
    Event(NewEvent),
    Plugin(PluginUse),
    Finish(Finish),
}

/// The sending side; cheap to clone.
#[derive(Clone)]
pub(crate) struct Recorder {
    shared: Arc<Shared>,
    sender: mpsc::Sender<Message>,
}

impl Recorder {
    /// A recorder, and the task that writes until a finish was written or every sender is gone. The task
    /// tells whether the finish is durable.
    pub(crate) fn start(
        shared: &Arc<Shared>,
        key: LeaseKey,
        control: &Arc<Control>,
    ) -> (Self, tokio::task::JoinHandle<bool>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let task = tokio::spawn(write(Arc::clone(shared), key, Arc::clone(control), receiver));
        (Self { shared: Arc::clone(shared), sender }, task)
    }

    /// Records an event, waiting while too many wait already.
    pub(crate) async fn event(&self, host: Option<&HostName>, kind: EventKind) {
        let event = NewEvent { time: self.shared.ports.clock.now(), host: host.cloned(), kind };
        self.send(Message::Event(event)).await;
    }

    /// Records what the job runs with.
    pub(crate) async fn plugin(&self, used: PluginUse) {
        self.send(Message::Plugin(used)).await;
    }

    /// Ends the job, in the same commit as the last events.
    pub(crate) async fn finish(&self, finish: Finish) {
        self.send(Message::Finish(finish)).await;
    }

    async fn send(&self, message: Message) {
        // The writer goes away only when the job is abandoned, and then nothing is to be written.
        let _ = self.sender.send(message).await;
    }
}

async fn write(
    shared: Arc<Shared>,
    key: LeaseKey,
    control: Arc<Control>,
    mut receiver: mpsc::Receiver<Message>,
) -> bool {
    let mut messages = Vec::with_capacity(BATCH);
    loop {
        messages.clear();
        if receiver.recv_many(&mut messages, BATCH).await == 0 {
            return false;
        }
        let writes = gather(&mut messages);
        let finishes = writes.finish.is_some();
        if !commit(&shared, &key, &control, writes).await {
            control.stop(StopReason::Abandoned);
            return false;
        }
        if finishes {
            shared.ports.bus.publish(Signal::JobEnded(key.job));
            return true;
        }
        shared.ports.bus.publish(Signal::JobChanged(key.job));
    }
}

fn gather(messages: &mut Vec<Message>) -> JobWrites {
    let mut writes = JobWrites::default();
    for message in messages.drain(..) {
        match message {
            Message::Event(event) => writes.events.push(event),
            Message::Plugin(used) => writes.plugin = Some(used),
            Message::Finish(finish) => writes.finish = Some(finish),
        }
    }
    writes
}

/// Commits, again and again while the store fails and the lease holds. False when the lease is gone.
async fn commit(shared: &Shared, key: &LeaseKey, control: &Control, writes: JobWrites) -> bool {
    loop {
        match shared.ports.store.record(key, writes.clone()).await {
            Ok(_) => return true,
            Err(StoreError::LeaseLost(_)) => return false,
            Err(error @ StoreError::Failed { .. }) => {
                tracing::error!(job = %key.job, error = &error as &dyn std::error::Error, "cannot record events");
                if shared.ports.clock.now() >= control.lease_until() {
                    return false;
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

//! Following a job: replay what is stored, then tail. Nothing is lost between the two, because the
//! subscription stands before the first look and signals are only hints to look again.

use std::collections::VecDeque;

use exed_domain::job::event::{Event, EventKind};
use exed_domain::job::{Job, TargetRun};
use exed_domain::ports::{Signal, Subscription};
use exed_domain::{EventSeq, JobId, Result};
use futures_util::Stream;
use futures_util::stream::try_unfold;

use super::wait::LOOK_AGAIN;
use super::{Jobs, no_such, store_error};

/// How many events one look takes.
const PAGE: usize = 512;

struct Follow {
    jobs: Jobs,
    id: JobId,
    after: EventSeq,
    ready: VecDeque<Event>,
    signals: Option<Box<dyn Subscription>>,
    ended: bool,
}

impl Jobs {
    /// The events of a job after `after`, first the stored ones, then each as it happens; ends after
    /// [`EventKind::Finished`]. A job whose events are no longer kept is told from its results.
    pub fn follow(&self, id: JobId, after: EventSeq) -> impl Stream<Item = Result<Event>> + Send + use<> {
        let follow =
            Follow { jobs: self.clone(), id, after, ready: VecDeque::new(), signals: None, ended: false };
        try_unfold(follow, |mut follow| async move {
            let event = follow.next().await?;
            Ok(event.map(|event| (event, follow)))
        })
    }
}

impl Follow {
    async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.after = event.seq;
                self.ended = matches!(event.kind, EventKind::Finished { .. });
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            if self.signals.is_none() {
                self.signals = Some(self.jobs.ports.bus.subscribe());
            }
            self.look().await?;
            if self.ready.is_empty() && !self.ended {
                self.wait().await;
            }
        }
    }

    /// Reads the next page; when there is none, finds out whether there will ever be one.
    async fn look(&mut self) -> Result<()> {
        let store = &self.jobs.ports.store;
        let events = store.events(self.id, self.after, PAGE).await.map_err(store_error)?;
        self.ready.extend(events);
        if !self.ready.is_empty() {
            return Ok(());
        }
        let job = store.job(self.id).await.map_err(store_error)?;
        let Some(job) = job else {
            // Deleted while it was followed: the stream ends where it is. Never there: say so.
            self.ended = true;
            return if self.after == EventSeq(0) { Err(no_such(self.id)) } else { Ok(()) };
        };
        if !job.state.is_terminal() {
            return Ok(());
        }
        // It may have ended between the two reads, so its last events are read once more.
        let last = store.events(self.id, self.after, PAGE).await.map_err(store_error)?;
        self.ready.extend(last);
        if self.ready.is_empty() {
            self.ended = true;
            if self.after == EventSeq(0) {
                let targets = store.targets(self.id).await.map_err(store_error)?;
                self.ready = retold(&job, targets);
            }
        }
        Ok(())
    }

    async fn wait(&mut self) {
        let Some(signals) = self.signals.as_mut() else { return };
        let id = self.id;
        // A lost signal delays by this much and loses nothing.
        let _ = tokio::time::timeout(LOOK_AGAIN, async {
            loop {
                match signals.next().await {
                    Some(Signal::JobChanged(changed) | Signal::JobEnded(changed)) if changed == id => return,
                    Some(Signal::Missed) => return,
                    None => std::future::pending::<()>().await,
                    Some(
                        Signal::JobsQueued
                        | Signal::JobChanged(_)
                        | Signal::JobEnded(_)
                        | Signal::CancelRequested(_),
                    ) => {}
                }
            }
        })
        .await;
    }
}

/// The story of a job whose events are no longer kept, told from its results.
fn retold(job: &Job, targets: Vec<TargetRun>) -> VecDeque<Event> {
    let time = job.finished_at.unwrap_or(job.submitted_at);
    let mut events = VecDeque::new();
    let mut push = |host, kind| {
        let seq = EventSeq(events.len() as i64 + 1);
        events.push_back(Event { seq, time, host, kind });
    };
    for target in targets {
        for result in target.results {
            push(Some(target.host.clone()), EventKind::Task(result));
        }
        let kind = EventKind::HostFinished { state: target.state, message: target.message };
        push(Some(target.host), kind);
    }
    push(None, EventKind::Finished { state: job.state, error: job.error.clone() });
    events
}

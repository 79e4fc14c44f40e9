//! `GET /jobs/{jid}?follow=1`: the job object, then a line per result, until the job has ended.

use std::collections::HashSet;
use std::future::ready;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use exed_domain::job::Job;
use exed_domain::job::event::{Event, EventKind};
use exed_domain::{Error, EventSeq, HostName};
use futures_util::{StreamExt, stream};
use http::header;
use serde_json::{Map, Value};

use super::wire;
use crate::router::Api;
use crate::shared::context;
use crate::shared::failure;
use crate::shared::streams;

/// The stream. A failure of ours breaks it off, so that a client can tell it from the job's end.
pub(super) fn stream(api: &Api, job: &Job, object: &Value) -> Response {
    let mut lines = Lines::new(job.operation.clone());
    let request = context::request_id();
    let events = api.services().jobs.follow(job.id, EventSeq(0));
    let rest = events.filter_map(move |event| {
        ready(match event {
            Ok(event) => lines.line(event).map(|value| Ok(line(&value))),
            Err(error) => {
                tracing::error!(request_id = %request, error = %failure::chain(&error), "follow stream broken off");
                Some(Err(error))
            }
        })
    });
    let first = stream::once(ready(Ok::<Bytes, Error>(line(object))));
    let body = Body::from_stream(streams::tied(api, first.chain(rest)));
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// A value and the newline that ends it.
fn line(value: &Value) -> Bytes {
    Bytes::from(format!("{value}\n"))
}

/// Turns events into lines. Only results and failures of hosts have one: the dialect knows no other event.
struct Lines {
    operation: String,
    told: HashSet<HostName>,
}

impl Lines {
    fn new(operation: String) -> Self {
        Self { operation, told: HashSet::new() }
    }

    fn line(&mut self, event: Event) -> Option<Value> {
        let host = event.host?;
        let result = match event.kind {
            EventKind::HostStarted => {
                // Taken up again after a crash: what it told before does not count.
                self.told.remove(&host);
                None
            }
            EventKind::Task(task) => {
                if task.state.is_failure() {
                    self.told.insert(host.clone());
                }
                Some(wire::result(&self.operation, task))
            }
            EventKind::HostFinished { .. } if self.told.contains(&host) => None,
            EventKind::HostFinished { state, message } => wire::host_result(state, message),
            EventKind::Submitted
            | EventKind::Claimed { .. }
            | EventKind::Output { .. }
            | EventKind::Log { .. }
            | EventKind::CancelRequested { .. }
            | EventKind::Finished { .. } => None,
        }?;
        Some(Value::Object(Map::from_iter([(host.0, result)])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use exed_domain::job::state::TargetState;
    use exed_domain::{OperateState, TaskResult, Timestamp};
    use serde_json::json;

    fn event(kind: EventKind) -> Event {
        Event { seq: EventSeq(1), time: Timestamp(0), host: Some(HostName::from("a")), kind }
    }

    fn task(state: OperateState) -> EventKind {
        EventKind::Task(TaskResult { name: "ping".to_owned(), state, data: json!({}), message: None })
    }

    fn finished(state: TargetState) -> EventKind {
        EventKind::HostFinished { state, message: None }
    }

    #[test]
    fn a_failure_is_told_once_by_its_task_or_by_its_host() {
        let mut lines = Lines::new("ping".to_owned());
        assert_eq!(lines.line(event(EventKind::HostStarted)), None);
        let failed = lines.line(event(task(OperateState::Failed)));
        assert_eq!(failed, Some(json!({"a": {"status": 2, "state": 2}})));
        assert_eq!(lines.line(event(finished(TargetState::Failed))), None);
        assert_eq!(lines.line(event(EventKind::HostStarted)), None);
        let unreachable = lines.line(event(finished(TargetState::Unreachable)));
        assert_eq!(unreachable, Some(json!({"a": {"status": 3, "state": 3, "message": "unreachable"}})));
        assert_eq!(lines.line(event(finished(TargetState::Done))), None);
    }
}

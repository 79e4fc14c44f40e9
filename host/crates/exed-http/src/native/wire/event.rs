//! Events.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exed_domain::job::event::{Event, EventKind};
use exed_domain::step::OutputStream;
use serde::Serialize;
use utoipa::ToSchema;

use super::job::ResultView;
use super::time;

/// Something that happened to a job.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(in crate::native) struct EventView {
    /// Its position within the job, from 1; also the id of the server-sent event.
    seq: i64,
    /// RFC 3339.
    time: String,
    /// On which host; absent for the job itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(flatten)]
    what: EventKindView,
}

/// What happened.
#[derive(Serialize, ToSchema)]
#[schema(as = EventKind)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(in crate::native) enum EventKindView {
    /// The job was submitted.
    Submitted,
    /// A worker has claimed the job; more than 1 means that it was taken up again after a crash.
    Claimed { attempt: i64 },
    /// Work on the host begins.
    HostStarted,
    /// The host has written something: `text` if these bytes are UTF-8, else `base64`.
    Output {
        task: String,
        /// `stdout` or `stderr`.
        stream: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        base64: Option<String>,
    },
    /// A task has ended.
    Task(ResultView),
    /// A line for people.
    Log { level: String, message: String },
    /// The work on the host has ended.
    HostFinished { state: &'static str, message: Option<String> },
    /// Somebody asked for the job to be canceled.
    CancelRequested { requester: String },
    /// The job has ended; no event follows.
    Finished { state: &'static str, error: Option<String> },
}

impl EventView {
    /// The position, as the id of the server-sent event.
    pub(in crate::native) fn seq(&self) -> i64 {
        self.seq
    }

    /// Whether no event follows.
    pub(in crate::native) fn is_last(&self) -> bool {
        matches!(self.what, EventKindView::Finished { .. })
    }

    /// The kind's word, as the name of the server-sent event.
    pub(in crate::native) fn word(&self) -> &'static str {
        match self.what {
            EventKindView::Submitted => "submitted",
            EventKindView::Claimed { .. } => "claimed",
            EventKindView::HostStarted => "host_started",
            EventKindView::Output { .. } => "output",
            EventKindView::Task(_) => "task",
            EventKindView::Log { .. } => "log",
            EventKindView::HostFinished { .. } => "host_finished",
            EventKindView::CancelRequested { .. } => "cancel_requested",
            EventKindView::Finished { .. } => "finished",
        }
    }
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        Self {
            seq: event.seq.0,
            time: time(event.time),
            host: event.host.map(|host| host.0),
            what: EventKindView::from(event.kind),
        }
    }
}

impl From<EventKind> for EventKindView {
    fn from(kind: EventKind) -> Self {
        match kind {
            EventKind::Submitted => Self::Submitted,
            EventKind::Claimed { attempt } => Self::Claimed { attempt },
            EventKind::HostStarted => Self::HostStarted,
            EventKind::Output { task, stream, data } => output(task, stream, &data),
            EventKind::Task(result) => Self::Task(ResultView::from(result)),
            EventKind::Log { level, message } => Self::Log { level, message },
            EventKind::HostFinished { state, message } => Self::HostFinished { state: state.word(), message },
            EventKind::CancelRequested { requester } => Self::CancelRequested { requester },
            EventKind::Finished { state, error } => Self::Finished { state: state.word(), error },
        }
    }
}

fn output(task: String, stream: OutputStream, data: &[u8]) -> EventKindView {
    let stream = match stream {
        OutputStream::Stdout => "stdout",
        OutputStream::Stderr => "stderr",
    };
    match std::str::from_utf8(data) {
        Ok(text) => EventKindView::Output { task, stream, text: Some(text.to_owned()), base64: None },
        Err(_) => EventKindView::Output { task, stream, text: None, base64: Some(STANDARD.encode(data)) },
    }
}

/// A page of events.
#[derive(Serialize, ToSchema)]
#[schema(as = EventPage)]
pub(in crate::native) struct EventPage {
    pub(in crate::native) items: Vec<EventView>,
    /// Give this as `after` to have what follows; null when the job has ended and nothing does.
    pub(in crate::native) next: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use exed_domain::job::state::JobState;
    use exed_domain::{EventSeq, HostName, OperateState, TaskResult, Timestamp};
    use serde_json::json;

    fn shown(host: Option<&str>, kind: EventKind) -> serde_json::Value {
        let event = Event { seq: EventSeq(3), time: Timestamp(1000), host: host.map(HostName::from), kind };
        serde_json::to_value(EventView::from(event)).unwrap()
    }

    fn written(data: &'static [u8]) -> serde_json::Value {
        let data = Bytes::from_static(data);
        shown(Some("a"), EventKind::Output { task: "t".to_owned(), stream: OutputStream::Stderr, data })
    }

    #[test]
    fn events_are_flat_objects_with_their_kind() {
        let result = TaskResult {
            name: "ping".to_owned(),
            state: OperateState::Ok,
            data: json!({"a": 1}),
            message: None,
        };
        let expected = json!({
            "seq": 3, "time": "1970-01-01T00:00:01Z", "host": "a", "kind": "task",
            "task": "ping", "state": "ok", "data": {"a": 1}, "message": null,
        });
        assert_eq!(shown(Some("a"), EventKind::Task(result)), expected);
        let finished = shown(None, EventKind::Finished { state: JobState::Done, error: None });
        let expected = json!({"seq": 3, "time": "1970-01-01T00:00:01Z", "kind": "finished", "state": "done", "error": null});
        assert_eq!(finished, expected);
    }

    #[test]
    fn output_that_is_not_text_is_base64() {
        assert_eq!(written(b"x\n")["text"], "x\n");
        assert_eq!(written(b"\xff")["base64"], "/w==");
        assert_eq!(written(b"\xff").get("text"), None);
    }
}

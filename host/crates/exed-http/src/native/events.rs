//! `/api/v1/jobs/{id}/events`: server-sent events, or a page of them as JSON.

use std::convert::Infallible;
use std::future::ready;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use exed_domain::{Error, EventSeq, FieldError, JobId};
use futures_util::{FutureExt, Stream, StreamExt, TryStreamExt};
use http::{HeaderMap, Uri, header};

use super::input::Parameters;
use super::jobs::find;
use super::problem::{Problem, ProblemDocument};
use super::wire::event::{EventPage, EventView};
use crate::router::Api;
use crate::shared::{context, failure, streams};

/// How long a page may be waited for.
const WAIT_AT_MOST: u64 = 30;

/// The events of a job, in order: first what has happened, then each as it happens, until the job has
/// ended. A stream resumes after the id in `Last-Event-ID`, or after `after`. With
/// `Accept: application/json` the answer is a page; with `wait` it waits for the first event.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}/events", tag = "jobs",
    params(
        ("id" = String, Path, description = "The id, or the alias"),
        ("after" = Option<u64>, Query, description = "Only events after this `seq`"),
        ("limit" = Option<u32>, Query, description = "Pages only: from 1 to 1000; 100 if absent"),
        ("wait" = Option<u32>, Query,
            description = "Pages only: how many seconds to wait for the first event; 1 if absent, at most 30"),
        ("Last-Event-ID" = Option<u64>, Header, description = "Streams only: as `after`, and goes before it"),
    ),
    responses(
        (status = 200, content(
            (EventView = "text/event-stream"),
            (EventPage = "application/json"),
        )),
        (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn events(
    State(api): State<Api>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(&uri, &["after", "limit", "wait"])?;
    let after = after(&parameters, &headers)?;
    let id = find(&api, &id).await?;
    api.services().jobs.job(id).await?;
    if wants_page(&headers) {
        let limit = parameters.limit()?;
        let wait = parameters.number("wait")?.unwrap_or(1).min(WAIT_AT_MOST);
        return Ok(Json(page(&api, id, after, limit, Duration::from_secs(wait)).await?).into_response());
    }
    let keep_alive = KeepAlive::new().interval(api.options().keep_alive);
    Ok(Sse::new(stream(&api, id, after)).keep_alive(keep_alive).into_response())
}

fn after(parameters: &Parameters, headers: &HeaderMap) -> Result<EventSeq, FieldError> {
    let wrong = |field: &str| FieldError::new(field, "must be the id of an event, a number");
    let number = match headers.get("last-event-id") {
        Some(value) => {
            let text = value.to_str().ok().map(str::trim);
            let number = text.and_then(|text| text.parse::<u64>().ok());
            number.ok_or_else(|| wrong("Last-Event-ID"))?
        }
        None => parameters.number("after")?.unwrap_or(0),
    };
    i64::try_from(number).map(EventSeq).map_err(|_| wrong("after"))
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("application/json") && !accept.contains("text/event-stream")
}

/// The stream ends after the job's last event, or earlier when the server drains or fails; the client
/// tells the difference by the `finished` event, and resumes.
fn stream(api: &Api, id: JobId, after: EventSeq) -> impl Stream<Item = Result<SseEvent, Infallible>> + use<> {
    let request = context::request_id();
    let events = api.services().jobs.follow(id, after);
    let shown = events.map(move |event| match event.and_then(|event| sse(&EventView::from(event))) {
        Ok(event) => Some(Ok(event)),
        Err(error) => {
            tracing::error!(request_id = %request, error = %failure::chain(&error), "event stream broken off");
            None
        }
    });
    streams::tied(api, shown.take_while(|event| ready(event.is_some())).filter_map(ready))
}

fn sse(event: &EventView) -> Result<SseEvent, Error> {
    let sse = SseEvent::default().id(event.seq().to_string()).event(event.word());
    sse.json_data(event).map_err(|error| Error::internal("writing an event", error))
}

/// Waits for the first event, then takes what is there without waiting for more.
async fn page(
    api: &Api,
    id: JobId,
    after: EventSeq,
    limit: usize,
    wait: Duration,
) -> Result<EventPage, Error> {
    let mut events = Box::pin(api.services().jobs.follow(id, after));
    let first = match tokio::time::timeout(wait, events.try_next()).await {
        Ok(first) => first?,
        Err(_elapsed) => return Ok(EventPage { items: Vec::new(), next: Some(after.0) }),
    };
    let Some(first) = first else { return Ok(EventPage { items: Vec::new(), next: None }) };
    let mut items = vec![EventView::from(first)];
    while items.len() < limit && !items.last().is_some_and(EventView::is_last) {
        match events.try_next().now_or_never() {
            Some(Ok(Some(event))) => items.push(EventView::from(event)),
            Some(Err(error)) => return Err(error),
            Some(Ok(None)) | None => break,
        }
    }
    let next = items.last().filter(|event| !event.is_last()).map(EventView::seq);
    Ok(EventPage { items, next })
}

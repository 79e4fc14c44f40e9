//! The access log and the request metrics: one record per request, made when its answer is complete.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::context::{self, Peer, REQUEST_ID};
use crate::native;
use crate::router::Api;

/// The tracing target of the access log: one event at level INFO per request, with the fields `method`,
/// `path` (without its query, which may carry a command), `status`, `bytes`, `duration_ms`, `peer` and
/// `request_id`. Status 499 means that the client went away before the answer.
pub const ACCESS_TARGET: &str = "exed::access";

/// As nginx logs a client that closed the connection first.
const CLIENT_GONE: u16 = 499;

/// The outermost layer: gives the request an id and records what becomes of it.
pub(crate) async fn observe(State(api): State<Api>, request: Request, next: Next) -> Response {
    let id = context::choose_request_id(request.headers());
    let mut record = Record::new(api, &request, id.clone());
    let mut response = context::scope(id.clone(), next.run(request)).await;
    record.answered(response.status());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response.map(|inner| Body::new(Counted { inner, record }))
}

/// Logged when it is dropped, so that a client that went away leaves a line too.
struct Record {
    api: Api,
    id: String,
    method: Method,
    path: String,
    route: Option<MatchedPath>,
    peer: Option<SocketAddr>,
    begun: Instant,
    head: Option<(StatusCode, Duration)>,
    bytes: u64,
}

impl Record {
    fn new(api: Api, request: &Request, id: String) -> Self {
        let extensions = request.extensions();
        Self {
            api,
            id,
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            route: extensions.get::<MatchedPath>().cloned(),
            peer: extensions.get::<Peer>().map(|peer| peer.0),
            begun: Instant::now(),
            head: None,
            bytes: 0,
        }
    }

    fn answered(&mut self, status: StatusCode) {
        self.head = Some((status, self.begun.elapsed()));
    }

    fn facade(&self) -> &'static str {
        let own = ["/healthz", "/readyz", "/metrics"];
        if self.path.starts_with(native::PREFIX) {
            "native"
        } else if own.contains(&self.path.as_str()) {
            "server"
        } else {
            "exed"
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let total = self.begun.elapsed();
        let (status, took) = self.head.map_or((CLIENT_GONE, total), |(status, took)| (status.as_u16(), took));
        let operation = self.route.as_ref().map_or("unknown", MatchedPath::as_str);
        self.api.metrics().answered(self.facade(), operation, status, took);
        let peer = self.peer.map_or_else(|| "-".to_owned(), |peer| peer.to_string());
        tracing::info!(
            target: ACCESS_TARGET,
            method = %self.method,
            path = %self.path,
            status,
            bytes = self.bytes,
            duration_ms = total.as_secs_f64() * 1000.0,
            peer = %peer,
            request_id = %self.id,
        );
    }
}

/// A body that counts what passes and keeps the record until it is done.
struct Counted {
    inner: Body,
    record: Record,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            let size = frame.data_ref().map_or(0, Bytes::len);
            self.record.bytes = self.record.bytes.saturating_add(size as u64);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

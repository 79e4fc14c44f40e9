//! The native API under `/api/v1`: plural nouns, RFC 9457 problem documents, cursors (`limit`, `after`),
//! `Idempotency-Key`, RFC 3339 times, server-sent events, and an OpenAPI document.

mod events;
mod hosts;
mod idempotency;
mod input;
mod jobs;
pub(crate) mod openapi;
mod operations;
mod plugins;
mod problem;
mod wire;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{Method, Uri};

use crate::router::Api;
use problem::{Kind, Problem};

/// What every path of the native API begins with.
pub(crate) const PREFIX: &str = "/api/";

/// Every endpoint of the native API.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/v1/openapi.json", get(openapi::serve))
        .route("/api/v1/hosts", get(hosts::list))
        .route("/api/v1/hosts/{name}", get(hosts::one))
        .route("/api/v1/jobs", get(jobs::list).post(jobs::submit))
        .route("/api/v1/jobs/{id}", get(jobs::one).delete(jobs::delete))
        .route("/api/v1/jobs/{id}/cancel", post(jobs::cancel))
        .route("/api/v1/jobs/{id}/events", get(events::events))
        .route("/api/v1/operations", get(operations::list))
        .route("/api/v1/plugins", get(plugins::list).post(plugins::install))
        .route("/api/v1/plugins/{name}", get(plugins::one).delete(plugins::remove))
        .route("/api/v1/plugins/{name}/rollback", post(plugins::rollback))
}

/// Answers an unknown path.
pub(crate) fn no_such_path(uri: &Uri) -> Response {
    Problem::new(Kind::NoSuchPath, format!("no such path {}", uri.path())).into_response()
}

/// Answers a known path with a method it does not have; the router adds the `Allow` header.
pub(crate) async fn no_such_method(method: Method, uri: Uri) -> Response {
    Problem::new(Kind::NoSuchMethod, format!("{} has no method {method}", uri.path())).into_response()
}

/// Answers a request that a page of another site has sent.
pub(crate) fn other_site() -> Response {
    let detail = "requests from pages of other web sites are refused";
    Problem::new(Kind::OtherSite, detail.to_owned()).into_response()
}

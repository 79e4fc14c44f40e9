//! EXEd's dialect, at the root of the server. Its bodies are JSON, its errors `{"message": "…"}`.

mod error;
mod follow;
mod input;
mod jobs;
mod operate;
mod quirks;
mod release;
mod targets;
mod wire;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{Method, Uri};

use crate::router::Api;
use error::ExedError;
use input::Operate;

/// Every endpoint of the dialect.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/target", get(targets::list))
        .route("/targets", get(targets::list))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{jid}", get(jobs::one).delete(jobs::delete))
        .route("/ping", operate::both(Operate::Ping))
        .route("/facter", operate::both(Operate::Facter))
        .route("/service", operate::both(Operate::Service))
        .route("/execute", operate::both(Operate::Execute))
        .route("/deploy", operate::submitting(Operate::Deploy))
        .route("/release", get(release::list).merge(post(release::submit)))
}

/// Answers an unknown path.
pub(crate) fn no_such_path(uri: &Uri) -> Response {
    ExedError::NoSuchPath(uri.path().to_owned()).into_response()
}

/// Answers a known path with a method it does not have; the router adds the `Allow` header.
pub(crate) async fn no_such_method(method: Method, uri: Uri) -> Response {
    ExedError::NoSuchMethod { method, path: uri.path().to_owned() }.into_response()
}

/// Answers a request that a page of another site has sent.
pub(crate) fn other_site() -> Response {
    ExedError::OtherSite.into_response()
}

//! The endpoints of the server itself.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::json;

use super::failure;
use crate::router::Api;

/// `GET /healthz`: the process answers.
pub(crate) async fn healthz() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

/// `GET /readyz`: it also takes work; 503 with the reason while it drains or its store fails.
pub(crate) async fn readyz(State(api): State<Api>) -> Response {
    if api.options().drain.is_cancelled() {
        return unready("draining: no new work is taken");
    }
    match api.services().jobs.counts().await {
        Ok(_) => Json(json!({"status": "ok"})).into_response(),
        Err(error) => unready(&failure::report(&error)),
    }
}

fn unready(reason: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "unready", "reason": reason}))).into_response()
}

/// `GET /metrics`: OpenMetrics text for Prometheus.
pub(crate) async fn metrics(State(api): State<Api>) -> Response {
    let counts = match api.services().jobs.counts().await {
        Ok(counts) => counts,
        Err(error) => return unready(&failure::report(&error)),
    };
    match api.metrics().text(counts) {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => unready(&failure::report(&exed_domain::Error::internal("writing the metrics", error))),
    }
}

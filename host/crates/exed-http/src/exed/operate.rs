//! The operations: GET submits a job and waits for it, POST submits and answers at once. One code path.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use exed_domain::{Error, Result as Served};
use exed_services::{SubmitRequest, Submitted};
use http::{StatusCode, Uri};
use serde_json::{Map, Value, json};

use super::error::ExedError;
use super::input::{Operate, asynchronous, synchronous};
use super::{quirks, wire};
use crate::router::Api;
use crate::shared::body;
use crate::shared::fields::Fields;

/// GET and POST of an operation.
pub(super) fn both(operate: Operate) -> MethodRouter<Api> {
    get(move |State(api): State<Api>, uri: Uri| async move { run(&api, operate, &uri).await })
        .merge(submitting(operate))
}

/// POST of an operation.
pub(super) fn submitting(operate: Operate) -> MethodRouter<Api> {
    post(move |State(api): State<Api>, body: Body| async move { submit(&api, operate, body).await })
}

/// Submits, waits, and answers with one result per host. The job goes on when the wait is over, or when
/// the client goes away.
async fn run(api: &Api, operate: Operate, uri: &Uri) -> Result<Json<Map<String, Value>>, ExedError> {
    let request = synchronous(operate, &Fields::of_query(uri)?)?;
    let job = named(api.services().jobs.submit(request).await, true)?.job;
    let limit = api.options().sync_limit;
    match api.services().jobs.wait(job.id, limit).await? {
        Some(ended) => Ok(Json(wire::answer(&ended.job.operation, ended.targets))),
        None => Err(ExedError::StillRunning { jid: job.id, waited: limit }),
    }
}

async fn submit(api: &Api, operate: Operate, body: Body) -> Result<Response, ExedError> {
    let fields = read_fields(api, body).await?;
    created(api, asynchronous(operate, &fields)?).await
}

/// The fields of a JSON body.
pub(super) async fn read_fields(api: &Api, body: Body) -> Result<Fields, ExedError> {
    let options = api.options();
    let body = body::read(body, options.body_limit, options.body_timeout).await?;
    Ok(Fields::of_json(&body)?)
}

/// Submits and answers 201 with the jid.
pub(super) async fn created(api: &Api, request: SubmitRequest) -> Result<Response, ExedError> {
    let job = named(api.services().jobs.submit(request).await, false)?.job;
    Ok((StatusCode::CREATED, Json(json!({"jid": job.id.to_string()}))).into_response())
}

/// A refused argument under the name that the client used for it.
fn named(submitted: Served<Submitted>, synchronous: bool) -> Served<Submitted> {
    submitted.map_err(|error| match error {
        Error::Invalid(field) => Error::Invalid(quirks::wire_field(field, synchronous)),
        other @ (Error::NotFound { .. }
        | Error::NoHosts
        | Error::HostsBusy { .. }
        | Error::Conflict(_)
        | Error::Unsupported(_)
        | Error::Busy { .. }
        | Error::Internal { .. }) => other,
    })
}

//! `GET /jobs`, `GET /jobs/{jid}` and `DELETE /jobs/{jid}`.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use exed_domain::job::Job;
use exed_domain::ports::store::JobQuery;
use exed_domain::{Error, FieldError, JobId};
use http::{HeaderValue, StatusCode, Uri, header};
use serde_json::Value;

use super::error::ExedError;
use super::{follow, wire};
use crate::router::Api;
use crate::shared::fields::Fields;

/// How many jobs a list has at most, and when no `limit` is given. The original listed all of them, but
/// thousands are normal; `after` goes on where a list ended.
const LIST_AT_MOST: usize = 1000;

/// The newest jobs: ids, or objects with `detail`.
pub(super) async fn list(State(api): State<Api>, uri: Uri) -> Result<Response, ExedError> {
    let fields = Fields::of_query(&uri)?;
    let detail = fields.flag("detail")?.unwrap_or(false);
    let limit = limit(&fields)?;
    let before = match fields.text("after")? {
        None => None,
        Some(text) => Some(cursor(&api, text).await?),
    };
    // One more than asked tells whether there is another page.
    let query = JobQuery { before, limit: limit.saturating_add(1), ..JobQuery::default() };
    let mut jobs = api.services().jobs.list(query).await?;
    let more = jobs.len() > limit;
    jobs.truncate(limit);
    let next = jobs.last().filter(|_| more).map(|job| next_page(job, limit, detail));
    let shown = |job: &Job| if detail { wire::job(job, Vec::new()) } else { Value::from(job.id.to_string()) };
    let mut response = Json(jobs.iter().map(shown).collect::<Vec<Value>>()).into_response();
    if let Some(link) = next.and_then(|link| HeaderValue::try_from(link).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

fn limit(fields: &Fields) -> Result<usize, FieldError> {
    let Some(asked) = fields.integer("limit")? else { return Ok(LIST_AT_MOST) };
    match usize::try_from(asked) {
        Ok(limit) if (1..=LIST_AT_MOST).contains(&limit) => Ok(limit),
        Ok(_) | Err(_) => {
            Err(FieldError::new("limit", format!("must be from 1 to {LIST_AT_MOST}, not {asked}")))
        }
    }
}

async fn cursor(api: &Api, text: &str) -> Result<exed_domain::JobAlias, ExedError> {
    let unknown =
        || FieldError::new("after", format!("must be the jid of a job, and there is no job {text}"));
    let Ok(id) = text.parse::<JobId>() else { return Err(unknown().into()) };
    match api.services().jobs.job(id).await {
        Ok(job) => Ok(job.alias),
        Err(Error::NotFound { .. }) => Err(unknown().into()),
        Err(
            other @ (Error::Invalid(_)
            | Error::NoHosts
            | Error::HostsBusy { .. }
            | Error::Conflict(_)
            | Error::Unsupported(_)
            | Error::Busy { .. }
            | Error::Internal { .. }),
        ) => Err(other.into()),
    }
}

fn next_page(last: &Job, limit: usize, detail: bool) -> String {
    let detail = u8::from(detail);
    format!("</jobs?limit={limit}&after={}&detail={detail}>; rel=\"next\"", last.id)
}

/// One job, with its results (`outputs`), and as a stream (`follow`).
pub(super) async fn one(
    State(api): State<Api>,
    Path(jid): Path<String>,
    uri: Uri,
) -> Result<Response, ExedError> {
    let fields = Fields::of_query(&uri)?;
    let outputs = fields.flag("outputs")?.unwrap_or(false);
    let followed = fields.flag("follow")?.unwrap_or(false);
    let jobs = &api.services().jobs;
    let job = jobs.job(parse(&jid)?).await?;
    let targets = if outputs { jobs.targets(job.id).await? } else { Vec::new() };
    let object = wire::job(&job, targets);
    if followed { Ok(follow::stream(&api, &job, &object)) } else { Ok(Json(object).into_response()) }
}

/// Deletes a job that has ended.
pub(super) async fn delete(State(api): State<Api>, Path(jid): Path<String>) -> Result<StatusCode, ExedError> {
    api.services().jobs.delete(parse(&jid)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is no jid names no job.
fn parse(jid: &str) -> Result<JobId, Error> {
    jid.parse().map_err(|_| Error::NotFound { kind: "jid", name: jid.to_owned() })
}

//! `/api/v1/jobs`.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use exed_domain::job::state::JobState;
use exed_domain::ports::store::JobQuery;
use exed_domain::{Error, FieldError, JobAlias, JobId};
use exed_services::{NoMatch, SubmitRequest};
use http::{HeaderMap, StatusCode, Uri, header};

use super::idempotency;
use super::input::{self, Parameters};
use super::problem::{Problem, ProblemDocument};
use super::wire::Page;
use super::wire::job::{CancelView, JobDetail, JobView, NewJob, RunView};
use crate::router::Api;
use crate::shared::context::ANONYMOUS;

/// Submits a job. It is durable when the answer comes.
#[utoipa::path(
    post, path = "/api/v1/jobs", tag = "jobs", request_body = NewJob,
    params(("Idempotency-Key" = Option<String>, Header,
        description = "A repetition with the same key and body returns the first job with status 200")),
    responses(
        (status = 201, body = JobView, headers(("Location" = String, description = "The job"))),
        (status = 200, body = JobView, description = "The idempotency key was known: this is its job"),
        (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
            description = "`hosts-busy`, or `conflict` for a key that came with another body"),
        (status = 413, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, body = ProblemDocument, content_type = "application/problem+json",
            description = "`no-hosts` or `unsupported`"),
        (status = 503, body = ProblemDocument, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds"))),
    ),
)]
pub(super) async fn submit(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (new, bytes): (NewJob, _) = input::json(&api, &headers, body).await?;
    let request = request(new, idempotency::of(&headers, &bytes)?)?;
    let submitted = api.services().jobs.submit(request).await?;
    let status = if submitted.existing { StatusCode::OK } else { StatusCode::CREATED };
    let location = format!("/api/v1/jobs/{}", submitted.job.id);
    let body = Json(JobView::from(&submitted.job));
    Ok((status, [(header::LOCATION, location)], body).into_response())
}

fn request(
    new: NewJob,
    idempotency: Option<exed_domain::job::Idempotency>,
) -> Result<SubmitRequest, FieldError> {
    if new.targets.is_empty() || new.targets.iter().any(|target| target.trim().is_empty()) {
        return Err(FieldError::new("targets", "must be at least one pattern, none of them empty"));
    }
    if !new.args.is_object() {
        return Err(FieldError::new("args", "must be an object"));
    }
    Ok(SubmitRequest {
        operation: new.operation,
        args: new.args,
        patterns: new.targets,
        requester: ANONYMOUS.to_owned(),
        options: new.options.convert()?,
        idempotency,
        no_match: NoMatch::Refuse,
    })
}

/// Jobs, newest first.
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "jobs",
    params(
        ("state" = Option<String>, Query, description = "Only these states, separated by commas"),
        ("operation" = Option<String>, Query, description = "Only this operation"),
        ("limit" = Option<u32>, Query, description = "From 1 to 1000; 100 if absent"),
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
    ),
    responses(
        (status = 200, body = Page<JobView>),
        (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(State(api): State<Api>, uri: Uri) -> Result<Json<Page<JobView>>, Problem> {
    let parameters = Parameters::read(&uri, &["state", "operation", "limit", "after"])?;
    let limit = parameters.limit()?;
    let query = JobQuery {
        before: parameters.get("after").map(cursor).transpose()?,
        states: parameters.get("state").map(states).transpose()?.unwrap_or_default(),
        operation: parameters.get("operation").map(str::to_owned),
        // One more than asked tells whether there is another page.
        limit: limit.saturating_add(1),
    };
    let mut jobs = api.services().jobs.list(query).await?;
    let more = jobs.len() > limit;
    jobs.truncate(limit);
    let next = jobs.last().filter(|_| more).map(|job| job.alias.0.to_string());
    Ok(Json(Page { items: jobs.iter().map(JobView::from).collect(), next }))
}

/// The alias of the last job of a page: unlike the job itself, it cannot be deleted meanwhile.
fn cursor(text: &str) -> Result<JobAlias, FieldError> {
    let wrong = |_| FieldError::new("after", format!("must be the `next` of a page, not \"{text}\""));
    text.parse().map(JobAlias).map_err(wrong)
}

fn states(text: &str) -> Result<Vec<JobState>, FieldError> {
    let state = |word: &str| {
        JobState::from_word(word.trim()).ok_or_else(|| {
            let known = JobState::ALL.map(JobState::word).join(", ");
            FieldError::new("state", format!("must be of {known}, not \"{word}\""))
        })
    };
    text.split(',').map(state).collect()
}

/// One job with what it has done on each host.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, description = "The id, or the alias")),
    responses(
        (status = 200, body = JobDetail),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn one(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<JobDetail>, Problem> {
    let id = find(&api, &id).await?;
    let jobs = &api.services().jobs;
    let job = jobs.job(id).await?;
    let runs = jobs.targets(id).await?;
    Ok(Json(JobDetail { job: JobView::from(&job), runs: runs.into_iter().map(RunView::from).collect() }))
}

/// Removes a job that has ended, with its events.
#[utoipa::path(
    delete, path = "/api/v1/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, description = "The id, or the alias")),
    responses(
        (status = 204),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
            description = "It has not ended"),
    ),
)]
pub(super) async fn delete(State(api): State<Api>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let id = find(&api, &id).await?;
    api.services().jobs.delete(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops a job; what runs on hosts is ended first.
#[utoipa::path(
    post, path = "/api/v1/jobs/{id}/cancel", tag = "jobs",
    params(("id" = String, Path, description = "The id, or the alias")),
    responses(
        (status = 202, body = CancelView),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
            description = "It has already ended"),
    ),
)]
pub(super) async fn cancel(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = find(&api, &id).await?;
    let outcome = api.services().jobs.cancel(id, ANONYMOUS).await?;
    let gone = || Error::Conflict(format!("job {id} has already ended"));
    let view = CancelView::of(&outcome).ok_or_else(gone)?;
    Ok((StatusCode::ACCEPTED, Json(view)).into_response())
}

/// The job that a path names by its id or its alias.
pub(super) async fn find(api: &Api, text: &str) -> Result<JobId, Error> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    match text.parse() {
        Ok(alias) => api.services().jobs.by_alias(JobAlias(alias)).await,
        Err(_) => Err(Error::NotFound { kind: "job", name: text.to_owned() }),
    }
}

//! What can go wrong in this façade, and the status of each.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use exed_domain::{Error, FieldError, JobId};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;

use crate::shared::body::BodyError;
use crate::shared::failure;

/// Why a request was not carried out.
#[derive(Debug)]
pub(crate) enum ExedError {
    /// A service refused it.
    Service(Error),
    /// Its body was not read.
    Body(BodyError),
    /// A synchronous call has waited long enough; the job goes on.
    StillRunning {
        /// The job.
        jid: JobId,
        /// How long it was waited for.
        waited: Duration,
    },
    /// There is no such path.
    NoSuchPath(String),
    /// The path is there, with other methods.
    NoSuchMethod {
        /// The method that it does not have.
        method: Method,
        /// The path.
        path: String,
    },
    /// A page of another web site sent it.
    OtherSite,
}

impl From<Error> for ExedError {
    fn from(error: Error) -> Self {
        Self::Service(error)
    }
}

impl From<FieldError> for ExedError {
    fn from(error: FieldError) -> Self {
        Self::Service(Error::Invalid(error))
    }
}

impl From<BodyError> for ExedError {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl ExedError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Service(error) => service_status(error),
            Self::Body(BodyError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Body(BodyError::TooSlow { .. }) => StatusCode::REQUEST_TIMEOUT,
            Self::Body(BodyError::Incomplete) => StatusCode::BAD_REQUEST,
            Self::StillRunning { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NoSuchPath(_) => StatusCode::NOT_FOUND,
            Self::NoSuchMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::OtherSite => StatusCode::FORBIDDEN,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Service(error @ Error::Internal { .. }) => failure::report(error),
            Self::Service(error) => error.to_string(),
            Self::Body(error) => error.to_string(),
            Self::StillRunning { jid, waited } => format!(
                "job {jid} has not ended after {} s and goes on; see GET /jobs/{jid}?outputs=1",
                waited.as_secs_f64()
            ),
            Self::NoSuchPath(path) => format!("no such path {path}"),
            Self::NoSuchMethod { method, path } => format!("{path} has no method {method}"),
            Self::OtherSite => "requests from pages of other web sites are refused".to_owned(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Service(Error::Busy { retry_after, .. }) => Some(*retry_after),
            Self::Service(
                Error::Invalid(_)
                | Error::NotFound { .. }
                | Error::NoHosts
                | Error::HostsBusy { .. }
                | Error::Conflict(_)
                | Error::Unsupported(_)
                | Error::Internal { .. },
            )
            | Self::Body(_)
            | Self::StillRunning { .. }
            | Self::NoSuchPath(_)
            | Self::NoSuchMethod { .. }
            | Self::OtherSite => None,
        }
    }
}

fn service_status(error: &Error) -> StatusCode {
    match error {
        Error::Invalid(_) | Error::Unsupported(_) => StatusCode::BAD_REQUEST,
        // The only conflict that this dialect can meet is deleting a running job, and there it is a 400.
        Error::Conflict(_) => StatusCode::BAD_REQUEST,
        Error::NotFound { .. } | Error::NoHosts => StatusCode::NOT_FOUND,
        Error::HostsBusy { .. } => StatusCode::CONFLICT,
        Error::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for ExedError {
    fn into_response(self) -> Response {
        let body = Json(json!({"message": self.message()}));
        let mut response = (self.status(), body).into_response();
        if let Some(after) = self.retry_after() {
            let seconds = HeaderValue::from(after.as_secs().max(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_its_status_and_message() {
        let busy = Error::Busy { what: "jobs".to_owned(), retry_after: Duration::from_secs(7) };
        let cases: Vec<(ExedError, u16, &str)> = vec![
            (FieldError::new("cmd", "is required").into(), 400, "cmd: is required"),
            (Error::NotFound { kind: "jid", name: "x".to_owned() }.into(), 404, "no such jid x"),
            (Error::NoHosts.into(), 404, "no hosts match that target"),
            (
                Error::HostsBusy { hosts: vec!["a".to_owned()] }.into(),
                409,
                "operate conflict, job already exists on some host(s)",
            ),
            (
                Error::Conflict("cannot delete a running job".to_owned()).into(),
                400,
                "cannot delete a running job",
            ),
            (Error::Unsupported("no plugin".to_owned()).into(), 400, "no plugin"),
            (busy.into(), 503, "the server is at its limit: jobs; try again in 7 s"),
            (Error::internal("x", "secret").into(), 500, "internal error (request -)"),
            (BodyError::Incomplete.into(), 400, "body: ended before it was complete"),
        ];
        for (error, status, message) in cases {
            assert_eq!(error.message(), message);
            assert_eq!(error.into_response().status().as_u16(), status, "{message}");
        }
    }
}

//! Errors as RFC 9457 problem documents, and the status of each.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use exed_domain::{Error, FieldError};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::shared::body::BodyError;
use crate::shared::{context, failure};

/// What kind of problem it is. The `type` on the wire is `urn:exed:problem:` and the word; it is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Invalid,
    NotFound,
    NoHosts,
    HostsBusy,
    Conflict,
    Unsupported,
    Busy,
    Internal,
    TooLarge,
    TooSlow,
    MediaType,
    NoSuchPath,
    NoSuchMethod,
    OtherSite,
}

impl Kind {
    /// Word, title and status.
    fn table(self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Self::Invalid => ("invalid", "The input is wrong", StatusCode::BAD_REQUEST),
            Self::NotFound => ("not-found", "Nothing of that name is there", StatusCode::NOT_FOUND),
            Self::NoHosts => ("no-hosts", "The targets match no host", StatusCode::UNPROCESSABLE_ENTITY),
            Self::HostsBusy => ("hosts-busy", "Another job holds some of the hosts", StatusCode::CONFLICT),
            Self::Conflict => ("conflict", "The state does not allow this", StatusCode::CONFLICT),
            Self::Unsupported => {
                ("unsupported", "No loaded plugin offers the operation", StatusCode::UNPROCESSABLE_ENTITY)
            }
            Self::Busy => ("busy", "The server is at its limit", StatusCode::SERVICE_UNAVAILABLE),
            Self::Internal => ("internal", "The server failed", StatusCode::INTERNAL_SERVER_ERROR),
            Self::TooLarge => ("too-large", "The body is too large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::TooSlow => ("too-slow", "The body took too long", StatusCode::REQUEST_TIMEOUT),
            Self::MediaType => {
                ("media-type", "The media type is not accepted", StatusCode::UNSUPPORTED_MEDIA_TYPE)
            }
            Self::NoSuchPath => ("no-such-path", "There is no such path", StatusCode::NOT_FOUND),
            Self::NoSuchMethod => {
                ("no-such-method", "The path has no such method", StatusCode::METHOD_NOT_ALLOWED)
            }
            Self::OtherSite => {
                ("other-site", "The request comes from another web site", StatusCode::FORBIDDEN)
            }
        }
    }
}

/// A problem about to be answered.
#[derive(Debug)]
pub(crate) struct Problem {
    kind: Kind,
    detail: String,
    errors: Vec<FieldProblem>,
    hosts: Vec<String>,
    retry_after: Option<Duration>,
}

/// A problem document (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemDocument {
    /// `urn:exed:problem:` and a stable word.
    #[serde(rename = "type")]
    kind: String,
    /// The same for every problem of this type.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened this time.
    detail: String,
    /// The id under which the server has logged the request.
    request_id: String,
    /// Which fields were refused; only for `invalid`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// Which hosts are held by other jobs; only for `hosts-busy`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hosts: Vec<String>,
}

/// A refused field.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FieldProblem {
    /// A dotted path from the root of the input.
    field: String,
    /// What was wrong and what is accepted.
    problem: String,
}

impl Problem {
    /// A problem with its sentence.
    pub(crate) fn new(kind: Kind, detail: String) -> Self {
        Self { kind, detail, errors: Vec::new(), hosts: Vec::new(), retry_after: None }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = match &error {
            Error::Internal { .. } => failure::report(&error),
            Error::NotFound { kind: "jid", name } => format!("no such job {name}"),
            Error::Invalid(_)
            | Error::NotFound { .. }
            | Error::NoHosts
            | Error::HostsBusy { .. }
            | Error::Conflict(_)
            | Error::Unsupported(_)
            | Error::Busy { .. } => error.to_string(),
        };
        match error {
            Error::Invalid(field) => Self::from(field),
            Error::NotFound { .. } => Self::new(Kind::NotFound, detail),
            Error::NoHosts => Self::new(Kind::NoHosts, detail),
            Error::HostsBusy { hosts } => Self { hosts, ..Self::new(Kind::HostsBusy, detail) },
            Error::Conflict(_) => Self::new(Kind::Conflict, detail),
            Error::Unsupported(_) => Self::new(Kind::Unsupported, detail),
            Error::Busy { retry_after, .. } => {
                Self { retry_after: Some(retry_after), ..Self::new(Kind::Busy, detail) }
            }
            Error::Internal { .. } => Self::new(Kind::Internal, detail),
        }
    }
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        let detail = error.to_string();
        let errors = vec![FieldProblem { field: error.field, problem: error.problem }];
        Self { errors, ..Self::new(Kind::Invalid, detail) }
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        let kind = match error {
            BodyError::TooLarge { .. } => Kind::TooLarge,
            BodyError::TooSlow { .. } => Kind::TooSlow,
            BodyError::Incomplete => Kind::Invalid,
        };
        Self::new(kind, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (word, title, status) = self.kind.table();
        let document = ProblemDocument {
            kind: format!("urn:exed:problem:{word}"),
            title,
            status: status.as_u16(),
            detail: self.detail,
            request_id: context::request_id(),
            errors: self.errors,
            hosts: self.hosts,
        };
        let mut response = (status, axum::Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(after) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        response
    }
}

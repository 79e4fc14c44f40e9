//! `GET /target` and `GET /targets`.

use axum::Json;
use axum::extract::State;
use exed_domain::{Error, FieldError};
use http::Uri;

use super::error::ExedError;
use crate::router::Api;
use crate::shared::fields::Fields;

/// The hosts that a pattern matches; a pattern that matches nothing is an empty list.
pub(super) async fn list(State(api): State<Api>, uri: Uri) -> Result<Json<Vec<String>>, ExedError> {
    let fields = Fields::of_query(&uri)?;
    let pattern = fields.text("pattern")?.filter(|pattern| !pattern.is_empty()).unwrap_or("*");
    let found = api.services().hosts.matching(&[pattern.to_owned()]).map_err(|error| match error {
        Error::Invalid(field) => Error::Invalid(FieldError::new("pattern", field.problem)),
        other @ (Error::NotFound { .. }
        | Error::NoHosts
        | Error::HostsBusy { .. }
        | Error::Conflict(_)
        | Error::Unsupported(_)
        | Error::Busy { .. }
        | Error::Internal { .. }) => other,
    })?;
    Ok(Json(found.into_iter().map(|host| host.0).collect()))
}

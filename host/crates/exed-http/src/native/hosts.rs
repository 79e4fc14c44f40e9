//! `/api/v1/hosts`.

use axum::Json;
use axum::extract::{Path, State};
use exed_domain::{Error, FieldError};
use http::Uri;

use super::input::Parameters;
use super::problem::{Problem, ProblemDocument};
use super::wire::host::{HostPage, HostView, InventoryView};
use crate::router::Api;

/// Hosts that match a pattern, in the order of the inventory.
#[utoipa::path(
    get, path = "/api/v1/hosts", tag = "hosts",
    params(
        ("pattern" = Option<String>, Query, description = "A target pattern; every host if absent"),
        ("limit" = Option<u32>, Query, description = "From 1 to 1000; 100 if absent"),
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
    ),
    responses(
        (status = 200, body = HostPage),
        (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(State(api): State<Api>, uri: Uri) -> Result<Json<HostPage>, Problem> {
    let parameters = Parameters::read(&uri, &["pattern", "limit", "after"])?;
    let limit = parameters.limit()?;
    let pattern = parameters.get("pattern").unwrap_or("*").to_owned();
    let hosts = &api.services().hosts;
    let names = hosts.matching(&[pattern]).map_err(|error| match error {
        Error::Invalid(field) => Problem::from(FieldError::new("pattern", field.problem)),
        other @ (Error::NotFound { .. }
        | Error::NoHosts
        | Error::HostsBusy { .. }
        | Error::Conflict(_)
        | Error::Unsupported(_)
        | Error::Busy { .. }
        | Error::Internal { .. }) => Problem::from(other),
    })?;
    let begin = match parameters.get("after") {
        None => 0,
        Some(after) => match names.iter().position(|name| name.as_str() == after) {
            Some(found) => found + 1,
            None => {
                let problem = "must be the `next` of a page; that host does not match any more";
                return Err(FieldError::new("after", problem).into());
            }
        },
    };
    let inventory = hosts.inventory();
    let page = names.iter().skip(begin).take(limit);
    let items: Vec<HostView> =
        page.filter_map(|name| inventory.hosts.get(name)).map(HostView::from).collect();
    let end = begin.saturating_add(limit);
    let next = if end < names.len() { names.get(end - 1).map(|name| name.0.clone()) } else { None };
    let status = InventoryView::from(hosts.status());
    Ok(Json(HostPage { items, next, total: names.len(), inventory: status }))
}

/// One host.
#[utoipa::path(
    get, path = "/api/v1/hosts/{name}", tag = "hosts",
    params(("name" = String, Path, description = "Its name in the inventory")),
    responses(
        (status = 200, body = HostView),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn one(State(api): State<Api>, Path(name): Path<String>) -> Result<Json<HostView>, Problem> {
    let host = api.services().hosts.host(&name)?;
    Ok(Json(HostView::from(&host)))
}

//! `/api/v1/plugins`.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use exed_domain::FieldError;
use http::{HeaderMap, StatusCode, header};

use super::input;
use super::problem::{Problem, ProblemDocument};
use super::wire::plugin::{PluginList, PluginVersions, PluginView, RefusalView};
use crate::router::Api;
use crate::shared::body;

/// Every loaded version, and the files that were refused.
#[utoipa::path(
    get, path = "/api/v1/plugins", tag = "plugins",
    responses((status = 200, body = PluginList)),
)]
pub(super) async fn list(State(api): State<Api>) -> Json<PluginList> {
    let (plugins, refusals) = api.services().plugins.list();
    let items = plugins.iter().map(PluginView::from).collect();
    Json(PluginList { items, refusals: refusals.into_iter().map(RefusalView::from).collect() })
}

/// The live versions of one plugin.
#[utoipa::path(
    get, path = "/api/v1/plugins/{name}", tag = "plugins",
    params(("name" = String, Path, description = "Its name")),
    responses(
        (status = 200, body = PluginVersions),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn one(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Json<PluginVersions>, Problem> {
    let plugins = api.services().plugins.get(&name)?;
    Ok(Json(PluginVersions { items: plugins.iter().map(PluginView::from).collect() }))
}

/// Checks a component and makes it active. The working version stays when it is refused.
#[utoipa::path(
    post, path = "/api/v1/plugins", tag = "plugins",
    request_body(content = Vec<u8>, content_type = "application/wasm", description = "The component"),
    responses(
        (status = 201, body = PluginView, headers(("Location" = String, description = "The plugin"))),
        (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn install(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    input::require_media_type(&headers, "application/wasm")?;
    let options = api.options();
    let component = body::read(body, options.component_limit, options.body_timeout).await?;
    if component.is_empty() {
        return Err(FieldError::new("body", "must be a WebAssembly component, not empty").into());
    }
    let plugin = api.services().plugins.install(component).await?;
    let location = format!("/api/v1/plugins/{}", plugin.used.name);
    let body = Json(PluginView::from(&plugin));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], body).into_response())
}

/// Makes the version before the active one active again.
#[utoipa::path(
    post, path = "/api/v1/plugins/{name}/rollback", tag = "plugins",
    params(("name" = String, Path, description = "Its name")),
    responses(
        (status = 200, body = PluginView),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn rollback(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Json<PluginView>, Problem> {
    let plugin = api.services().plugins.rollback(&name).await?;
    Ok(Json(PluginView::from(&plugin)))
}

/// Removes a plugin's file; one of that name that the server carries becomes active again.
#[utoipa::path(
    delete, path = "/api/v1/plugins/{name}", tag = "plugins",
    params(("name" = String, Path, description = "Its name")),
    responses(
        (status = 204),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn remove(State(api): State<Api>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    api.services().plugins.remove(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

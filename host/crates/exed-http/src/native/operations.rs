//! `/api/v1/operations`.

use axum::Json;
use axum::extract::State;

use super::wire::plugin::{OperationList, OperationView};
use crate::router::Api;

/// Every operation that a loaded plugin offers.
#[utoipa::path(
    get, path = "/api/v1/operations", tag = "operations",
    responses((status = 200, body = OperationList)),
)]
pub(super) async fn list(State(api): State<Api>) -> Json<OperationList> {
    let operations = api.services().plugins.operations();
    Json(OperationList { items: operations.iter().map(OperationView::from).collect() })
}

//! The OpenAPI document, generated from the handlers and committed as `openapi.json`.

use axum::Json;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "exed",
        version = "1",
        description = "Runs operations on a fleet of hosts. This file is generated from the handlers in \
                       host/crates/exed-http/src/native; do not edit it.",
        license(name = "Apache-2.0 OR MIT"),
    ),
    paths(
        super::hosts::list,
        super::hosts::one,
        super::jobs::list,
        super::jobs::submit,
        super::jobs::one,
        super::jobs::delete,
        super::jobs::cancel,
        super::events::events,
        super::operations::list,
        super::plugins::list,
        super::plugins::install,
        super::plugins::one,
        super::plugins::remove,
        super::plugins::rollback,
    )
)]
struct Document;

/// The OpenAPI document of the native API.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// `GET /api/v1/openapi.json`.
pub(super) async fn serve() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set this variable to any value to write the file anew.
    const REGENERATE: &str = "EXED_WRITE_OPENAPI";

    #[test]
    fn the_committed_document_is_what_the_handlers_say() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
        let mut generated = document().to_pretty_json().unwrap();
        generated.push('\n');
        if std::env::var_os(REGENERATE).is_some() {
            std::fs::write(&path, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == generated,
            "host/crates/exed-http/openapi.json differs from the handlers; write it anew with \
             `{REGENERATE}=1 cargo test -p exed-http openapi` and look at the difference"
        );
    }
}

//! The router: the façades, the server's own endpoints, and the layers around all of them.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use exed_services::Services;

use crate::HttpOptions;
use crate::shared::metrics::Metrics;
use crate::shared::{access, health, site};
use crate::{exed, native};

/// What every handler is given; cheap to clone.
#[derive(Clone)]
pub(crate) struct Api(Arc<Inner>);

struct Inner {
    services: Services,
    options: HttpOptions,
    metrics: Metrics,
}

impl Api {
    pub(crate) fn services(&self) -> &Services {
        &self.0.services
    }

    pub(crate) fn options(&self) -> &HttpOptions {
        &self.0.options
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }
}

/// The whole HTTP side over `services`: EXEd's dialect at the root, the native API under `/api/v1`, and
/// `/healthz`, `/readyz` and `/metrics`.
pub fn router(services: Services, options: HttpOptions) -> Router {
    let api = Api(Arc::new(Inner { services, options, metrics: Metrics::new() }));
    let own = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics));
    let native = native::routes().method_not_allowed_fallback(native::no_such_method);
    exed::routes()
        .merge(own)
        .method_not_allowed_fallback(exed::no_such_method)
        .merge(native)
        .fallback(unknown_path)
        .layer(from_fn(site::refuse_other_sites))
        .layer(from_fn_with_state(api.clone(), access::observe))
        .with_state(api)
}

/// An unknown path is answered in the shape of the façade it is under.
async fn unknown_path(uri: http::Uri) -> axum::response::Response {
    if uri.path().starts_with(native::PREFIX) { native::no_such_path(&uri) } else { exed::no_such_path(&uri) }
}

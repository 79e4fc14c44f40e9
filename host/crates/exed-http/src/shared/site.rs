//! Refuses requests that a page of another web site sends through a user's browser. A server without
//! authentication listens on loopback only, and every page that the user visits could reach it there.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, header};

use crate::{exed, native};

/// The layer.
pub(crate) async fn refuse_other_sites(request: Request, next: Next) -> Response {
    if !from_other_site(request.headers()) {
        return next.run(request).await;
    }
    if request.uri().path().starts_with(native::PREFIX) { native::other_site() } else { exed::other_site() }
}

/// Browsers set these headers and pages cannot change them; other clients send neither.
fn from_other_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-site") {
        Some("same-origin" | "none") => return false,
        Some(_) => return true,
        None => {}
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    authority.map(|(_, authority)| authority) != text("host")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(pairs: &[(&'static str, &str)]) -> bool {
        let headers = pairs.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_str(value).unwrap())
        });
        from_other_site(&headers.collect())
    }

    #[test]
    fn only_other_sites_are_refused() {
        assert!(!judged(&[("host", "127.0.0.1:16808")]));
        assert!(!judged(&[("sec-fetch-site", "same-origin")]));
        assert!(!judged(&[("sec-fetch-site", "none")]));
        assert!(judged(&[("sec-fetch-site", "cross-site")]));
        assert!(judged(&[("host", "127.0.0.1:16808"), ("origin", "https://evil.example")]));
        assert!(judged(&[("host", "127.0.0.1:16808"), ("origin", "null")]));
        assert!(!judged(&[("host", "127.0.0.1:16808"), ("origin", "http://127.0.0.1:16808")]));
    }
}

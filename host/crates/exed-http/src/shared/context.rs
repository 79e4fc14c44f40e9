//! What is known of the request that is being answered: who sent it, and the id it is logged under.

use std::net::SocketAddr;

use http::HeaderMap;
use uuid::Uuid;

/// The header that carries a request's id, both ways.
pub(crate) const REQUEST_ID: &str = "x-request-id";

/// Who asks, as long as there is no authentication: only loopback is listened on then.
pub(crate) const ANONYMOUS: &str = "anonymous";

/// The other end of the connection; absent when a test drives the router in process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

tokio::task_local! {
    static CURRENT: String;
}

/// Runs a future under a request's id, so that an error deep inside can name it.
pub(crate) async fn scope<F: Future>(id: String, future: F) -> F::Output {
    CURRENT.scope(id, future).await
}

/// The id of the request being answered; `-` outside of one.
pub(crate) fn request_id() -> String {
    CURRENT.try_with(Clone::clone).unwrap_or_else(|_| "-".to_owned())
}

/// The client's own id when it is short and plain, so that logs can be joined; a new one otherwise.
pub(crate) fn choose_request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    given.filter(|id| is_plain(id)).map_or_else(|| Uuid::now_v7().simple().to_string(), str::to_owned)
}

fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&id.len()) && id.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_id_of_the_client_is_taken() {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, "job-7.a_b".parse().unwrap());
        assert_eq!(choose_request_id(&headers), "job-7.a_b");
        headers.insert(REQUEST_ID, "a b\"c".parse().unwrap());
        assert_eq!(choose_request_id(&headers).len(), 32);
        headers.insert(REQUEST_ID, "x".repeat(65).parse().unwrap());
        assert_eq!(choose_request_id(&headers).len(), 32);
    }
}

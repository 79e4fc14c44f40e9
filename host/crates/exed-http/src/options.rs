//! What can be set about the HTTP side.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Settings of the router.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// How long a synchronous EXEd call waits for its job before it answers 500 naming the jid.
    pub sync_limit: Duration,
    /// The largest accepted request body in bytes, except for components.
    pub body_limit: usize,
    /// The largest accepted component in bytes.
    pub component_limit: usize,
    /// How long a client may take to send a body.
    pub body_timeout: Duration,
    /// How often an idle event stream sends a comment, so that proxies keep it open.
    pub keep_alive: Duration,
    /// Cancelled when the server begins to drain: follow streams end, `/readyz` answers 503. Give the same
    /// token to [`crate::serve`].
    pub drain: CancellationToken,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            sync_limit: Duration::from_secs(60),
            body_limit: 1024 * 1024,
            component_limit: 64 * 1024 * 1024,
            body_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(15),
            drain: CancellationToken::new(),
        }
    }
}

/// Settings of the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeOptions {
    /// How long a client may take to send a request's head; also how long an idle connection is kept.
    pub header_timeout: Duration,
    /// How many connections are served at once; further ones wait in the listener's backlog.
    pub connections_at_most: usize,
    /// How long requests under way may take once draining has begun.
    pub drain_limit: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(75),
            connections_at_most: 4096,
            drain_limit: Duration::from_secs(30),
        }
    }
}

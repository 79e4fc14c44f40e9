//! Serving a router on a listener: bounded connections, bounded time for heads, and an orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::ServeOptions;
use crate::shared::context::Peer;

/// How serving has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// Every request under way was answered.
    Finished,
    /// The drain limit passed first; this many connections were cut.
    Cut(usize),
}

/// Serves `router` until `drain` is cancelled, then lets requests under way finish, up to
/// [`ServeOptions::drain_limit`]. A failure to accept one connection is logged and does not end it.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: ServeOptions,
    drain: CancellationToken,
) -> Served {
    let graceful = GracefulShutdown::new();
    let cut = CancellationToken::new();
    let places = Arc::new(Semaphore::new(options.connections_at_most));
    loop {
        let place = tokio::select! {
            () = drain.cancelled() => break,
            // The semaphore is never closed, so an error cannot come from here.
            place = Arc::clone(&places).acquire_owned() => match place { Ok(place) => place, Err(_) => break },
        };
        let (stream, peer) = tokio::select! {
            () = drain.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => { pause_after(&error).await; continue }
            },
        };
        let connection = Connection { stream, peer, place, cut: cut.clone() };
        tokio::spawn(connection.run(router.clone(), options, graceful.watcher()));
    }
    drop(listener);
    let open = graceful.count();
    if tokio::time::timeout(options.drain_limit, graceful.shutdown()).await.is_ok() {
        return Served::Finished;
    }
    let left = options.connections_at_most.saturating_sub(places.available_permits()).min(open);
    cut.cancel();
    Served::Cut(left)
}

/// One accepted connection.
struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
    cut: CancellationToken,
}

impl Connection {
    async fn run(self, router: Router, options: ServeOptions, watcher: Watcher) {
        let Self { stream, peer, place, cut } = self;
        // Answers are small and complete: waiting to fill a segment would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "cannot switch Nagle's algorithm off");
        }
        let service = router.map_request(move |request: Request<Incoming>| {
            let mut request = request.map(axum::body::Body::new);
            request.extensions_mut().insert(Peer(peer));
            request
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(options.header_timeout);
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        tokio::select! {
            ended = watcher.watch(connection) => if let Err(error) = ended {
                tracing::debug!(%peer, %error, "connection ended early");
            },
            () = cut.cancelled() => {}
        }
        drop(place);
    }
}

/// Being out of file descriptors passes, but not within microseconds.
async fn pause_after(error: &std::io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

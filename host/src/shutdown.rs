//! The end of the server: the first SIGTERM or SIGINT drains, a second one or the drain timeout stops.

use std::time::Duration;

use anyhow::Context as _;
use exed_services::Stop;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that the server answers to. They are caught from the moment this exists.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// SIGTERM or SIGINT.
    End,
    /// SIGHUP.
    Reload,
}

impl Signals {
    /// Catches the signals.
    ///
    /// # Errors
    /// When the system refuses that.
    pub(crate) fn catch() -> anyhow::Result<Self> {
        let catch = |kind| signal(kind).context("catching signals");
        Ok(Self {
            terminate: catch(SignalKind::terminate())?,
            interrupt: catch(SignalKind::interrupt())?,
            hang_up: catch(SignalKind::hangup())?,
        })
    }

    /// The next one. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::End,
            _ = self.interrupt.recv() => Asked::End,
            _ = self.hang_up.recv() => Asked::Reload,
        }
    }

    async fn next_end(&mut self) {
        while self.next().await == Asked::Reload {
            tracing::info!("the server is ending and reloads nothing");
        }
    }
}

/// Drains `server`: nothing new begins, what runs may finish within `limit`. Then, or at a second signal,
/// jobs under way are let go of; the next start takes them up.
pub(crate) async fn drain(
    server: impl Future<Output = anyhow::Result<()>>,
    stop: &Stop,
    signals: &mut Signals,
    limit: Duration,
) -> anyhow::Result<()> {
    tracing::info!(limit_s = limit.as_secs(), "draining: nothing new is accepted, what runs may finish");
    stop.drain.cancel();
    tokio::pin!(server);
    tokio::select! {
        ended = &mut server => return ended,
        () = tokio::time::sleep(limit) => tracing::warn!("the drain timeout has passed"),
        () = signals.next_end() => tracing::warn!("told to end a second time"),
    }
    tracing::warn!("stopping at once: jobs under way are taken up at the next start");
    stop.halt.cancel();
    server.await
}

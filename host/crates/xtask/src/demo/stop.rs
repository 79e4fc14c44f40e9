//! The wish to stop: Ctrl-C, SIGTERM, or a terminal that was closed.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Becomes true once, and stays so.
#[derive(Clone, Debug)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// From now on these signals do not end the process; whoever waits for them cleans up.
    ///
    /// # Errors
    /// When the signals cannot be caught.
    pub(super) fn listen() -> anyhow::Result<Self> {
        let caught = |kind| signal(kind).context("signals cannot be caught");
        let mut interrupt = caught(SignalKind::interrupt())?;
        let mut terminate = caught(SignalKind::terminate())?;
        let mut hangup = caught(SignalKind::hangup())?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            loop {
                any(&mut interrupt, &mut terminate, &mut hangup).await;
                // Nobody left to tell means that the process is about to end.
                let _ = sender.send(true);
            }
        });
        Ok(Self(receiver))
    }

    /// Whether it was asked for.
    pub(super) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is.
    pub(super) async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

async fn any(interrupt: &mut Signal, terminate: &mut Signal, hangup: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}

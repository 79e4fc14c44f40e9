//! What a connection's session task and its channels share: unread bytes, ends, and the reason of an end.
//!
//! russh acknowledges data when it arrives, not when it is read, so that a window alone would not slow a
//! sender down. The handler therefore waits while too much lies unread: TCP then slows the server, and
//! memory stays bounded. A connection with a slow reader is marked congested long before that and takes no
//! new channels, and while others share it the slow one may leave more unread before they have to wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::ChannelId;
use russh::client::{DisconnectReason, Handler, Session};
use russh::keys::PublicKeyOrCertificate;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::host_keys::{Accepted, HostKeys};
use super::known_hosts::bare_key;
use super::target::Target;

/// From this much unread on, a connection takes no new channels.
const CONGESTED: u64 = 256 * 1024;
/// A channel that has received this much is a bulk transfer; its connection takes no new channels while it
/// lasts, so that whoever comes later never waits behind its reader.
const BULK: u64 = 1024 * 1024;
/// A channel that has its connection to itself may leave this much unread.
const UNREAD_ALONE: u64 = 1024 * 1024;
/// A channel that shares its connection may leave this much unread.
const UNREAD_SHARED: u64 = 8 * 1024 * 1024;

/// The receiving side of one channel.
#[derive(Debug)]
pub(super) struct Flow {
    unread: AtomicU64,
    received: AtomicU64,
    read: Notify,
    /// The channel has ended, by either side or with its connection.
    pub(super) ended: CancellationToken,
}

impl Flow {
    /// Says that bytes were taken by the reader.
    pub(super) fn taken(&self, bytes: usize) {
        self.unread.fetch_sub(bytes as u64, Ordering::AcqRel);
        self.read.notify_one();
    }
}

/// The state of one connection.
#[derive(Debug, Default)]
pub(super) struct Link {
    flows: Mutex<HashMap<ChannelId, Arc<Flow>>>,
    reason: Mutex<Option<String>>,
    users: AtomicUsize,
    /// The connection has ended.
    pub(super) ended: CancellationToken,
    /// The server's key differs from the recorded one, and the policy does not mind.
    pub(super) changed: AtomicBool,
}

impl Link {
    fn flows(&self) -> MutexGuard<'_, HashMap<ChannelId, Arc<Flow>>> {
        self.flows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to count for a channel. Data comes only after a request, so nothing is missed.
    pub(super) fn register(&self, id: ChannelId) -> Arc<Flow> {
        let flow = Arc::new(Flow {
            unread: AtomicU64::new(0),
            received: AtomicU64::new(0),
            read: Notify::new(),
            ended: self.ended.child_token(),
        });
        self.flows().insert(id, Arc::clone(&flow));
        flow
    }

    /// Forgets a channel; whoever waited for its reader goes on.
    pub(super) fn forget(&self, id: ChannelId) {
        if let Some(flow) = self.flows().remove(&id) {
            flow.ended.cancel();
            flow.read.notify_one();
        }
    }

    /// Whether some channel is a bulk transfer, or its reader is far behind.
    pub(super) fn congested(&self) -> bool {
        self.flows().values().any(|flow| {
            flow.unread.load(Ordering::Acquire).cast_signed() >= CONGESTED.cast_signed()
                || flow.received.load(Ordering::Acquire) >= BULK
        })
    }

    /// Says how many channels are open or being opened: more of them leave a slow reader more room.
    pub(super) fn set_users(&self, users: usize) {
        self.users.store(users, Ordering::Release);
        for flow in self.flows().values() {
            flow.read.notify_one();
        }
    }

    fn limit(&self) -> u64 {
        if self.users.load(Ordering::Acquire) > 1 { UNREAD_SHARED } else { UNREAD_ALONE }
    }

    /// Why the connection has ended, as a phrase.
    pub(super) fn reason(&self) -> String {
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone();
        reason.unwrap_or_else(|| "the server closed the connection".to_owned())
    }

    async fn received(&self, id: ChannelId, bytes: usize) {
        let Some(flow) = self.flows().get(&id).cloned() else {
            return;
        };
        flow.received.fetch_add(bytes as u64, Ordering::AcqRel);
        // The reader may have been faster than this count, which then comes back to zero.
        let unread = flow.unread.fetch_add(bytes as u64, Ordering::AcqRel);
        if unread.wrapping_add(bytes as u64) <= UNREAD_ALONE {
            return;
        }
        while flow.unread.load(Ordering::Acquire).cast_signed() > self.limit().cast_signed()
            && !flow.ended.is_cancelled()
        {
            flow.read.notified().await;
        }
    }
}

/// Why a session could not be established or has ended.
#[derive(Debug)]
pub(super) enum SessionError {
    Ssh(russh::Error),
    /// The host key was refused; a whole sentence.
    HostKey(String),
}

impl From<russh::Error> for SessionError {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl std::fmt::Display for SessionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ssh(error) => error.fmt(f),
            Self::HostKey(text) => f.write_str(text),
        }
    }
}

/// russh's handler of one connection.
pub(super) struct SessionHandler {
    pub(super) link: Arc<Link>,
    pub(super) target: Target,
    pub(super) host_keys: Arc<HostKeys>,
}

impl Drop for SessionHandler {
    /// However the session task ended, its channels learn of it.
    fn drop(&mut self) {
        self.link.ended.cancel();
    }
}

impl Handler for SessionHandler {
    type Error = SessionError;

    async fn check_server_key(&mut self, presented: &PublicKeyOrCertificate) -> Result<bool, SessionError> {
        let Some(key) = bare_key(presented) else {
            return Err(SessionError::HostKey(
                "the server presented a certificate that was not asked for".into(),
            ));
        };
        match self.host_keys.check(&self.target, key) {
            Ok(Accepted::Plainly) => Ok(true),
            Ok(Accepted::AlthoughChanged) => {
                self.link.changed.store(true, Ordering::Release);
                Ok(true)
            }
            Err(text) => Err(SessionError::HostKey(text)),
        }
    }

    async fn data(&mut self, id: ChannelId, data: &[u8], _: &mut Session) -> Result<(), SessionError> {
        self.link.received(id, data.len()).await;
        Ok(())
    }

    async fn extended_data(
        &mut self,
        id: ChannelId,
        _: u32,
        data: &[u8],
        _: &mut Session,
    ) -> Result<(), SessionError> {
        self.link.received(id, data.len()).await;
        Ok(())
    }

    async fn channel_close(&mut self, id: ChannelId, _: &mut Session) -> Result<(), SessionError> {
        if let Some(flow) = self.link.flows().get(&id) {
            flow.ended.cancel();
        }
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<SessionError>) -> Result<(), SessionError> {
        let text = match &reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                format!("the server disconnected: {}", info.message)
            }
            DisconnectReason::Error(SessionError::Ssh(russh::Error::KeepaliveTimeout)) => {
                "the server no longer answers".to_owned()
            }
            DisconnectReason::Error(SessionError::Ssh(russh::Error::Disconnect | russh::Error::HUP)) => {
                "the server closed the connection".to_owned()
            }
            DisconnectReason::Error(error) => error.to_string(),
        };
        *self.link.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        match reason {
            DisconnectReason::ReceivedDisconnect(_) => Ok(()),
            DisconnectReason::Error(error) => Err(error),
        }
    }
}

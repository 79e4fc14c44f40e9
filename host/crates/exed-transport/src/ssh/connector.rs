//! The connector: hosts to targets, targets to pools, pools to channels.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use exed_domain::Host;
use russh::client::Msg;
use russh::{Disconnect, Error};
use tokio_util::sync::CancellationToken;

use super::channel::halves;
use super::config::SshConfig;
use super::dial::Dialer;
use super::options::SshOptions;
use super::pool::{Lease, Pool, Purpose};
use super::resolve;
use super::target::{Target, endpoint};
use super::tunnel::Tunnel;
use crate::connect::{Channel, ConnectError, Connector};

/// A server that refuses a channel is asked again on other connections, but not for ever.
const MAX_REFUSALS: usize = 32;

/// Native SSH: connections are shared per target, commands run as channels on them.
///
/// A target is the user, address, port, jump chain and credentials that a host's variables and the OpenSSH
/// configuration resolve to; see the [module](super). The configuration files are read at the first use and
/// again after [`SshConnector::reload`].
pub struct SshConnector {
    pools: Arc<Pools>,
    config: Mutex<Option<Arc<SshConfig>>>,
}

/// Every pool of a connector.
pub(super) struct Pools {
    pub(super) dialer: Dialer,
    pools: Mutex<HashMap<(Target, Purpose), Arc<Pool>>>,
    sweeper: OnceLock<()>,
    closed: CancellationToken,
}

/// Why a channel could not be opened on a connection.
enum OpenFailure {
    /// The server does not want another channel.
    Refused(String),
    /// The connection is dead; nothing was sent.
    Dead(String),
    /// The machine behind a tunnel cannot be reached; another connection would not help.
    Unreachable(String),
}

impl SshConnector {
    /// A connector without connections. Nothing is read or opened yet.
    #[must_use]
    pub fn new(options: SshOptions) -> Self {
        let pools = Pools {
            dialer: Dialer::new(options),
            pools: Mutex::default(),
            sweeper: OnceLock::new(),
            closed: CancellationToken::new(),
        };
        Self { pools: Arc::new(pools), config: Mutex::new(None) }
    }

    /// Reads the configuration files anew at the next use. Connections whose target has not changed stay.
    pub fn reload(&self) {
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// How many connections are open now, those to jump hosts included.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.pools.lock().values().map(|pool| pool.live()).sum()
    }

    fn target(&self, host: &Host) -> Result<Target, String> {
        let options = &self.pools.dialer.options;
        let mut cached = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        let config = match &*cached {
            Some(config) => Arc::clone(config),
            None => {
                let config = Arc::new(SshConfig::load(&options.config_files, &options.home)?);
                *cached = Some(Arc::clone(&config));
                config
            }
        };
        drop(cached);
        resolve::target(host, options, &config)
    }
}

impl Drop for SshConnector {
    /// Without its connector a connection ends with its last channel.
    fn drop(&mut self) {
        self.pools.closed.cancel();
        self.pools.lock().clear();
    }
}

#[async_trait]
impl Connector for SshConnector {
    async fn open(&self, host: &Host, command: &str) -> Result<Channel, ConnectError> {
        let name = host.name.as_str();
        let target = self.target(host).map_err(|problem| {
            ConnectError(format!("{name}: the connection settings are wrong: {problem}"))
        })?;
        let pool = self.pools.pool(&target, Purpose::Commands);
        self.pools
            .command(&pool, &target, command)
            .await
            .map_err(|reason| ConnectError(format!("{name} ({}): {reason}", target.label())))
    }

    async fn close(&self) {
        self.pools.closed.cancel();
        let pools: Vec<Arc<Pool>> = self.pools.lock().drain().map(|(_, pool)| pool).collect();
        for session in pools.iter().flat_map(|pool| pool.drain()) {
            // An error says that it has ended already.
            let _ended = session.handle.disconnect(Disconnect::ByApplication, "", "").await;
        }
    }
}

impl Pools {
    fn lock(&self) -> MutexGuard<'_, HashMap<(Target, Purpose), Arc<Pool>>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pool(self: &Arc<Self>, target: &Target, purpose: Purpose) -> Arc<Pool> {
        self.sweeper.get_or_init(|| {
            tokio::spawn(sweep(Arc::downgrade(self), self.dialer.options.idle_timeout, self.closed.clone()));
        });
        let mut pools = self.lock();
        let key = (target.clone(), purpose);
        let pool = pools.entry(key).or_insert_with_key(|(target, purpose)| {
            Arc::new(Pool::new(target.clone(), *purpose, Arc::clone(self)))
        });
        Arc::clone(pool)
    }

    async fn command(&self, pool: &Arc<Pool>, target: &Target, command: &str) -> Result<Channel, String> {
        let open = |lease: Lease| {
            let command = command.to_owned();
            let limit = target.connect_timeout;
            // A task of its own: a caller that goes away in between must not leave a half-open channel.
            async move {
                let opening = tokio::spawn(open_session(lease, command, limit));
                opening.await.unwrap_or_else(|_| Err((OpenFailure::Dead("the task ended".to_owned()), None)))
            }
        };
        self.persist(pool, open).await
    }

    /// A stream through a jump host.
    pub(super) async fn tunnel(
        self: &Arc<Self>,
        jump: &Target,
        address: &str,
        port: u16,
    ) -> Result<Tunnel, String> {
        let pool = self.pool(jump, Purpose::Tunnels);
        self.persist(&pool, |lease| open_tunnel(lease, address.to_owned(), port, jump.connect_timeout)).await
    }

    /// Opens a channel somewhere: on another connection where the server refuses it, and once more where
    /// the connection was dead. Nothing was sent before a channel is confirmed, so that repeating is safe.
    async fn persist<T, F, W>(&self, pool: &Arc<Pool>, open: F) -> Result<T, String>
    where
        F: Fn(Lease) -> W,
        W: Future<Output = Result<T, (OpenFailure, Option<Lease>)>>,
    {
        let mut died = false;
        for _ in 0..MAX_REFUSALS {
            if self.closed.is_cancelled() {
                return Err("the server is shutting down".to_owned());
            }
            match open(pool.acquire().await?).await {
                Ok(opened) => return Ok(opened),
                Err((OpenFailure::Refused(reason), lease)) => {
                    if !lease.is_none_or(Lease::refused) {
                        return Err(format!("the server opens no channel: {reason}"));
                    }
                }
                Err((OpenFailure::Unreachable(reason), _)) => return Err(reason),
                Err((OpenFailure::Dead(reason), lease)) => {
                    if let Some(lease) = lease {
                        lease.discard();
                    }
                    if std::mem::replace(&mut died, true) {
                        return Err(format!("the connection was lost before the command was sent: {reason}"));
                    }
                }
            }
        }
        Err("the server keeps refusing channels (MaxSessions); lower the number of commands at a time"
            .to_owned())
    }
}

async fn open_session(
    mut lease: Lease,
    command: String,
    limit: Duration,
) -> Result<Channel, (OpenFailure, Option<Lease>)> {
    let session = Arc::clone(&lease.session);
    let channel = match confirmed(session.handle.channel_open_session(), limit).await {
        Ok(channel) => channel,
        Err(failure) => return Err((failure, Some(lease))),
    };
    lease.confirm();
    let flow = session.link.register(channel.id());
    // The answer is not waited for: input may follow at once, and a refusal ends the channel.
    if channel.exec(true, command).await.is_err() {
        session.link.forget(channel.id());
        return Err((OpenFailure::Dead(session.link.reason()), Some(lease)));
    }
    Ok(halves(channel, Arc::clone(&session.link), flow, lease))
}

async fn open_tunnel(
    mut lease: Lease,
    address: String,
    port: u16,
    limit: Duration,
) -> Result<Tunnel, (OpenFailure, Option<Lease>)> {
    let session = Arc::clone(&lease.session);
    let opening = session.handle.channel_open_direct_tcpip(address.as_str(), u32::from(port), "127.0.0.1", 0);
    match confirmed(opening, limit).await {
        Ok(channel) => {
            lease.confirm();
            Ok(Tunnel::new(channel, lease))
        }
        Err(OpenFailure::Refused(_)) => {
            let failure = OpenFailure::Unreachable(format!(
                "it opens no tunnel to {}; check that the machine is up and that the jump host allows \
                 AllowTcpForwarding",
                endpoint(&address, port)
            ));
            Err((failure, Some(lease)))
        }
        Err(failure) => Err((failure, Some(lease))),
    }
}

async fn confirmed(
    opening: impl Future<Output = Result<russh::Channel<Msg>, Error>>,
    limit: Duration,
) -> Result<russh::Channel<Msg>, OpenFailure> {
    match tokio::time::timeout(limit, opening).await {
        Ok(Ok(channel)) => Ok(channel),
        Ok(Err(Error::ChannelOpenFailure(reason))) => Err(OpenFailure::Refused(format!("{reason:?}"))),
        Ok(Err(error)) => Err(OpenFailure::Dead(error.to_string())),
        Err(_) => Err(OpenFailure::Dead("the server no longer answers".to_owned())),
    }
}

/// Closes idle connections until the connector is gone.
async fn sweep(pools: Weak<Pools>, idle: Duration, closed: CancellationToken) {
    let period = (idle / 4).clamp(Duration::from_millis(20), Duration::from_secs(30));
    loop {
        tokio::select! {
            () = closed.cancelled() => return,
            () = tokio::time::sleep(period) => {}
        }
        let Some(pools) = pools.upgrade() else {
            return;
        };
        // A pool that somebody holds is about to be used.
        pools.lock().retain(|_, pool| pool.sweep(idle) || Arc::strong_count(pool) > 1);
    }
}

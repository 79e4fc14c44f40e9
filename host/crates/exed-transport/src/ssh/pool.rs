//! The connections to one target, and the places for channels on them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::connector::Pools;
use super::dial::{Dialer, Session};
use super::target::Target;

/// What the channels of a pool are for: tunnels do not count against the server's `MaxSessions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    Commands,
    Tunnels,
}

/// The connections to one target.
pub(super) struct Pool {
    target: Target,
    pools: Arc<Pools>,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    connections: Vec<Place>,
    dialing: bool,
    /// Channels on a connection, as far as the server is known to allow them.
    channel_limit: usize,
    connection_limit: usize,
    next_id: u64,
    /// How many dials have failed, and how the last one did: those who waited for it fail with it.
    failures: u64,
    failure: String,
}

/// A connection and who uses it.
struct Place {
    id: u64,
    session: Arc<Session>,
    /// Channels open or being opened.
    open: usize,
    /// Channels that the server has confirmed.
    confirmed: usize,
    limit: usize,
    /// Whether any channel was ever confirmed.
    proven: bool,
    used: Instant,
}

impl Place {
    fn alive(&self) -> bool {
        !self.session.handle.is_closed() && !self.session.link.ended.is_cancelled()
    }
}

/// A place for one channel; given back when dropped.
pub(super) struct Lease {
    pool: Arc<Pool>,
    pub(super) session: Arc<Session>,
    id: u64,
    confirmed: bool,
}

enum Next {
    Use(Lease),
    Dial(Dialing),
    Wait,
    Failed(String),
}

impl Pool {
    /// An empty pool.
    pub(super) fn new(target: Target, purpose: Purpose, pools: Arc<Pools>) -> Self {
        let options = &pools.dialer.options;
        let (channel_limit, connection_limit) = match purpose {
            Purpose::Commands => (options.channels_per_connection, options.connections_per_host),
            Purpose::Tunnels => (options.tunnels_per_connection, options.connections_per_jump),
        };
        let state = State {
            connections: Vec::new(),
            dialing: false,
            channel_limit: channel_limit.max(1),
            connection_limit: connection_limit.max(1),
            next_id: 0,
            failures: 0,
            failure: String::new(),
        };
        Self { target, pools, state: Mutex::new(state), changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place on a live connection: on one that is there, or on a new one; waits when all are taken.
    pub(super) async fn acquire(self: &Arc<Self>) -> Result<Lease, String> {
        let mut waited_since = None;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.next(&mut waited_since) {
                Next::Use(lease) => return Ok(lease),
                Next::Failed(reason) => return Err(reason),
                Next::Wait => changed.await,
                Next::Dial(dialing) => {
                    let dialed = self.dial().await;
                    if let Some(result) = dialing.finish(dialed) {
                        return result;
                    }
                }
            }
        }
    }

    fn next(self: &Arc<Self>, waited_since: &mut Option<u64>) -> Next {
        let mut state = self.state();
        state.connections.retain(Place::alive);
        let free = |place: &&mut Place| place.open < place.limit;
        let quiet = state.connections.iter_mut().filter(free).filter(|place| !place.session.link.congested());
        if let Some(place) = quiet.min_by_key(|place| place.open) {
            return Next::Use(self.lease(place));
        }
        if !state.dialing && state.connections.len() < state.connection_limit {
            if state.connections.is_empty() && waited_since.is_some_and(|seen| state.failures > seen) {
                return Next::Failed(state.failure.clone());
            }
            state.dialing = true;
            return Next::Dial(Dialing { pool: Arc::clone(self), done: false });
        }
        if !state.dialing
            && let Some(place) = state.connections.iter_mut().filter(free).min_by_key(|place| place.open)
        {
            return Next::Use(self.lease(place));
        }
        waited_since.get_or_insert(state.failures);
        Next::Wait
    }

    fn lease(self: &Arc<Self>, place: &mut Place) -> Lease {
        place.open += 1;
        place.session.link.set_users(place.open);
        Lease { pool: Arc::clone(self), session: Arc::clone(&place.session), id: place.id, confirmed: false }
    }

    async fn dial(&self) -> Result<Session, String> {
        let dialer: &Dialer = &self.pools.dialer;
        let tunnel = match &self.target.jump {
            None => None,
            Some(jump) => {
                let opened = Box::pin(self.pools.tunnel(jump, &self.target.address, self.target.port)).await;
                Some(opened.map_err(|reason| format!("through the jump host {}: {reason}", jump.label()))?)
            }
        };
        dialer.dial(&self.target, tunnel).await
    }

    /// Closes connections that are dead or have been without channels for `idle`. Says whether any is left.
    pub(super) fn sweep(&self, idle: Duration) -> bool {
        let mut state = self.state();
        state.connections.retain(|place| place.alive() && (place.open > 0 || place.used.elapsed() < idle));
        state.dialing || !state.connections.is_empty()
    }

    /// How many connections are open.
    pub(super) fn live(&self) -> usize {
        self.state().connections.iter().filter(|place| place.alive()).count()
    }

    /// Takes every connection out, to be closed.
    pub(super) fn drain(&self) -> Vec<Arc<Session>> {
        let connections = std::mem::take(&mut self.state().connections);
        self.changed.notify_waiters();
        connections.into_iter().map(|place| place.session).collect()
    }
}

impl Lease {
    fn place<'a>(&self, state: &'a mut State) -> Option<&'a mut Place> {
        state.connections.iter_mut().find(|place| place.id == self.id)
    }

    /// The server has opened the channel.
    pub(super) fn confirm(&mut self) {
        self.confirmed = true;
        if let Some(place) = self.place(&mut self.pool.state()) {
            place.confirmed += 1;
            place.proven = true;
        }
    }

    /// The server has refused the channel: what it has confirmed on this connection is all it allows.
    /// Says whether another try is reasonable; it is not if a fresh connection takes no channel at all.
    pub(super) fn refused(self) -> bool {
        let mut state = self.pool.state();
        let Some(place) = self.place(&mut state) else {
            return true;
        };
        let others = if place.confirmed > 0 { place.confirmed } else { place.open.saturating_sub(1) };
        if others == 0 {
            // Sessions that ended here but still count there use this connection up.
            let proven = place.proven;
            state.connections.retain(|place| place.id != self.id);
            return proven;
        }
        place.limit = place.limit.min(others);
        state.channel_limit = state.channel_limit.min(others);
        true
    }

    /// The connection turned out to be dead: nobody shall use it again.
    pub(super) fn discard(self) {
        self.pool.state().connections.retain(|place| place.id != self.id);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        if let Some(place) = self.place(&mut state) {
            place.open = place.open.saturating_sub(1);
            place.session.link.set_users(place.open);
            place.confirmed = place.confirmed.saturating_sub(usize::from(self.confirmed));
            place.used = Instant::now();
        }
        drop(state);
        self.pool.changed.notify_waiters();
    }
}

/// The right to dial, which one caller per pool holds. Dropped without an outcome (the caller went away),
/// another takes it over.
struct Dialing {
    pool: Arc<Pool>,
    done: bool,
}

impl Dialing {
    /// Records the outcome. `None` when it failed but other connections are there to wait for.
    fn finish(mut self, dialed: Result<Session, String>) -> Option<Result<Lease, String>> {
        self.done = true;
        let mut state = self.pool.state();
        state.dialing = false;
        let outcome = match dialed {
            Ok(session) => {
                let id = state.next_id;
                state.next_id += 1;
                let limit = state.channel_limit;
                let session = Arc::new(session);
                let mut place =
                    Place { id, session, open: 0, confirmed: 0, limit, proven: false, used: Instant::now() };
                let lease = self.pool.lease(&mut place);
                state.connections.push(place);
                Some(Ok(lease))
            }
            Err(reason) => {
                state.failures += 1;
                state.failure.clone_from(&reason);
                // The server may limit connections: work with those that are there.
                let there = state.connections.len();
                if there > 0 {
                    state.connection_limit = there;
                    None
                } else {
                    Some(Err(reason))
                }
            }
        };
        drop(state);
        self.pool.changed.notify_waiters();
        outcome
    }
}

impl Drop for Dialing {
    fn drop(&mut self) {
        if !self.done {
            self.pool.state().dialing = false;
            self.pool.changed.notify_waiters();
        }
    }
}

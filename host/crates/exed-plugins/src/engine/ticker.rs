//! Advances the engine's epoch while some guest computes, and sleeps otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// How often a computing guest is looked at.
pub(crate) const PERIOD: Duration = Duration::from_millis(1);
/// Idle periods before the thread parks; short pauses between runs need no wake-up.
const LINGER: u32 = 20;

#[derive(Debug, Default)]
struct Shared {
    computing: AtomicUsize,
    parked: AtomicBool,
    stop: AtomicBool,
}

/// The clock. Dropping it ends its thread.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
    join: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(crate) fn start(engine: Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let for_thread = Arc::clone(&shared);
        let join =
            thread::Builder::new().name("exed-epoch".into()).spawn(move || tick(&engine, &for_thread))?;
        Ok(Self { shared, thread: join.thread().clone(), join: Some(join) })
    }

    /// A guest computes until the returned value is dropped.
    pub(crate) fn computing(&self) -> Computing<'_> {
        self.shared.computing.fetch_add(1, SeqCst);
        // Either this sees the parked flag, or the thread sees the counter before it parks.
        if self.shared.parked.load(SeqCst) {
            self.thread.unpark();
        }
        Computing(&self.shared)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, SeqCst);
        self.thread.unpark();
        if let Some(join) = self.join.take() {
            // A clock that panicked has nothing left to clean up.
            let _ended = join.join();
        }
    }
}

/// Keeps the clock going.
pub(crate) struct Computing<'a>(&'a Shared);

impl Drop for Computing<'_> {
    fn drop(&mut self) {
        self.0.computing.fetch_sub(1, SeqCst);
    }
}

fn tick(engine: &Engine, shared: &Shared) {
    let mut idle = 0;
    while !shared.stop.load(SeqCst) {
        thread::sleep(PERIOD);
        engine.increment_epoch();
        idle = if shared.computing.load(SeqCst) == 0 { idle + 1 } else { 0 };
        if idle < LINGER {
            continue;
        }
        shared.parked.store(true, SeqCst);
        if shared.computing.load(SeqCst) == 0 && !shared.stop.load(SeqCst) {
            thread::park();
        }
        shared.parked.store(false, SeqCst);
        idle = 0;
    }
}

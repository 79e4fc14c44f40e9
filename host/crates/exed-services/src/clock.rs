//! The machine's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use exed_domain::Timestamp;
use exed_domain::ports::Clock;

/// Reads the machine's time of day.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

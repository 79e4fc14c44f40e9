//! How much a plugin may use: what its manifest wishes, what the operator allows, and what results.

use std::time::Duration;

use serde::Deserialize;

/// The limits of one call of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of the instance, in bytes.
    pub memory: u64,
    /// Processor time spent computing. Time parked in a host call does not count.
    pub cpu: Duration,
    /// Wall time of the whole call, host calls included.
    pub wall: Duration,
    /// Bytes of results, log lines and standard output together.
    pub output: u64,
    /// Number of host calls; the pieces of an open transfer do not count.
    pub host_calls: u64,
    /// Bytes passed to the host in steps, in all calls together; the content of transfers does not count.
    pub host_call_bytes: u64,
    /// Resources (transfers, WASI handles) open at once.
    pub handles: u32,
}

const MIB: u64 = 1 << 20;

impl Limits {
    /// What no plugin exceeds unless the operator says so.
    pub const MAXIMA: Self = Self {
        memory: 256 * MIB,
        cpu: Duration::from_secs(60),
        wall: Duration::from_secs(24 * 3600),
        output: 64 * MIB,
        host_calls: 1_000_000,
        host_call_bytes: 1024 * MIB,
        handles: 256,
    };

    /// What a plugin has that wishes nothing.
    pub const DEFAULTS: Self = Self {
        memory: 64 * MIB,
        cpu: Duration::from_secs(10),
        wall: Duration::from_secs(24 * 3600),
        output: 16 * MIB,
        host_calls: 100_000,
        host_call_bytes: 256 * MIB,
        handles: 64,
    };

    /// What a policy has for one question: it is pure, so a few milliseconds of processor time are plenty.
    /// The wall time is only the backstop for a machine that gives the thread no processor.
    pub(crate) fn for_policy(&self) -> Self {
        Self {
            cpu: self.cpu.min(Duration::from_millis(5)),
            wall: self.wall.min(Duration::from_secs(1)),
            output: 0,
            host_calls: 0,
            host_call_bytes: 0,
            handles: 0,
            memory: self.memory,
        }
    }

    /// The smaller of each.
    #[must_use]
    pub fn at_most(&self, other: &Self) -> Self {
        Self {
            memory: self.memory.min(other.memory),
            cpu: self.cpu.min(other.cpu),
            wall: self.wall.min(other.wall),
            output: self.output.min(other.output),
            host_calls: self.host_calls.min(other.host_calls),
            host_call_bytes: self.host_call_bytes.min(other.host_call_bytes),
            handles: self.handles.min(other.handles),
        }
    }
}

/// The `[limits]` of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wishes {
    memory_mib: Option<u32>,
    cpu_ms: Option<u32>,
    wall_ms: Option<u64>,
    output_kib: Option<u32>,
    host_calls: Option<u64>,
    host_call_kib: Option<u32>,
    handles: Option<u32>,
}

impl Wishes {
    /// The limits that result: a wish or the default, and never more than the maxima.
    pub(crate) fn granted(&self, defaults: &Limits, maxima: &Limits) -> Limits {
        let kib = |wish: Option<u32>, default| wish.map_or(default, |value| u64::from(value) * 1024);
        Limits {
            memory: self.memory_mib.map_or(defaults.memory, |value| u64::from(value) * MIB),
            cpu: self.cpu_ms.map_or(defaults.cpu, |value| Duration::from_millis(value.into())),
            wall: self.wall_ms.map_or(defaults.wall, Duration::from_millis),
            output: kib(self.output_kib, defaults.output),
            host_calls: self.host_calls.unwrap_or(defaults.host_calls),
            host_call_bytes: kib(self.host_call_kib, defaults.host_call_bytes),
            handles: self.handles.unwrap_or(defaults.handles),
        }
        .at_most(maxima)
    }
}

/// A limit that was breached. It travels through the guest's stack as an error and ends the call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{limit} limit breached: {detail}")]
pub(crate) struct Breach {
    pub(crate) limit: &'static str,
    pub(crate) detail: String,
}

impl Breach {
    pub(crate) fn new(limit: &'static str, detail: impl Into<String>) -> Self {
        Self { limit, detail: detail.into() }
    }
}

/// Bytes as people read them.
pub(crate) fn size(bytes: u64) -> String {
    if bytes >= MIB && bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else if bytes >= 1024 && bytes.is_multiple_of(1024) {
        format!("{} KiB", bytes / 1024)
    } else {
        format!("{bytes} bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_counts_up_to_the_maximum() {
        let wishes: Wishes = toml::from_str("memory_mib = 100\ncpu_ms = 90000\noutput_kib = 3").unwrap();
        let granted = wishes.granted(&Limits::DEFAULTS, &Limits::MAXIMA);
        assert_eq!(granted.memory, 100 * MIB);
        assert_eq!(granted.cpu, Limits::MAXIMA.cpu);
        assert_eq!(granted.output, 3 * 1024);
        assert_eq!(granted.handles, Limits::DEFAULTS.handles);
    }

    #[test]
    fn sizes_are_readable() {
        assert_eq!(size(64 * MIB), "64 MiB");
        assert_eq!(size(3 * 1024), "3 KiB");
        assert_eq!(size(1500), "1500 bytes");
    }
}

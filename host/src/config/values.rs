//! Values that both formats share, with what is accepted for each.

use std::net::{IpAddr, Ipv4Addr};

use tracing::level_filters::LevelFilter;

/// A listen address. Until requests are authenticated, only this machine may make them.
pub(super) fn listen(text: &str) -> Result<IpAddr, String> {
    let address = match text {
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => text.parse().map_err(|_| {
            format!(
                "{text:?} is not an address; accepted are 127.0.0.1, another loopback address, or localhost"
            )
        })?,
    };
    if address.is_loopback() {
        return Ok(address);
    }
    Err(format!(
        "{address} is not a loopback address, and without authentication exed listens on no other; set \
         127.0.0.1 or ::1, and reach it from other machines through an SSH tunnel or an authenticating proxy"
    ))
}

/// A port. 0 lets the system choose one; the log names it.
pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("{text:?} is not a port; accepted are 0 to 65535"))
}

/// A log level, in the words of Rust or of Python.
pub(super) fn level(text: &str) -> Result<LevelFilter, String> {
    match text.to_ascii_lowercase().as_str() {
        "trace" => Ok(LevelFilter::TRACE),
        "debug" => Ok(LevelFilter::DEBUG),
        "info" => Ok(LevelFilter::INFO),
        "warn" | "warning" => Ok(LevelFilter::WARN),
        "error" | "critical" | "fatal" => Ok(LevelFilter::ERROR),
        _ => Err(format!("{text:?} is not a log level; accepted are trace, debug, info, warning and error")),
    }
}

/// A count of at least `least`.
pub(super) fn at_least(least: u64, value: u64) -> Result<u64, String> {
    if value >= least {
        Ok(value)
    } else {
        Err(format!("{value} is too small; accepted are {least} and more"))
    }
}

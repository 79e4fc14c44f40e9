//! The engine, the guests' own runtime, and the clock that interrupts them.

pub(crate) mod config;
pub(crate) mod guest;
pub(crate) mod ticker;

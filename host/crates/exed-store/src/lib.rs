//! Durable state of exed: adapters of [`exed_domain::ports::JobStore`].
//!
//! The default is [`sqlite`]: one file, one writer that groups commits. Every adapter runs the same
//! conformance suite.

#[cfg(test)]
mod conformance;
pub mod sqlite;

pub use sqlite::{OpenError, SqliteOptions, SqliteStore};

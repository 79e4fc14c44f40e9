//! Wake-ups of exed: adapters of [`exed_domain::ports::Bus`].
//!
//! The store is the truth and the bus only says "look again", so an adapter may lose signals as long as a
//! subscriber that missed some is told so with [`exed_domain::ports::Signal::Missed`]. Every adapter runs
//! the same conformance suite.

#[cfg(test)]
mod conformance;
pub mod in_process;

pub use in_process::InProcessBus;

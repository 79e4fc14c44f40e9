//! A host that answers as a test says, for native tests of plugins.
//!
//! A [`ScriptedHost`] holds the steps it expects, in order, each with its [`Reply`]. It runs an operation
//! as the server would, and returns a [`Transcript`] of everything the plugin did.

pub(crate) mod backend;
mod reply;
mod scripted;

pub use reply::Reply;
pub use scripted::{LogLine, ScriptedHost, Sent, Transcript, Written};

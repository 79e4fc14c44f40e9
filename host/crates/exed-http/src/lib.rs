//! The HTTP façades of exed: EXEd's dialect ([`exed`](self#exed)), the native API under `/api/v1`, and the
//! endpoints of the server itself (`/healthz`, `/readyz`, `/metrics`).
//!
//! A handler extracts, converts, makes one service call and converts back. Each façade owns its wire types
//! and its table from errors to statuses; nothing below this crate knows HTTP. [`router`] builds the
//! service that tests drive in process, [`serve`] puts it on a listener.
//!
//! # EXEd
//! Everything that is odd about the old dialect stands in one file, `exed/quirks.rs`, with its reason.

mod exed;
mod native;
mod options;
mod router;
mod server;
mod shared;
#[cfg(test)]
mod tests;

pub use native::openapi::document as openapi_document;
pub use options::{HttpOptions, ServeOptions};
pub use router::router;
pub use server::{Served, serve};
pub use shared::access::ACCESS_TARGET;

//! A typed client of exed's native API, with its own wire types: what it knows of the server is the
//! OpenAPI document and nothing else. `exectl` is built on it.

mod client;
mod error;
mod follow;
mod sse;
pub mod wire;

pub use client::{Client, HostQuery, JobFilter};
pub use error::ClientError;

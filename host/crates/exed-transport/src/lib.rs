//! How steps reach a host: SSH and the local machine.

pub mod connect;
pub mod local;
pub mod ssh;
pub mod steps;
mod transport;

pub use transport::{HostTransport, TransportOptions};

#[cfg(test)]
mod conformance;

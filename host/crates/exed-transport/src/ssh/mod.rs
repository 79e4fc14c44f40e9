//! Native SSH.
//!
//! - [`SshConnector`] opens channels; `resolve` turns a host into a target from Ansible's connection
//!   variables and OpenSSH's configuration files, `pool` shares the connections to a target, `dial` makes
//!   new ones, `channel` is a running command.
//! - Connections are shared by all channels to the same user, address, port, jump chain and credentials. Up
//!   to eight channels live on one (fewer where the server refuses them); then another connection opens.
//!   One dial per target is under way at a time, and those who wait for it share its outcome.
//! - Jump hosts are connections like any other, whose channels carry tunnels.
//!
//! What is deliberately absent: pseudo-terminals, forwarding of ports or agents, `ProxyCommand`, shells on
//! this machine, compression, SHA-1 signatures.

mod arguments;
mod auth;
mod channel;
mod config;
mod connector;
mod dial;
mod host_keys;
mod keys;
mod known_hosts;
mod link;
mod options;
mod pattern;
mod pool;
mod resolve;
mod settings;
mod target;
mod tunnel;
mod words;

#[cfg(test)]
mod tests;

pub use connector::SshConnector;
pub use options::{HostKeyPolicy, SshOptions};

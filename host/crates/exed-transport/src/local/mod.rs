//! The server's own machine.
//!
//! A [`Connector`] takes a command line as the login shell of a user would get it from sshd, so this one
//! plays both: it starts `/bin/sh -c COMMAND` in a session of its own, with a clean environment, without
//! a terminal, as the server's own user. This is no shell between the server and a tool: the command line
//! is the interface of the transport, its words are quoted by `steps`, and no data of a job is ever
//! interpreted by it. Nothing else in the server starts a shell.

mod channel;
mod environment;

use async_trait::async_trait;
use exed_domain::Host;
use tokio::process::Command;

use crate::connect::{Channel, ConnectError, Connector};

/// Runs commands on the server's own machine.
#[derive(Debug, Default)]
pub struct LocalConnector;

impl LocalConnector {
    /// A connector; it holds nothing.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Connector for LocalConnector {
    async fn open(&self, _host: &Host, command: &str) -> Result<Channel, ConnectError> {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(command);
        environment::prepare(&mut shell);
        channel::start(shell)
    }

    async fn close(&self) {}
}

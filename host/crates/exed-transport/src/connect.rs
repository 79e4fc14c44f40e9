//! What a connection must offer: channels that run one command line each.
//!
//! `ssh` and `local` implement it; `steps` renders typed steps into command lines over it.

use async_trait::async_trait;
use bytes::Bytes;
use exed_domain::Host;
use exed_domain::step::ExitStatus;

/// Why no channel could be opened. The text names the host, the address and the user, and tells the next
/// step (which key, which file, which setting).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConnectError(pub String);

/// The connection was lost while a channel was open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("connection lost: {0}")]
pub struct ChannelLost(pub String);

/// What a channel says next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelEvent {
    /// The command wrote to standard output.
    Stdout(Bytes),
    /// The command wrote to standard error.
    Stderr(Bytes),
    /// The command has ended and all of its output was given; nothing follows.
    Exited(ExitStatus),
    /// The channel ended without telling how the command ended; nothing follows.
    Lost(ChannelLost),
}

/// The sending half of a channel. Dropping it closes the command's standard input.
#[async_trait]
pub trait ChannelInput: Send {
    /// Writes to the command's standard input, waiting while the other side is slower.
    async fn write(&mut self, data: Bytes) -> Result<(), ChannelLost>;
    /// Closes the command's standard input.
    async fn finish(&mut self) -> Result<(), ChannelLost>;
}

/// The receiving half of a channel. Not reading slows the command down. Dropping it closes the channel.
#[async_trait]
pub trait ChannelOutput: Send {
    /// What the channel says next. Cancel-safe.
    async fn next(&mut self) -> ChannelEvent;
}

/// Both halves.
pub struct Channel {
    /// Towards the command.
    pub input: Box<dyn ChannelInput>,
    /// From the command.
    pub output: Box<dyn ChannelOutput>,
}

/// Opens channels, sharing connections as it sees fit.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Runs `command` (interpreted by the login shell of the connection's user) on the host.
    async fn open(&self, host: &Host, command: &str) -> Result<Channel, ConnectError>;
    /// Closes every connection.
    async fn close(&self);
}

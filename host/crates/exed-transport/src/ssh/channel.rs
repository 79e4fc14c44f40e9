//! One command on a connection: the two halves of its channel.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use exed_domain::step::ExitStatus;
use futures_util::FutureExt as _;
use russh::client::Msg;
use russh::{ChannelId, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use tokio::runtime::Handle;

use super::link::{Flow, Link};
use super::pool::Lease;
use crate::connect::{Channel, ChannelEvent, ChannelInput, ChannelLost, ChannelOutput};

/// What both halves need, and what is given back when both are gone.
struct Shared {
    write: ChannelWriteHalf<Msg>,
    flow: Arc<Flow>,
    link: Arc<Link>,
    runtime: Handle,
    _lease: Lease,
}

struct SshInput {
    shared: Arc<Shared>,
    finished: bool,
}

struct SshOutput {
    read: ChannelReadHalf,
    shared: Arc<Shared>,
    status: Option<ExitStatus>,
    end: Option<ChannelEvent>,
}

/// The halves of a channel on which a command was just requested.
pub(super) fn halves(
    channel: russh::Channel<Msg>,
    link: Arc<Link>,
    flow: Arc<Flow>,
    lease: Lease,
) -> Channel {
    let (read, write) = channel.split();
    let shared = Arc::new(Shared { write, flow, link, runtime: Handle::current(), _lease: lease });
    let input = SshInput { shared: Arc::clone(&shared), finished: false };
    Channel { input: Box::new(input), output: Box::new(SshOutput { read, shared, status: None, end: None }) }
}

impl Shared {
    fn id(&self) -> ChannelId {
        self.write.id()
    }

    fn lost(&self) -> ChannelLost {
        ChannelLost(if self.link.ended.is_cancelled() {
            self.link.reason()
        } else {
            "the server closed the channel without telling how the command ended".to_owned()
        })
    }

    /// Waits for a message to be taken by the session, unless the channel ends before.
    async fn send(&self, work: impl Future<Output = Result<(), russh::Error>>) -> Result<(), ChannelLost> {
        tokio::select! {
            biased;
            () = self.flow.ended.cancelled() => Err(self.lost()),
            sent = work => sent.map_err(|_| self.lost()),
        }
    }
}

#[async_trait]
impl ChannelInput for SshInput {
    async fn write(&mut self, data: Bytes) -> Result<(), ChannelLost> {
        self.shared.send(self.shared.write.data_bytes(data)).await
    }

    async fn finish(&mut self) -> Result<(), ChannelLost> {
        if !self.finished {
            self.shared.send(self.shared.write.eof()).await?;
            self.finished = true;
        }
        Ok(())
    }
}

impl Drop for SshInput {
    fn drop(&mut self) {
        if self.finished || self.shared.flow.ended.is_cancelled() {
            return;
        }
        // Usually the session's queue has room and nothing needs to be spawned.
        if self.shared.write.eof().now_or_never().is_none() {
            let shared = Arc::clone(&self.shared);
            self.shared.runtime.spawn(async move { shared.send(shared.write.eof()).await });
        }
    }
}

impl SshOutput {
    fn data(&self, data: Bytes) -> Bytes {
        self.shared.flow.taken(data.len());
        data
    }

    fn finish(&mut self, event: ChannelEvent) -> ChannelEvent {
        self.shared.flow.ended.cancel();
        self.end = Some(event.clone());
        event
    }

    /// What a message means to the reader; `None` for those that mean nothing.
    fn event(&mut self, message: Option<ChannelMsg>) -> Option<ChannelEvent> {
        match message {
            Some(ChannelMsg::Data { data }) => return Some(ChannelEvent::Stdout(self.data(data))),
            Some(ChannelMsg::ExtendedData { data, ext }) => {
                let data = self.data(data);
                return (ext == 1).then_some(ChannelEvent::Stderr(data));
            }
            Some(ChannelMsg::ExitStatus { exit_status }) => {
                self.status = Some(ExitStatus::Code(exit_status.cast_signed()));
            }
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                self.status = Some(ExitStatus::Signal(signal(signal_name)));
            }
            Some(ChannelMsg::Failure) => {
                let text =
                    "the server refused to run a command; the account may be limited (ForceCommand, shell)";
                return Some(self.finish(ChannelEvent::Lost(ChannelLost(text.to_owned()))));
            }
            // The server frees its side only now: the place on the connection is not given back before.
            Some(ChannelMsg::Close) | None => {
                let end = match self.status.take() {
                    Some(status) => ChannelEvent::Exited(status),
                    None => ChannelEvent::Lost(self.shared.lost()),
                };
                return Some(self.finish(end));
            }
            Some(_) => {}
        }
        None
    }
}

#[async_trait]
impl ChannelOutput for SshOutput {
    async fn next(&mut self) -> ChannelEvent {
        if let Some(end) = &self.end {
            return end.clone();
        }
        loop {
            let message = self.read.wait().await;
            if let Some(event) = self.event(message) {
                return event;
            }
        }
    }
}

impl Drop for SshOutput {
    fn drop(&mut self) {
        let ended = self.shared.flow.ended.is_cancelled();
        self.shared.link.forget(self.shared.id());
        if !ended && self.shared.write.close().now_or_never().is_none() {
            let shared = Arc::clone(&self.shared);
            self.shared.runtime.spawn(async move {
                tokio::select! {
                    () = shared.link.ended.cancelled() => {}
                    _sent = shared.write.close() => {}
                }
            });
        }
    }
}

/// The name without `SIG`; OpenSSH appends its domain to those the standard does not name.
fn signal(signal: Sig) -> String {
    let name = match signal {
        Sig::ABRT => "ABRT",
        Sig::ALRM => "ALRM",
        Sig::FPE => "FPE",
        Sig::HUP => "HUP",
        Sig::ILL => "ILL",
        Sig::INT => "INT",
        Sig::KILL => "KILL",
        Sig::PIPE => "PIPE",
        Sig::QUIT => "QUIT",
        Sig::SEGV => "SEGV",
        Sig::TERM => "TERM",
        Sig::USR1 => "USR1",
        Sig::Custom(name) => return name.split('@').next().unwrap_or_default().to_owned(),
    };
    name.to_owned()
}

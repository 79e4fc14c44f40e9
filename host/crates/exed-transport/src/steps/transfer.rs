//! Files of any size over a channel, in constant memory.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use exed_domain::Host;
use exed_domain::ports::Transfer;
use exed_domain::ports::transport::TransferRequest;
use exed_domain::step::{ExitStatus, StepError};
use sha2::{Digest, Sha256};
use tokio_util::task::AbortOnDropHandle;

use super::command::{self, Ended};
use super::escalate::Escalation;
use super::{check, id};
use crate::connect::{ChannelEvent, ChannelInput, ChannelOutput, Connector};

/// Suffix, a space and 64 hexadecimal digits.
const TRAILER: &str = "97";

/// Opens a transfer.
pub(crate) async fn open(
    connector: &dyn Connector,
    host: &Host,
    marks: &str,
    request: &TransferRequest,
) -> Result<Box<dyn Transfer>, StepError> {
    let word = id::nonce().trim_start_matches('\u{1e}').to_owned();
    match request {
        TransferRequest::Upload { path, mode, user } => {
            check::path("path", path)?;
            check::mode(*mode)?;
            check::user(user)?;
            let as_user = Escalation::of(host, user)?;
            let mode = format!("{mode:04o}");
            let text = include_str!("scripts/upload.sh");
            let inner = command::script(text, &[path, &mode, &word, TRAILER]);
            let inner = format!("export {marks}; {inner}");
            let channel = command::open(connector, host, &inner, as_user.as_ref()).await?;
            let reader = AbortOnDropHandle::new(tokio::spawn(command::collect(channel.output)));
            Ok(Box::new(Upload { input: channel.input, reader, hash: Sha256::new(), word }))
        }
        TransferRequest::Download { path, user } => {
            check::path("path", path)?;
            check::user(user)?;
            let as_user = Escalation::of(host, user)?;
            let text = include_str!("scripts/download.sh");
            let inner = format!("export {marks}; {}", command::script(text, &[path, &word]));
            let mut channel = command::open(connector, host, &inner, as_user.as_ref()).await?;
            let _ = channel.input.finish().await;
            Ok(Box::new(Download {
                _input: channel.input,
                output: channel.output,
                hash: Sha256::new(),
                word,
                rest: Bytes::new(),
                said: BytesMut::new(),
                ended: false,
            }))
        }
    }
}

struct Upload {
    input: Box<dyn ChannelInput>,
    /// What the host says, which is nothing until it has ended.
    reader: AbortOnDropHandle<Ended>,
    hash: Sha256,
    word: String,
}

#[async_trait]
impl Transfer for Upload {
    async fn write(&mut self, data: Bytes) -> Result<(), StepError> {
        self.hash.update(&data);
        tokio::select! {
            written = self.input.write(data) => match written {
                Ok(()) => return Ok(()),
                Err(lost) => if !self.reader.is_finished() {
                    tokio::task::yield_now().await;
                    return Err(ended_early(&mut self.reader, Some(lost.to_string())).await);
                },
            },
            ended = &mut self.reader => return Err(failure(ended.ok())),
        }
        Err(ended_early(&mut self.reader, None).await)
    }

    async fn read(&mut self, _max: usize) -> Result<Bytes, StepError> {
        Err(StepError::Invalid("an upload cannot be read from".to_owned()))
    }

    async fn close(mut self: Box<Self>) -> Result<String, StepError> {
        let digest = hex::encode(self.hash.clone().finalize());
        let trailer = Bytes::from(format!("{} {digest}", self.word));
        // If this fails, the host has something to say about it.
        if self.input.write(trailer).await.is_ok() {
            let _ = self.input.finish().await;
        }
        let ended = (&mut self.reader).await.ok();
        match &ended {
            Some(Ended { status: Ok(ExitStatus::Code(0)), stdout, .. }) if stdout.trim_end() == "ok" => {
                Ok(digest)
            }
            Some(_) | None => Err(failure(ended)),
        }
    }
}

/// The channel took no more input: what the host says about it, if it says something soon.
async fn ended_early(reader: &mut AbortOnDropHandle<Ended>, lost: Option<String>) -> StepError {
    match tokio::time::timeout(std::time::Duration::from_secs(5), reader).await {
        Ok(ended) => failure(ended.ok()),
        Err(_) => StepError::Unreachable(lost.unwrap_or_else(|| "the channel was closed".to_owned())),
    }
}

fn failure(ended: Option<Ended>) -> StepError {
    let Some(ended) = ended else {
        return StepError::Failed("the transfer was stopped".to_owned());
    };
    match ended.status {
        Err(lost) => StepError::Unreachable(lost),
        Ok(status) => {
            let said = ended.stderr.trim();
            let said = if said.is_empty() { format!("it ended with {status:?}") } else { said.to_owned() };
            StepError::Failed(format!("the upload failed: {said}"))
        }
    }
}

struct Download {
    _input: Box<dyn ChannelInput>,
    output: Box<dyn ChannelOutput>,
    hash: Sha256,
    word: String,
    rest: Bytes,
    said: BytesMut,
    ended: bool,
}

impl Download {
    fn finish(&mut self, status: &ExitStatus) -> Result<(), StepError> {
        self.ended = true;
        let said = String::from_utf8_lossy(&self.said).into_owned();
        let theirs = said.lines().rev().find_map(|line| line.strip_prefix(self.word.as_str()));
        let Some(theirs) = theirs.filter(|_| status.success()) else {
            let said = said.trim();
            return Err(StepError::Failed(format!("the download failed: {said} ({status:?})")));
        };
        let ours = hex::encode(self.hash.clone().finalize());
        let theirs = theirs.trim();
        if !theirs.is_empty() && theirs != ours {
            return Err(StepError::Failed(format!(
                "the content was damaged on its way, or the file changed while it was read: SHA-256 is {ours} \
                 here and {theirs} there"
            )));
        }
        Ok(())
    }
}

#[async_trait]
impl Transfer for Download {
    async fn write(&mut self, _data: Bytes) -> Result<(), StepError> {
        Err(StepError::Invalid("a download cannot be written to".to_owned()))
    }

    async fn read(&mut self, max: usize) -> Result<Bytes, StepError> {
        while self.rest.is_empty() && !self.ended {
            match self.output.next().await {
                ChannelEvent::Stdout(data) => {
                    self.hash.update(&data);
                    self.rest = data;
                }
                ChannelEvent::Stderr(data) if self.said.len() < 64 * 1024 => {
                    self.said.extend_from_slice(&data);
                }
                ChannelEvent::Stderr(_) => {}
                ChannelEvent::Exited(status) => self.finish(&status)?,
                ChannelEvent::Lost(lost) => {
                    self.ended = true;
                    return Err(StepError::Unreachable(lost.to_string()));
                }
            }
        }
        let size = self.rest.len().min(max);
        Ok(self.rest.split_to(size))
    }

    async fn close(self: Box<Self>) -> Result<String, StepError> {
        Ok(hex::encode(self.hash.finalize()))
    }
}

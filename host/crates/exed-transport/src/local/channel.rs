//! Pipes and the status of one process.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus as ProcessStatus;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use exed_domain::step::ExitStatus;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::connect::{Channel, ChannelEvent, ChannelInput, ChannelLost, ChannelOutput, ConnectError};
use crate::steps::signal;

/// How long output is waited for after the command has ended while something it left behind holds the
/// pipes open.
const GRACE: Duration = Duration::from_secs(2);
const PIECE: usize = 64 * 1024;

/// Starts the command. A task waits for it to the end, whatever becomes of the channel, so that no zombie
/// is left.
pub(super) fn start(mut command: Command) -> Result<Channel, ConnectError> {
    let spawned = command.spawn();
    let mut child = spawned.map_err(|error| {
        ConnectError(format!("/bin/sh could not be started on the server's own machine: {error}"))
    })?;
    let (Some(stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(ConnectError("the pipes of a new process are missing".to_owned()));
    };
    let (ended, status) = oneshot::channel();
    tokio::spawn(async move {
        // Nobody may be interested any more.
        let _ = ended.send(child.wait().await.map_err(|error| error.to_string()));
    });
    let output = Output {
        stdout: Some(stdout),
        stderr: Some(stderr),
        stdout_buffer: BytesMut::new(),
        stderr_buffer: BytesMut::new(),
        status,
        ended: None,
    };
    Ok(Channel { input: Box::new(Input { stdin: Some(stdin) }), output: Box::new(output) })
}

struct Input {
    stdin: Option<ChildStdin>,
}

#[async_trait]
impl ChannelInput for Input {
    async fn write(&mut self, data: Bytes) -> Result<(), ChannelLost> {
        let Some(stdin) = &mut self.stdin else {
            return Err(ChannelLost("standard input is already closed".to_owned()));
        };
        let written = stdin.write_all(&data).await;
        written.map_err(|error| ChannelLost(format!("the command takes no more input: {error}")))
    }

    async fn finish(&mut self) -> Result<(), ChannelLost> {
        self.stdin = None;
        Ok(())
    }
}

type Waited = Result<ProcessStatus, String>;

struct Output {
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    stdout_buffer: BytesMut,
    stderr_buffer: BytesMut,
    status: oneshot::Receiver<Waited>,
    /// How the command ended, and until when its output is waited for.
    ended: Option<(Waited, Instant)>,
}

#[async_trait]
impl ChannelOutput for Output {
    async fn next(&mut self) -> ChannelEvent {
        loop {
            let Some((waited, until)) = &self.ended else {
                tokio::select! {
                    waited = &mut self.status => {
                        let waited = waited.unwrap_or_else(|_| Err("the server is stopping".to_owned()));
                        self.ended = Some((waited, Instant::now() + GRACE));
                    }
                    data = read(&mut self.stdout, &mut self.stdout_buffer) => {
                        if let Some(data) = data { return ChannelEvent::Stdout(data) }
                    }
                    data = read(&mut self.stderr, &mut self.stderr_buffer) => {
                        if let Some(data) = data { return ChannelEvent::Stderr(data) }
                    }
                }
                continue;
            };
            if self.stdout.is_none() && self.stderr.is_none() {
                return last(waited);
            }
            let (stdout, stderr) = (&mut self.stdout, &mut self.stderr);
            let (out, err) = (&mut self.stdout_buffer, &mut self.stderr_buffer);
            let more = timeout_at(*until, async {
                tokio::select! {
                    data = read(stdout, out) => data.map(ChannelEvent::Stdout),
                    data = read(stderr, err) => data.map(ChannelEvent::Stderr),
                }
            });
            match more.await {
                Ok(Some(event)) => return event,
                Ok(None) => {}
                Err(_) => return last(waited),
            }
        }
    }
}

fn last(waited: &Waited) -> ChannelEvent {
    match waited {
        Err(why) => ChannelEvent::Lost(ChannelLost(why.clone())),
        Ok(status) => ChannelEvent::Exited(match (status.code(), status.signal()) {
            (Some(code), _) => ExitStatus::Code(code),
            (None, Some(number)) => ExitStatus::Signal(signal::name(number)),
            (None, None) => ExitStatus::Code(-1),
        }),
    }
}

/// The next bytes; none at the end, which closes the pipe. Never ready again after that.
async fn read<R: AsyncRead + Unpin>(pipe: &mut Option<R>, buffer: &mut BytesMut) -> Option<Bytes> {
    let Some(reader) = pipe else { return std::future::pending().await };
    buffer.reserve(PIECE);
    match reader.read_buf(buffer).await {
        Ok(0) | Err(_) => {
            *pipe = None;
            None
        }
        Ok(_) => Some(buffer.split().freeze()),
    }
}

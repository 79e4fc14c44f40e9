//! What is kept of a step's output, and what is handed on while it runs.

use std::sync::Arc;

use bytes::Bytes;
use exed_domain::ports::OutputSink;
use exed_domain::step::{ExitStatus, OutputStream, StepOutput};

/// One stream of one step.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    /// Bytes seen since the stream, or its repetition, began.
    seen: u64,
    /// Bytes handed on; a repetition does not hand them on again.
    handed: u64,
    dropped: u64,
}

/// Both streams of one step.
pub(crate) struct Capture {
    index: usize,
    limit: u64,
    live: Option<Arc<dyn OutputSink>>,
    stdout: Kept,
    stderr: Kept,
}

impl Capture {
    /// Keeps `limit` bytes of each stream; what is kept is handed to `live` as it comes.
    pub(crate) fn new(index: usize, limit: u64, live: Option<Arc<dyn OutputSink>>) -> Self {
        Self { index, limit, live, stdout: Kept::default(), stderr: Kept::default() }
    }

    /// Takes output.
    pub(crate) async fn push(&mut self, stream: OutputStream, data: Bytes) {
        let limit = self.limit;
        let kept = self.stream(stream);
        let room = usize::try_from(limit.saturating_sub(kept.seen)).unwrap_or(usize::MAX);
        let fits = data.slice(..data.len().min(room));
        let start = kept.seen;
        kept.seen = kept.seen.saturating_add(data.len() as u64);
        kept.dropped = kept.dropped.saturating_add((data.len() - fits.len()) as u64);
        kept.bytes.extend_from_slice(&fits);
        let known = usize::try_from(kept.handed.saturating_sub(start)).unwrap_or(usize::MAX);
        let fresh = fits.slice(fits.len().min(known)..);
        kept.handed = kept.handed.max(start.saturating_add(fits.len() as u64));
        if let (Some(sink), false) = (&self.live, fresh.is_empty()) {
            sink.chunk(self.index, stream, fresh).await;
        }
    }

    /// The stream is given once more from its beginning.
    pub(crate) fn repeat(&mut self, stream: OutputStream) {
        let kept = self.stream(stream);
        kept.bytes.clear();
        kept.seen = 0;
        kept.dropped = 0;
    }

    /// Standard error so far, as text for a message.
    pub(crate) fn complaint(&self) -> String {
        String::from_utf8_lossy(&self.stderr.bytes).trim().chars().take(500).collect()
    }

    /// The result; `dropped` is what the host has dropped itself.
    pub(crate) fn finish(&mut self, status: ExitStatus, dropped: u64, resumed: bool) -> StepOutput {
        StepOutput {
            status,
            stdout: std::mem::take(&mut self.stdout.bytes).into(),
            stderr: std::mem::take(&mut self.stderr.bytes).into(),
            dropped: dropped.saturating_add(self.stdout.dropped).saturating_add(self.stderr.dropped),
            answer: None,
            resumed,
        }
    }

    fn stream(&mut self, stream: OutputStream) -> &mut Kept {
        match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        }
    }
}

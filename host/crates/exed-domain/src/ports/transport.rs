//! How steps reach a host.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::host::Host;
use crate::ids::{FencingToken, HostName, JobId};
use crate::step::{Become, OutputStream, Step, StepError, StepOutput};

/// Names one run: a job on a host, under one claim. Every remote process of the run is marked with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunKey {
    /// The job.
    pub job: JobId,
    /// The host.
    pub host: HostName,
    /// The claim; the host refuses an older one than the newest it has seen of this job.
    pub token: FencingToken,
}

/// Receives output while a step runs.
#[async_trait]
pub trait OutputSink: Send + Sync {
    /// Some bytes of the step at `index` of the batch. Waiting here slows the remote process down.
    async fn chunk(&self, index: usize, stream: OutputStream, data: Bytes);
}

/// What ending a run has ended.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TerminateReport {
    /// `pid command` of every process that was ended, sorted by pid.
    pub ended: Vec<String>,
    /// `pid command` of those that did not go, with the reason.
    pub remaining: Vec<String>,
}

/// A transfer to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferRequest {
    /// From the server to the host: written to a temporary name beside the destination and renamed when
    /// it is closed; dropped before that, nothing is left.
    Upload {
        /// Absolute path.
        path: String,
        /// Permission bits.
        mode: u32,
        /// As whom.
        user: Become,
    },
    /// From the host to the server.
    Download {
        /// Absolute path.
        path: String,
        /// As whom.
        user: Become,
    },
}

/// An open transfer, in constant memory on both sides.
#[async_trait]
pub trait Transfer: Send {
    /// Uploads: takes some bytes, waiting while the host is slower.
    async fn write(&mut self, data: Bytes) -> Result<(), StepError>;
    /// Downloads: the next bytes, at most `max`; empty at the end.
    async fn read(&mut self, max: usize) -> Result<Bytes, StepError>;
    /// Ends the transfer: an upload is complete and in place when this returns, with the SHA-256 of what
    /// was transferred, lower-case hex.
    async fn close(self: Box<Self>) -> Result<String, StepError>;
}

/// Carries steps to hosts. The implementation chooses the connection by the host's variables.
#[async_trait]
pub trait StepTransport: Send + Sync {
    /// Runs a batch in one round trip. One result per step; after a step that did not run, or ended
    /// otherwise than with code 0, the rest is [`StepError::Failed`] "not run" unless `keep_going`.
    /// Dropping the future stops reading but does not end the remote processes: call
    /// [`StepTransport::terminate`] for that.
    async fn run(
        &self,
        host: &Host,
        key: &RunKey,
        steps: &[Step],
        keep_going: bool,
        sink: Arc<dyn OutputSink>,
    ) -> Vec<Result<StepOutput, StepError>>;
    /// Opens a transfer.
    async fn transfer(
        &self,
        host: &Host,
        key: &RunKey,
        request: TransferRequest,
    ) -> Result<Box<dyn Transfer>, StepError>;
    /// Ends every process of the run on the host: by session, and by mark for those that left it.
    async fn terminate(&self, host: &Host, key: &RunKey) -> Result<TerminateReport, StepError>;
    /// Closes idle connections and stops accepting work.
    async fn close(&self);
}

//! Files of any size, in constant memory.

use crate::backend;
use crate::output::StepError;

/// A file being written. Dropped before [`close`](Self::close), it leaves nothing on the host.
#[derive(Debug)]
pub struct Upload(pub(crate) backend::Upload);

impl Upload {
    /// Adds bytes, waiting while the host is slower.
    ///
    /// # Errors
    /// Why they could not be written.
    pub fn write(&mut self, data: &[u8]) -> Result<(), StepError> {
        self.0.write(data)
    }

    /// Puts the file into its place and returns the SHA-256 of its content, lower-case hex.
    ///
    /// # Errors
    /// Why it could not be put there.
    pub fn close(self) -> Result<String, StepError> {
        self.0.close()
    }
}

/// A file being read.
#[derive(Debug)]
pub struct Download(pub(crate) backend::Download);

impl Download {
    /// The next bytes, at most `max` and at most 1 MiB; empty at the end.
    ///
    /// # Errors
    /// Why they could not be read.
    pub fn read(&mut self, max: u32) -> Result<Vec<u8>, StepError> {
        self.0.read(max)
    }
}

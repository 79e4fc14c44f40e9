//! A log file that survives rotation: when it was moved, removed or replaced, the next line opens it anew.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a rotation may go unnoticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// An open log file.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    looked: Instant,
}

impl LogFile {
    pub(super) fn open(path: &Path) -> io::Result<Arc<Self>> {
        let open = Mutex::new(Open { file: append_to(path)?, looked: Instant::now() });
        Ok(Arc::new(Self { path: path.to_owned(), open }))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the path anew. When that fails, the old file goes on being written.
    pub(super) fn reopen(&self) -> io::Result<()> {
        let file = append_to(&self.path)?;
        self.lock().file = file;
        Ok(())
    }

    fn write(&self, line: &[u8], look_every: Duration) -> io::Result<()> {
        let mut open = self.lock();
        if open.looked.elapsed() >= look_every {
            open.looked = Instant::now();
            // Better a line in the old file than none.
            if let (false, Ok(file)) = (is_at(&open.file, &self.path), append_to(&self.path)) {
                open.file = file;
            }
        }
        open.file.write_all(line)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Logs may name hosts and commands: they are for their owner and group.
fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o640).open(path)
}

/// Whether the open file is still the one of that name.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

/// Writes whole lines, as `tracing` hands them over.
pub(super) struct Writer(pub(super) Arc<LogFile>);

impl Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line, LOOK_EVERY).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_or_removed_file_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("error.log"), folder.path().join("error.log.1"));
        let log = LogFile::open(&path).unwrap();
        log.write(b"one\n", Duration::ZERO).unwrap();
        std::fs::rename(&path, &moved).unwrap();
        log.write(b"two\n", Duration::ZERO).unwrap();
        assert_eq!(std::fs::read_to_string(&moved).unwrap(), "one\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two\n");
        std::fs::remove_file(&path).unwrap();
        log.write(b"three\n", Duration::ZERO).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
    }

    #[test]
    fn reopening_on_demand_does_not_wait() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        let log = LogFile::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        log.reopen().unwrap();
        log.write(b"line\n", LOOK_EVERY).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "line\n");
    }
}

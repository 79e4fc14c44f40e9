//! The pid file: tells others which process this is, and a second server that there is one.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, test_kill_process};

/// A pid file of this process. Dropping it removes the file, unless it has become another's.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes the file. One that a process which is gone has left is replaced.
    ///
    /// # Errors
    /// When a server with this file runs, or the file cannot be written.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        if let Some(pid) = read(path)? {
            if is_running(pid) {
                bail!(
                    "an exed server runs already as process {} (pid file {}); stop it, or give this one \
                     another pid_file and data folder",
                    pid.as_raw_nonzero(),
                    path.display()
                );
            }
            tracing::info!(path = %path.display(), pid = pid.as_raw_nonzero(), "replacing a stale pid file");
        }
        write(path).with_context(|| {
            format!("the pid file {} cannot be written; check its folder, or set pid_file", path.display())
        })?;
        Ok(Self { path: path.to_owned() })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if read(&self.path).ok().flatten() != Some(rustix::process::getpid()) {
            return;
        }
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the pid file is left");
        }
    }
}

/// The process that a pid file names; none when there is no file, or none that names a process.
fn read(path: &Path) -> anyhow::Result<Option<Pid>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("the pid file {} cannot be read", path.display()));
        }
    };
    Ok(text.trim().parse().ok().and_then(Pid::from_raw))
}

/// Written beside the file and renamed, so that nobody reads half a number.
fn write(path: &Path) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut file = fs::File::create(&beside)?;
    writeln!(file, "{}", std::process::id())?;
    drop(file);
    fs::rename(&beside, path)
}

/// Whether the process exists and runs the same program as this one: numbers are used again.
fn is_running(pid: Pid) -> bool {
    if pid == rustix::process::getpid() || test_kill_process(pid).is_err() {
        return false;
    }
    let name_of = |process: &str| fs::read_to_string(format!("/proc/{process}/comm"));
    match (name_of(&pid.as_raw_nonzero().to_string()), name_of("self")) {
        (Ok(theirs), Ok(ours)) => theirs == ours,
        // Without /proc a process that exists is taken for a server.
        (Err(_), _) | (_, Err(_)) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("exed.pid");
        let file = PidFile::create(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the file beside it is left");
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_one_is_replaced_and_anothers_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("exed.pid");
        let mut gone = std::process::Command::new("true").spawn().unwrap();
        gone.wait().unwrap();
        fs::write(&path, gone.id().to_string()).unwrap();
        let file = PidFile::create(&path).unwrap();
        fs::write(&path, "1\n").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
        // Process 1 runs, but it is no exed.
        drop(PidFile::create(&path).unwrap());
    }
}

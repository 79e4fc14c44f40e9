//! Processes that a run has left behind.

use std::fs;

use anyhow::Context as _;

/// The variable that marks every process of a run, in its environment: `JOB.HOST`, the host as a digest.
const MARK: &[u8] = b"EXED_RUN=";

/// As much of a command line as helps to recognise it.
const COMMAND_AT_MOST: usize = 120;

/// A process that carries the mark of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkedProcess {
    /// Its id, as this process knows it.
    pub pid: String,
    /// The job of the run.
    pub job: String,
    /// The beginning of its command line.
    pub command: String,
}

/// Every marked process on this machine, of whatever server. The processes of a fleet's hosts are among
/// them, because their pid namespaces lie below this one.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn marked_processes() -> anyhow::Result<Vec<MarkedProcess>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("reading /proc")? {
        let path = entry.context("reading /proc")?.path();
        // A process that ends in between, or belongs to another user, is not ours to report.
        let Ok(environment) = fs::read(path.join("environ")) else { continue };
        let mark = environment.split(|byte| *byte == 0).find_map(|variable| variable.strip_prefix(MARK));
        if let Some(mark) = mark {
            let mark = String::from_utf8_lossy(mark);
            let command = fs::read(path.join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            found.push(MarkedProcess {
                pid: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                job: mark.split('.').next().unwrap_or_default().to_owned(),
                command: command.trim_end().chars().take(COMMAND_AT_MOST).collect(),
            });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_process_is_found() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .env("EXED_RUN", "leftovers-test.1")
            .spawn()
            .unwrap();
        let expected = MarkedProcess {
            pid: child.id().to_string(),
            job: "leftovers-test".to_owned(),
            command: "sleep 60".to_owned(),
        };
        // The child has this command line only once it has become `sleep`.
        let seen =
            crate::process::wait_until("the marked process", std::time::Duration::from_secs(5), || {
                marked_processes().is_ok_and(|found| found.contains(&expected))
            });
        child.kill().unwrap();
        child.wait().unwrap();
        seen.unwrap();
    }
}

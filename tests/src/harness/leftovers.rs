//! Processes that a run has left behind.

use std::fs;

use anyhow::Context as _;

/// The variable that marks every process of a run, in its environment.
const MARK: &[u8] = b"EXED_RUN=";

/// `pid command` of every process on this machine that carries the mark of a run. The processes of a
/// fleet's hosts are among them, because their pid namespaces lie below this one.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn marked_processes() -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("reading /proc")? {
        let path = entry.context("reading /proc")?.path();
        // A process that ends in between, or belongs to another user, is not ours to report.
        let Ok(environment) = fs::read(path.join("environ")) else { continue };
        if environment.split(|byte| *byte == 0).any(|variable| variable.starts_with(MARK)) {
            let command = fs::read(path.join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            let pid = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            found.push(format!("{pid} {}", command.trim_end()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_process_is_found() {
        let mut child =
            std::process::Command::new("sleep").arg("60").env("EXED_RUN", "leftovers-test").spawn().unwrap();
        let expected = format!("{} sleep 60", child.id());
        let found = marked_processes().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.contains(&expected), "{found:?}");
    }
}

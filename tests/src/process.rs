//! Running the tools that the test machinery stands on.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// Runs a program to its end and returns its standard output.
///
/// # Errors
/// When it cannot be started, or ends otherwise than with code 0: the error carries what it wrote to its
/// standard error.
pub fn run<I, S>(program: &str, args: I) -> anyhow::Result<String>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    let output = command.output().with_context(|| format!("starting {program}"))?;
    checked(program, &output)
}

/// The standard output of a program that must have succeeded.
///
/// # Errors
/// When it has not.
pub fn checked(program: &str, output: &Output) -> anyhow::Result<String> {
    if !output.status.success() {
        bail!("{program} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Fails with one sentence that names the Debian packages of all tools that are missing.
///
/// # Errors
/// When one is missing.
pub fn require_tools(tools: &[(&str, &str)]) -> anyhow::Result<()> {
    let missing: Vec<_> = tools.iter().filter(|(tool, _)| which(tool).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|(tool, _)| *tool).collect();
    let mut packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    bail!("not installed: {}; on Debian: apt-get install {}", names.join(", "), packages.join(" "))
}

/// Where a program is, on the search path or in the folders of the system's administration tools.
#[must_use]
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Waits until the condition holds, looking every 10 ms.
///
/// # Errors
/// When it does not hold within the time: the error says what was waited for.
pub fn wait_until(what: &str, within: Duration, mut condition: impl FnMut() -> bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + within;
    while !condition() {
        if Instant::now() >= deadline {
            bail!("waited {} s for {what}", within.as_secs());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// The folder of the workspace's build results: `CARGO_TARGET_DIR`, or `target` in the workspace.
#[must_use]
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => workspace_dir().join("target"),
    }
}

/// The root of the workspace that this was built from.
#[must_use]
pub fn workspace_dir() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

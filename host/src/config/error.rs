//! Why a configuration was refused.

use std::path::{Path, PathBuf};

/// A mistake in a configuration file, in one sentence that names where it stands and what is accepted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {problem}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub(crate) struct ConfigError {
    path: PathBuf,
    line: Option<usize>,
    problem: String,
}

impl ConfigError {
    pub(super) fn new(path: &Path, line: Option<usize>, problem: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, problem: problem.into() }
    }
}

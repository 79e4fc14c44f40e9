//! What a load found wrong.

use std::fmt;
use std::path::{Path, PathBuf};

/// One mistake in an inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// The file or folder.
    pub path: PathBuf,
    /// The line, from 1, where the mistake has one.
    pub line: Option<usize>,
    /// What is wrong and what is accepted, as a sentence without a full stop.
    pub problem: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.problem)
    }
}

impl std::error::Error for LoadError {}

/// Gathers the errors and warnings of one load.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) errors: Vec<LoadError>,
    pub(crate) warnings: Vec<String>,
}

/// One file's view of a [`Report`].
pub(crate) struct FileReport<'a> {
    pub(crate) path: &'a Path,
    report: &'a mut Report,
}

impl Report {
    pub(crate) fn of_file<'a>(&'a mut self, path: &'a Path) -> FileReport<'a> {
        FileReport { path, report: self }
    }

    pub(crate) fn error(&mut self, path: &Path, problem: impl Into<String>) {
        self.errors.push(LoadError { path: path.to_owned(), line: None, problem: problem.into() });
    }
}

impl FileReport<'_> {
    pub(crate) fn error(&mut self, line: usize, problem: impl Into<String>) {
        let error = LoadError { path: self.path.to_owned(), line: Some(line), problem: problem.into() };
        self.report.errors.push(error);
    }

    pub(crate) fn warning(&mut self, line: usize, text: impl fmt::Display) {
        self.report.warnings.push(format!("{}:{line}: {text}", self.path.display()));
    }
}

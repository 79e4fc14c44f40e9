//! The command line of the benchmark; `cargo xtask bench` passes it on.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures exed beside OpenSSH, asyncssh, bare wasmtime and bare SQLite.
#[derive(Clone, Debug, Parser)]
pub(crate) struct Options {
    /// How many hosts, smallest first.
    #[arg(long, value_delimiter = ',', default_value = "10,25,50")]
    pub(crate) sizes: Vec<usize>,
    /// How often each measurement is repeated; the median is told.
    #[arg(long, default_value_t = 7)]
    pub(crate) rounds: usize,
    /// Write every figure into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// A Python that has asyncssh, for the comparison with a bare client.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) python: Option<PathBuf>,
    /// Measure only this.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<Part>,
    /// The folder of the finished components.
    #[arg(long, value_name = "FOLDER")]
    components: Option<PathBuf>,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What can be measured alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Jobs on real hosts.
    Fleet,
    /// Plugins against bare wasmtime.
    Overhead,
    /// Submissions against bare SQLite.
    Submit,
}

impl Options {
    /// Whether a part is wanted.
    pub(crate) fn does(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// The folder of the finished components: as given, or where `cargo xtask build` puts them.
    pub(crate) fn components(&self) -> PathBuf {
        self.components.clone().unwrap_or_else(|| tests::process::target_dir().join("components"))
    }
}

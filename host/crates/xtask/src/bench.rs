//! `cargo xtask bench`: exed beside OpenSSH, asyncssh, bare wasmtime and bare SQLite, on hosts of its own.

use std::path::PathBuf;

use anyhow::Context;

use crate::workspace::Workspace;
use crate::{build, command, packages};

/// Debian packages of the programs that the benchmark runs.
const PACKAGES: &[&str] =
    &["ca-certificates", "iproute2", "mmdebstrap", "openssh-client", "openssh-server", "util-linux"];

/// Options of `bench`.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// Sizes of the fleet.
    #[arg(long, value_name = "HOSTS", value_delimiter = ',', default_value = "10,25,50")]
    sizes: Vec<usize>,
    /// How often each measurement is repeated; the median is told.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Where the figures are written as JSON; `bench.json` in the target directory if absent.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A Python that has asyncssh (`pip install asyncssh`), to compare with a bare client as well.
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    /// Measure only `fleet`, `overhead` or `submit`.
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<String>,
    /// Install missing system packages without asking.
    #[arg(long, short)]
    yes: bool,
}

/// Builds everything optimized and measures.
///
/// # Errors
/// When a package is missing and cannot be installed, when something does not build, or when a measured
/// call fails: a benchmark of failures would be worth nothing.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    packages::ensure(PACKAGES, "measure on real SSH servers", options.yes)?;
    let workspace = Workspace::find()?;
    let release = build::Options { release: true, yes: options.yes, ..build::Options::default() };
    let binaries = build::run(&release)?.binaries.context("the build has left no binaries")?;
    let here = std::env::current_dir().context("asking for the current folder")?;
    let json = match &options.json {
        Some(file) => here.join(file),
        None => workspace.target.join("bench.json"),
    };
    let sizes: Vec<String> = options.sizes.iter().map(usize::to_string).collect();
    let mut cargo = command::cargo();
    // Together with the server, so that both are built with the same features and share what they depend on.
    let packages = ["bench", "--package", "exed", "--package", "tests", "--bench", "exed", "--"];
    cargo.current_dir(&workspace.root).args(packages);
    cargo.args(["--sizes", &sizes.join(","), "--rounds", &options.rounds.to_string()]);
    cargo.arg("--json").arg(json).arg("--components").arg(workspace.components());
    if let Some(python) = &options.python {
        // A name is looked up on the search path; what has a slash belongs to the current folder.
        let named = python.components().count() == 1;
        cargo.arg("--python").arg(if named { python.clone() } else { here.join(python) });
    }
    if !options.only.is_empty() {
        cargo.args(["--only", &options.only.join(",")]);
    }
    command::run(cargo.env("EXED_BIN", binaries.join("exed")))
}

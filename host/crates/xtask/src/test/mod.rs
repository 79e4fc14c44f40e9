//! `cargo xtask test`: sets up what is missing and passes everything that has to pass.

mod tally;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::workspace::Workspace;
use crate::{build, command, packages};
use tally::Tally;

/// Debian packages of the programs that the tests run for real.
const PACKAGES: &[&str] =
    &["ca-certificates", "iproute2", "mmdebstrap", "openssh-client", "openssh-server", "sudo", "util-linux"];

/// Options of `test`.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// Install missing system packages without asking.
    #[arg(long, short)]
    yes: bool,
    /// Only the tests whose name contains this.
    #[arg(value_name = "NAME")]
    filter: Option<String>,
}

/// Runs every check and every test, and closes with `N passed, N failed`.
///
/// # Errors
/// When a package is missing and cannot be installed, when something does not build, or when anything
/// failed; the closing line is printed all the same.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    packages::ensure(PACKAGES, "run the tests against real servers", options.yes)?;
    let workspace = Workspace::find()?;
    let mut tally = Tally::default();
    if options.filter.is_none() {
        check(&mut tally, &workspace, "format", &["fmt", "--all", "--check"]);
    }
    println!("\n== build: plugins, binaries and tests");
    build::run(&build::Options { yes: options.yes, guests_only: true, ..build::Options::default() })?;
    // One selection of packages for everything that follows: another one would have other features, and
    // would compile most dependencies a second time.
    let mut cargo = command::cargo();
    command::run(cargo.current_dir(&workspace.root).args(["build", "--workspace", "--all-targets"]))?;
    if options.filter.is_none() {
        let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
        check(&mut tally, &workspace, "clippy", &clippy);
    }
    println!("\n== tests: unit, conformance, architecture, end-to-end");
    tests(&mut tally, &workspace, options.filter.as_deref())?;
    println!("\n{tally}");
    if tally.failed > 0 {
        bail!("{} failed; the output above tells where", tally.failed);
    }
    Ok(())
}

/// A check that passes or fails as a whole.
fn check(tally: &mut Tally, workspace: &Workspace, name: &str, arguments: &[&str]) {
    println!("\n== {name}: cargo {}", arguments.join(" "));
    let mut cargo = command::cargo();
    match command::run(cargo.current_dir(&workspace.root).args(arguments)) {
        Ok(()) => tally.passed += 1,
        Err(error) => {
            println!("{error:#}");
            println!("(a missing component comes with `rustup component add rustfmt clippy`)");
            tally.failed += 1;
        }
    }
}

/// All tests of the workspace, the plugins' native unit tests included.
fn tests(tally: &mut Tally, workspace: &Workspace, filter: Option<&str>) -> anyhow::Result<()> {
    let binaries = workspace.target.join("debug");
    let mut cargo = command::cargo();
    cargo.current_dir(&workspace.root).args(["test", "--workspace", "--no-fail-fast"]);
    cargo.args(filter).env("EXED_BIN", binaries.join("exed")).env("EXECTL_BIN", binaries.join("exectl"));
    let succeeded = watch(&mut cargo, |line| tally.line(line))?;
    if !succeeded && tally.failed == 0 {
        // A test binary that was killed prints no result line.
        tally.failed += 1;
    }
    Ok(())
}

/// Runs a program, shows its output as it comes, and hands each line on.
fn watch(program: &mut Command, mut each: impl FnMut(&str)) -> anyhow::Result<bool> {
    let mut child = program.stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let output = child.stdout.take().context("cargo has no output")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("reading the output of cargo")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        each(&line);
    }
    Ok(child.wait()?.success())
}

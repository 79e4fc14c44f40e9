//! The command line. A new command is a variant here and a module with `Options` and `run`.

use clap::{Parser, Subcommand};

use crate::{bench, build, demo, test};

/// The developer's commands of exed.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure exed beside OpenSSH, asyncssh, bare wasmtime and bare SQLite.
    Bench(bench::Options),
    /// Build the plugins and the binaries that carry them.
    Build(build::Options),
    /// Show everything at work on throwaway hosts; Ctrl-C cleans up.
    Demo(demo::Options),
    /// Set up what is missing and pass every check and test.
    Test(test::Options),
}

impl Cli {
    /// Carries the command out.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Bench(options) => bench::run(&options),
            Command::Build(options) => build::run(&options).map(drop),
            Command::Demo(options) => demo::run(&options),
            Command::Test(options) => test::run(&options),
        }
    }
}

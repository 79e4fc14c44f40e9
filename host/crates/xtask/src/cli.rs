//! The command line. A new command is a variant here and a module with `Options` and `run`.

use clap::{Parser, Subcommand};

use crate::build;

/// The developer's commands of exed.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build the plugins and the binaries that carry them.
    Build(build::Options),
}

impl Cli {
    /// Carries the command out.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Build(options) => build::run(&options).map(drop),
        }
    }
}

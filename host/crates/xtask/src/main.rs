//! The developer's commands: `cargo xtask <command>`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the output of a command-line tool")]

mod bench;
mod build;
mod cli;
mod command;
mod demo;
mod packages;
mod test;
mod toolchain;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

//! The command line: arguments in, one or a few calls, tables or JSON out.

mod args;
mod commands;
mod follow;
mod interrupt;
mod output;
mod tables;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use exed_client::Client;

use args::{Arguments, Command};
use output::Output;

/// Everything was done as asked.
const DONE: u8 = 0;
/// The job did not succeed on every host.
const NOT_DONE: u8 = 1;
/// It could not be asked: wrong arguments, no server, a refusal.
const NOT_ASKED: u8 = 2;

/// Runs the command line of this process.
pub(crate) async fn run() -> ExitCode {
    // Wrong arguments end the process here, with code 2 and clap's explanation.
    let arguments = Arguments::parse();
    let output = Output::new(arguments.json);
    match execute(arguments, &output).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output.problem(&format!("{error:#}"));
            ExitCode::from(NOT_ASKED)
        }
    }
}

async fn execute(arguments: Arguments, output: &Output) -> anyhow::Result<u8> {
    if let Command::Completion { shell } = arguments.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "exectl", &mut script);
        output.text(&String::from_utf8_lossy(&script));
        return Ok(DONE);
    }
    let client = Client::new(&arguments.server)?;
    commands::execute(&client, arguments.command, output).await
}

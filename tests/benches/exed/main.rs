//! `cargo xtask bench`: exed beside what people use instead, on real hosts, in one run.
//!
//! A figure alone says more about the machine than about the program, so everything is measured next to a
//! baseline, round by round in turn, and told as a ratio of medians with the processor time beside it.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

mod asyncssh;
mod bare;
mod clock;
mod fleet;
mod idle;
mod openssh;
mod options;
mod overhead;
mod report;
mod server;
mod submit;

use clap::Parser as _;

use options::{Options, Part};
use report::Report;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut report = Report::default();
    Report::heading();
    if options.does(Part::Fleet) {
        fleet::measure(&options, &mut report)?;
    }
    if options.does(Part::Overhead) {
        overhead::measure(&options, &runtime, &mut report)?;
    }
    if options.does(Part::Submit) {
        runtime.block_on(submit::measure(&mut report))?;
    }
    if let Some(file) = &options.json {
        report.write(file)?;
        println!("\nWritten: {}", file.display());
    }
    Ok(())
}

//! The exed server: the composition root. It reads the configuration, wires the adapters to the services
//! and the services to the façades, and ends them in order.

mod app;
mod cli;
mod config;
mod daemonize;
mod embedded;
mod pidfile;
mod reload;
mod shutdown;
mod telemetry;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

use cli::Cli;
use config::Config;
use daemonize::Readiness;
use telemetry::Telemetry;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match start(&cli) {
        Ok(code) => code,
        Err(error) => {
            // The log may not exist yet, or may be the cause; whoever started this reads standard error.
            let _ = writeln!(std::io::stderr(), "exed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(cli: &Cli) -> anyhow::Result<ExitCode> {
    let config = Config::load(cli.conf.as_deref())?;
    if cli.daemon && !cli.daemon_child {
        return daemonize::in_background(&config);
    }
    let readiness = if cli.daemon_child { daemonize::detach()? } else { Readiness::foreground() };
    let telemetry = Telemetry::start(&config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("exed")
        .build()
        .context("starting the runtime")?;
    let ended = runtime.block_on(app::run(config, telemetry, readiness));
    // What still blocks on a file must not hold the process back: everything that matters has ended.
    runtime.shutdown_background();
    ended.map(|()| ExitCode::SUCCESS)
}

//! `cargo xtask demo`: sets everything up, shows it at work, and leaves nothing behind.

mod hosts;
mod newer;
mod screen;
mod server;
mod show;
mod stop;
mod tools;
mod upgrade;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::build::{self, Built};
use hosts::Hosts;
use screen::Screen;
use server::Server;
use stop::Stop;
use tools::Tools;

/// Options of `demo`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// End after the show instead of staying in the foreground.
    #[arg(long)]
    once: bool,
    /// Install missing system packages without asking.
    #[arg(long, short)]
    yes: bool,
    /// How many hosts.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=50))]
    hosts: u8,
}

/// How often something that takes long says that it goes on.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// Shows everything once, then stays until Ctrl-C unless it is told not to.
///
/// # Errors
/// What could not be set up, or which step did not do what it should; everything is taken down first.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let screen = Screen::new();
    screen.heading("Setting up");
    hosts::ensure_packages(options.yes)?;
    let built = build::run(&build::Options { yes: options.yes, ..build::Options::default() })?;
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(with_hosts(options, screen, &built))
}

async fn with_hosts(options: &Options, screen: Screen, built: &Built) -> anyhow::Result<()> {
    let stop = Stop::listen()?;
    let begun = Instant::now();
    let hosts = start_hosts(options.hosts.into()).await?;
    screen.done("the hosts are up", begun.elapsed());
    let outcome = with_server(options, screen, built, &hosts, stop).await;
    let begun = Instant::now();
    let ended = hosts.stop().context("taking the hosts down");
    first_error(outcome, ended)?;
    screen.done("everything is taken down", begun.elapsed());
    Ok(())
}

/// A wish to stop waits until they are up, because only then everything of them can be taken down.
async fn start_hosts(count: usize) -> anyhow::Result<Hosts> {
    let begun = Instant::now();
    let mut starting = tokio::task::spawn_blocking(move || Hosts::start(count));
    loop {
        match tokio::time::timeout(SIGN_OF_LIFE, &mut starting).await {
            Ok(started) => return started.context("starting the hosts")?.context("starting the hosts"),
            Err(_not_yet) => println!("… the hosts are being made ({} s)", begun.elapsed().as_secs()),
        }
    }
}

async fn with_server(
    options: &Options,
    screen: Screen,
    built: &Built,
    hosts: &Hosts,
    mut stop: Stop,
) -> anyhow::Result<()> {
    if stop.is_asked() {
        bail!("interrupted");
    }
    let binaries = built.binaries.as_deref().context("the build has left no binaries")?;
    let program = binaries.join("exed");
    let begun = Instant::now();
    let server = tokio::select! {
        server = Server::start(&program, hosts) => server?,
        () = stop.asked() => bail!("interrupted"),
    };
    screen.done(&format!("exed answers at {}", server.url()), begun.elapsed());
    let shown = tokio::select! {
        shown = show(screen, built, binaries, hosts, &server) => shown,
        () = stop.asked() => Err(anyhow::anyhow!("interrupted")),
    };
    if shown.is_ok() && !options.once {
        stay(screen, &server, hosts, binaries, &mut stop).await;
    }
    screen.heading("Cleaning up");
    let ended = server.stop().await.context("taking the server down");
    first_error(shown, ended)
}

/// What went wrong first matters more; the other one is told.
fn first_error(first: anyhow::Result<()>, second: anyhow::Result<()>) -> anyhow::Result<()> {
    match (first, second) {
        (Err(first), Err(second)) => {
            println!("{second:#}");
            Err(first)
        }
        (first, second) => first.and(second),
    }
}

async fn show(
    screen: Screen,
    built: &Built,
    binaries: &Path,
    hosts: &Hosts,
    server: &Server,
) -> anyhow::Result<()> {
    let tools = Tools { screen, exectl: binaries.join("exectl"), url: server.url() };
    for line in environment(server, binaries) {
        screen.command(&line);
    }
    let stage = show::Stage { tools: &tools, server, hosts, components: &built.components };
    show::all(&stage).await?;
    screen.done("the demo has shown everything", screen.elapsed());
    Ok(())
}

/// What makes the lines that are shown work in another terminal.
fn environment(server: &Server, binaries: &Path) -> Vec<String> {
    let mut lines = vec![format!("export PATH={}:$PATH", binaries.display())];
    if !server.is_at_usual_port() {
        lines.push(format!("export EXED_SERVER={}", server.url()));
    }
    lines
}

/// Says what to try, and waits.
async fn stay(screen: Screen, server: &Server, hosts: &Hosts, binaries: &Path, stop: &mut Stop) {
    screen.heading("Your turn: in another terminal");
    for line in environment(server, binaries) {
        println!("  {line}");
    }
    let host = hosts.names().into_iter().next().unwrap_or_default();
    let url = server.url();
    let lines = [
        format!("curl '{url}/ping?target=all'"),
        format!("curl '{url}/facter?target={host}'"),
        format!("curl '{url}/execute?target=all&cmd=uptime'"),
        format!("curl '{url}/jobs?detail=1'"),
        format!("curl {url}/api/v1/plugins"),
        format!("curl {url}/metrics"),
        "exectl run all -- 'while date; do sleep 1; done'   # Ctrl-C, then y, ends it on every host"
            .to_owned(),
        "exectl jobs".to_owned(),
        "exectl plugins".to_owned(),
        "exectl --help".to_owned(),
    ];
    for line in lines {
        println!("  {line}");
    }
    println!("\nThe server's log: {}", server.log().display());
    println!("Ctrl-C here ends the server and the hosts, and leaves nothing behind.");
    stop.asked().await;
}

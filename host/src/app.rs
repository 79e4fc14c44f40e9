//! Wires adapters to services and services to façades, and runs them until the end.

mod adapters;

use anyhow::Context as _;
use exed_domain::ports::InventorySource as _;
use exed_http::{HttpOptions, ServeOptions, Served};
use exed_services::{PolicyBindings, Services, Stop, Worker};
use tokio::net::TcpListener;

use crate::config::Config;
use crate::daemonize::Readiness;
use crate::pidfile::PidFile;
use crate::reload::Reloader;
use crate::shutdown::{Asked, Signals, drain};
use crate::telemetry::Telemetry;
pub(crate) use adapters::Adapters;

/// Runs the server until it is told to end.
///
/// # Errors
/// When it cannot start, or when the worker cannot take up what an earlier process has left.
pub(crate) async fn run(config: Config, telemetry: Telemetry, readiness: Readiness) -> anyhow::Result<()> {
    tell_configuration(&config);
    let _pid_file = config.pid_file.as_deref().map(PidFile::create).transpose()?;
    let mut signals = Signals::catch()?;
    let adapters = Adapters::open(&config).await?;
    tell_inventory(&adapters, &config);
    let policies = PolicyBindings::new(config.policies.clone());
    let (services, worker) = Services::new(adapters.ports(), adapters::settings(&config, policies.clone()));

    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!("cannot listen on {}; set listen and listen_port, or stop what uses it", config.listen)
    })?;
    let address = listener.local_addr().context("asking for the address")?;
    let stop = Stop::default();
    let http = HttpOptions {
        sync_limit: config.jobs.sync_wait,
        drain: stop.drain.clone(),
        ..HttpOptions::default()
    };
    let serving = ServeOptions { drain_limit: config.drain_timeout, ..ServeOptions::default() };
    let requests = exed_http::serve(listener, exed_http::router(services, http), serving, stop.drain.clone());
    let server = serve(requests, worker, &stop);
    tokio::pin!(server);
    readiness.tell()?;
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening on {address}");

    let limit = config.drain_timeout;
    let mut reloader = Reloader::new(config, telemetry, policies, &adapters);
    let ended = loop {
        tokio::select! {
            ended = &mut server => break ended,
            asked = signals.next() => match asked {
                Asked::Reload => reloader.reload().await,
                Asked::End => break drain(&mut server, &stop, &mut signals, limit).await,
            },
        }
    };
    adapters.close().await;
    match &ended {
        Ok(()) => tracing::info!("ended"),
        // In the background nobody reads standard error any more.
        Err(error) => tracing::error!("ended: {error:#}"),
    }
    ended
}

/// Serves requests and runs jobs until `stop`. Ends when both have ended.
async fn serve(
    requests: impl Future<Output = Served> + Send + 'static,
    worker: Worker,
    stop: &Stop,
) -> anyhow::Result<()> {
    let halt = stop.halt.clone();
    let requests = tokio::spawn(async move {
        tokio::select! {
            served = requests => tell_served(served),
            () = halt.cancelled() => tracing::warn!("requests under way were cut"),
        }
    });
    let jobs = tokio::spawn(worker.run(stop.clone()));
    let jobs = async {
        let ended = jobs.await.context("the worker has failed")?;
        ended.context("the jobs of an earlier process cannot be taken up")
    };
    let requests = async { requests.await.context("the HTTP server has failed") };
    tokio::try_join!(jobs, requests).map(drop)
}

fn tell_served(served: Served) {
    match served {
        Served::Finished => tracing::debug!("every request was answered"),
        Served::Cut(connections) => tracing::warn!(connections, "connections were cut at the drain timeout"),
    }
}

fn tell_configuration(config: &Config) {
    match &config.source {
        Some(file) => tracing::info!(file = %file.display(), "configuration read"),
        None => tracing::info!("no configuration file: running with the defaults"),
    }
    for sentence in &config.unused {
        tracing::warn!("{sentence}");
    }
}

/// Says what the inventory holds, and where there is none, how to add hosts.
fn tell_inventory(adapters: &Adapters, config: &Config) {
    for problem in adapters.inventory.status().errors {
        tracing::error!("inventory: {problem}");
    }
    let hosts = adapters.inventory.snapshot().hosts.len();
    if config.inventory.is_empty() {
        tracing::warn!(
            "no inventory is set, so there are no hosts: name an Ansible inventory in `paths` of the table              [inventory] (TOML) or in `inventory` of the section [ansible] (INI), then restart"
        );
    } else {
        tracing::info!(hosts, "inventory read");
    }
}

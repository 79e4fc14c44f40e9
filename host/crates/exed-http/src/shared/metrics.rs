//! What `/metrics` tells.

use std::fmt;
use std::time::Duration;

use exed_domain::ports::store::JobCounts;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::process::ProcessCollector;

/// From a ping of one warm host to a synchronous call at its limit, in seconds.
const BUCKETS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    facade: &'static str,
    operation: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Took {
    facade: &'static str,
    operation: String,
}

/// Counters and gauges; the registry is built once and read at each scrape.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<Took, Histogram>,
    queued: Gauge,
    running: Gauge,
    streams: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let requests = Family::default();
        let durations = Family::<Took, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        let (queued, running, streams) = (Gauge::default(), Gauge::default(), Gauge::default());
        let mut registry = Registry::default();
        let exed = registry.sub_registry_with_prefix("exed");
        exed.register("http_requests", "Requests answered", requests.clone());
        exed.register_with_unit(
            "http_request_duration",
            "From the request's head to the answer's head",
            Unit::Seconds,
            durations.clone(),
        );
        exed.register("jobs_queued", "Jobs that wait to be claimed", queued.clone());
        exed.register("jobs_running", "Jobs that are claimed and have not ended", running.clone());
        exed.register("follow_streams", "Open event and follow streams", streams.clone());
        registry.register_collector(Box::new(ProcessCollector));
        Self { registry, requests, durations, queued, running, streams }
    }

    /// Counts an answer. `operation` is the matched route, never a path with ids in it.
    pub(crate) fn answered(&self, facade: &'static str, operation: &str, status: u16, took: Duration) {
        let operation = operation.to_owned();
        let labels = Took { facade, operation: operation.clone() };
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
        self.requests.get_or_create(&Answered { facade, operation, status }).inc();
    }

    /// The OpenMetrics text, with the state of the queue as it is now.
    pub(crate) fn text(&self, counts: JobCounts) -> Result<String, fmt::Error> {
        self.queued.set(i64::try_from(counts.queued).unwrap_or(i64::MAX));
        self.running.set(i64::try_from(counts.running).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Counts one open stream for as long as it lives.
pub(crate) struct OpenStream(Gauge);

impl OpenStream {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        metrics.streams.inc();
        Self(metrics.streams.clone())
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}

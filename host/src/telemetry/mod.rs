//! The log and the access log: `tracing`, as text or JSON, on standard output or in files that survive
//! rotation. Nothing secret reaches them: types that hold secrets do not print them.

mod log_file;

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use exed_http::ACCESS_TARGET;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, reload};

use crate::config::{LogConfig, LogFormat};
use log_file::LogFile;

/// The running logs.
pub(crate) struct Telemetry {
    files: Vec<Arc<LogFile>>,
    set_level: Box<dyn Fn(LevelFilter) + Send + Sync>,
}

impl Telemetry {
    /// Opens the logs and makes them the process's own.
    ///
    /// # Errors
    /// When a log file cannot be opened.
    pub(crate) fn start(config: &LogConfig) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        let error_log = sink(config.error_log.as_deref(), &mut files)?;
        let access_log = sink(config.access_log.as_deref(), &mut files)?;
        let (level, handle) = reload::Layer::new(filter(config.level));
        let access = Targets::new().with_target(ACCESS_TARGET, LevelFilter::INFO);
        tracing_subscriber::registry()
            .with(layer(config.format, error_log).with_filter(level))
            .with(layer(config.format, access_log).with_filter(access))
            .try_init()
            .context("starting the log")?;
        let set_level = Box::new(move |level| {
            if let Err(error) = handle.modify(|current| *current = filter(level)) {
                tracing::warn!(%error, "the log level stays as it was");
            }
        });
        Ok(Self { files, set_level })
    }

    /// Changes the level of the log.
    pub(crate) fn set_level(&self, level: LevelFilter) {
        (self.set_level)(level);
    }

    /// Opens every log file anew, as after a rotation.
    pub(crate) fn reopen(&self) {
        for file in &self.files {
            if let Err(error) = file.reopen() {
                tracing::error!(path = %file.path().display(), %error, "the log file cannot be reopened");
            }
        }
    }
}

/// Our own crates at the level, what they stand on only from warnings up, the access log elsewhere.
fn filter(level: LevelFilter) -> Targets {
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("exed", level)
        .with_target(ACCESS_TARGET, LevelFilter::OFF)
}

/// Where a log goes, with whether colours make sense there.
struct Sink {
    writer: BoxMakeWriter,
    ansi: bool,
}

fn sink(path: Option<&Path>, files: &mut Vec<Arc<LogFile>>) -> anyhow::Result<Sink> {
    let Some(path) = path else {
        let ansi = std::io::stdout().is_terminal();
        return Ok(Sink { writer: BoxMakeWriter::new(std::io::stdout), ansi });
    };
    let same = files.iter().find(|file| file.path() == path).cloned();
    let file = match same {
        Some(file) => file,
        None => {
            let file = LogFile::open(path)
                .with_context(|| format!("the log file {} cannot be opened", path.display()))?;
            files.push(Arc::clone(&file));
            file
        }
    };
    Ok(Sink { writer: BoxMakeWriter::new(move || log_file::Writer(Arc::clone(&file))), ansi: false })
}

fn layer<S>(format: LogFormat, sink: Sink) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let layer = tracing_subscriber::fmt::layer().with_ansi(sink.ansi).with_writer(sink.writer);
    match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    }
}

//! Wall time and processor time of one round.

use std::time::{Duration, Instant};

use crate::report::Figure;

/// What one round has taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// From the first to the last.
    pub(crate) wall: Duration,
    /// Processor seconds of the side that was measured.
    pub(crate) cpu: f64,
}

impl Sample {
    /// Measures `work`; `cpu` tells the processor seconds that its side has used so far.
    pub(crate) fn of<T>(
        cpu: impl Fn() -> f64,
        work: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<(Self, T)> {
        let (before, start) = (cpu(), Instant::now());
        let value = work()?;
        Ok((Self { wall: start.elapsed(), cpu: cpu() - before }, value))
    }
}

/// The rounds of one side.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<Sample>);

impl Samples {
    /// Adds a round.
    pub(crate) fn push(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// Whether there is no round.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The medians, in milliseconds.
    pub(crate) fn figure(&self) -> Figure {
        let mut walls: Vec<f64> = self.0.iter().map(|sample| sample.wall.as_secs_f64()).collect();
        let mut cpus: Vec<f64> = self.0.iter().map(|sample| sample.cpu).collect();
        Figure::millis(Duration::from_secs_f64(median(&mut walls)), Some(median(&mut cpus)))
    }
}

/// The middle of some figures; 0 of none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Processor seconds of this process, all threads together.
pub(crate) fn own_cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

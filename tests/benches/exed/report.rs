//! Figures, as a table for people and as JSON for machines. A figure is worth something only beside another
//! one of the same run, so every row carries its baseline.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

/// One measured thing beside what it is compared with.
pub(crate) struct Row {
    /// What was done: `ping, warm`.
    pub(crate) what: String,
    /// On how many hosts, with how many submitters: `50 hosts`.
    pub(crate) size: String,
    /// Our figure.
    pub(crate) ours: Figure,
    /// What it is compared with: `ssh, ControlMaster`.
    pub(crate) against: String,
    /// Its figure.
    pub(crate) theirs: Figure,
}

/// A median with what it cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    /// The value in `unit`.
    pub(crate) value: f64,
    /// `ms`, `µs`, `/s`.
    pub(crate) unit: &'static str,
    /// Processor seconds of one round, where they were measured: of our process on our side, of all client
    /// processes on the other.
    pub(crate) cpu: Option<f64>,
}

impl Figure {
    /// Milliseconds.
    pub(crate) fn millis(wall: Duration, cpu: Option<f64>) -> Self {
        Self { value: wall.as_secs_f64() * 1e3, unit: "ms", cpu }
    }

    fn text(self) -> String {
        let cpu = self.cpu.map(|cpu| format!(" (cpu {:.0} ms)", cpu * 1e3)).unwrap_or_default();
        if self.value >= 100.0 {
            format!("{:.0} {}{cpu}", self.value, self.unit)
        } else {
            format!("{:.1} {}{cpu}", self.value, self.unit)
        }
    }
}

impl Row {
    /// Ours by theirs: below 1 is better for times, above 1 for rates.
    fn ratio(&self) -> f64 {
        self.ours.value / self.theirs.value
    }

    fn json(&self) -> Value {
        json!({
            "what": self.what,
            "size": self.size,
            "unit": self.ours.unit,
            "exed": self.ours.value,
            "exed_cpu_seconds": self.ours.cpu,
            "against": self.against,
            "baseline": self.theirs.value,
            "baseline_cpu_seconds": self.theirs.cpu,
            "ratio": self.ratio(),
        })
    }
}

/// Every row of a run.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    notes: Vec<(String, Value)>,
}

impl Report {
    /// Adds a row and shows it at once, because the whole takes minutes.
    pub(crate) fn add(&mut self, row: Row) {
        println!(
            "  {:<28} {:<14} {:>24}   {:<26} {:>24}   {:>6.2}",
            row.what,
            row.size,
            row.ours.text(),
            row.against,
            row.theirs.text(),
            row.ratio()
        );
        self.rows.push(row);
    }

    /// Adds a figure without a baseline, such as memory.
    pub(crate) fn note(&mut self, what: &str, value: Value) {
        println!("  {what}: {value}");
        self.notes.push((what.to_owned(), value));
    }

    /// The heading of the table.
    pub(crate) fn heading() {
        println!(
            "  {:<28} {:<14} {:>24}   {:<26} {:>24}   {:>6}",
            "what", "size", "exed", "against", "baseline", "ratio"
        );
    }

    /// Writes everything as JSON.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        let notes: serde_json::Map<String, Value> = self.notes.iter().cloned().collect();
        let text = serde_json::to_string_pretty(&json!({ "rows": rows, "notes": notes }))?;
        std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
    }
}

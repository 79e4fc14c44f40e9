//! What the user sees: headings, command lines, remarks, times. Colours only on a terminal, and not when
//! `NO_COLOR` asks for none.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::Context;

const BOLD: &str = "\x1b[1m";
const FAINT: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";
const RESET: &str = "\x1b[0m";

/// The terminal, or the file that stands for one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    colours: bool,
    started: Instant,
}

impl Screen {
    /// Standard output.
    pub(super) fn new() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colours: std::io::stdout().is_terminal() && !plain, started: Instant::now() }
    }

    /// Since the demo began.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The heading of a step.
    pub(super) fn heading(&self, text: &str) {
        println!("\n{}", self.coloured(BOLD, &format!("== {text}")));
    }

    /// A command line, as the user could type it.
    pub(super) fn command(&self, line: &str) {
        println!("{} {}", self.coloured(CYAN, "$"), self.coloured(BOLD, line));
        // What the command itself prints must not overtake this.
        let _ = std::io::stdout().flush();
    }

    /// Something about what is seen.
    pub(super) fn remark(&self, text: &str) {
        println!("{}", self.coloured(FAINT, &format!("# {text}")));
    }

    /// Output that was read before it is shown.
    pub(super) fn output(&self, text: &str) {
        println!("{}", text.trim_end());
    }

    /// The end of a step: what was checked, and how long it took.
    pub(super) fn done(&self, what: &str, took: Duration) {
        println!("{}", self.coloured(GREEN, &format!("ok: {what} ({:.2} s)", took.as_secs_f64())));
    }

    /// Runs a step: its heading, its work, its end.
    ///
    /// # Errors
    /// What the step did not do; its heading is in the error.
    pub(super) async fn step(
        &self,
        heading: &str,
        work: impl Future<Output = anyhow::Result<String>>,
    ) -> anyhow::Result<()> {
        self.heading(heading);
        let begun = Instant::now();
        let what = work.await.with_context(|| format!("the step \"{heading}\" failed"))?;
        self.done(&what, begun.elapsed());
        Ok(())
    }

    fn coloured(&self, colour: &str, text: &str) -> String {
        if self.colours { format!("{colour}{text}{RESET}") } else { text.to_owned() }
    }
}

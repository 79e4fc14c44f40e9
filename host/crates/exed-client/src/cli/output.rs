//! Where output goes: results to standard output, everything about them to standard error. Colours only
//! on a terminal, and not when `NO_COLOR` asks for none.

use std::io::{IsTerminal, Write};

use serde::Serialize;

/// The two streams.
pub(super) struct Output {
    json: bool,
    colours: bool,
}

/// The colours that a host's prefix may have; red is for failures.
const COLOURS: [&str; 5] = ["\x1b[36m", "\x1b[32m", "\x1b[33m", "\x1b[34m", "\x1b[35m"];
const RED: &str = "\x1b[31m";
const RESET: &str = "\x1b[0m";

impl Output {
    pub(super) fn new(json: bool) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { json, colours: std::io::stdout().is_terminal() && !plain }
    }

    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// A whole text, to standard output. A reader that has gone away, such as `head`, is no error.
    pub(super) fn text(&self, text: &str) {
        let mut stdout = std::io::stdout().lock();
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    }

    /// One line, to standard output.
    pub(super) fn line(&self, line: &str) {
        self.text(&format!("{line}\n"));
    }

    /// One line about what happens, to standard error; not with `--json`.
    pub(super) fn note(&self, line: &str) {
        if !self.json {
            self.problem(line);
        }
    }

    /// One line that matters in any case, to standard error.
    pub(super) fn problem(&self, line: &str) {
        let _ = writeln!(std::io::stderr().lock(), "exectl: {line}");
    }

    /// A value for programs, indented.
    pub(super) fn value(&self, value: &impl Serialize) -> anyhow::Result<()> {
        self.line(&serde_json::to_string_pretty(value)?);
        Ok(())
    }

    /// A text in the colour of its host.
    pub(super) fn of_host(&self, host: &str, text: &str) -> String {
        let sum = host.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let colour = COLOURS.get(sum % COLOURS.len()).copied().unwrap_or_default();
        self.coloured(colour, text)
    }

    /// A text in the colour of failure.
    pub(super) fn failed(&self, text: &str) -> String {
        self.coloured(RED, text)
    }

    fn coloured(&self, colour: &str, text: &str) -> String {
        if self.colours { format!("{colour}{text}{RESET}") } else { text.to_owned() }
    }

    #[cfg(test)]
    pub(super) fn for_test(colours: bool) -> Self {
        Self { json: false, colours }
    }
}

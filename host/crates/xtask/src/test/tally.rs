//! Counts what passed and what failed.

use std::fmt;

/// The sum over all checks and all test binaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// Adds the result line of a test binary; other lines change nothing.
    pub(crate) fn line(&mut self, line: &str) {
        let Some(rest) = line.trim().strip_prefix("test result: ") else { return };
        self.passed += count(rest, "passed");
        self.failed += count(rest, "failed");
    }
}

/// The number before a word: `ok. 30 passed; 0 failed; …`.
fn count(text: &str, word: &str) -> u64 {
    let part = text.split([';', '.']).find_map(|part| part.trim().strip_suffix(word));
    part.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_result_lines_and_nothing_else() {
        let mut tally = Tally { passed: 2, failed: 0 };
        for line in [
            "running 3 tests",
            "test result: ok. 30 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.51s",
            "a test printed: 7 passed",
            "test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 2.1s",
        ] {
            tally.line(line);
        }
        assert_eq!(tally, Tally { passed: 36, failed: 1 });
        assert_eq!(tally.to_string(), "36 passed, 1 failed");
    }
}

//! Target patterns: EXEd's globs and Ansible's pattern language, which contains them.
//!
//! | written | selects |
//! |---|---|
//! | `all`, `*` | every host |
//! | `web1` | the host of that name, else the hosts of the group of that name |
//! | `web*`, `db?`, `web[12]`, `[!w]*` | hosts and groups whose full name matches the glob |
//! | `~web\d+` | hosts and groups whose name begins with a match of the regular expression |
//! | `a:b`, `a,b` | what either selects |
//! | `a:&b` | of what was selected, only what `b` selects |
//! | `a:!b` | what was selected, without what `b` selects |
//! | `web[0]`, `web[-1]`, `web[0:2]`, `web[1:]`, `web[:2]` | by position; the end is included |
//!
//! Unions are formed first, then intersections, then exclusions, whatever their order; with no union the
//! start is every host. Where a comma is used, colons separate nothing, so that IPv6 addresses can be
//! written; an address alone is never split either. Separators inside brackets, and inside the brackets of
//! a regular expression, separate nothing.
//!
//! Two choices where the two languages differ. `web[12]` is a position when `web` names something, and a
//! glob otherwise. Globs and regular expressions never select the built-in groups `all` and `ungrouped`:
//! `a*` means the names that begin with `a`, and not every host.

mod glob;
mod resolve;
mod split;
#[cfg(test)]
mod tests;

use regex::{Regex, RegexBuilder};

use crate::error::FieldError;
use glob::Glob;
pub use resolve::resolve;

/// The longest pattern, in bytes: ten thousand names with commas between them fit.
const LONGEST_PATTERN: usize = 1 << 20;
/// The longest glob or regular expression, in bytes.
const LONGEST_EXPRESSION: usize = 1024;
/// How many globs and regular expressions one pattern may hold; each is tried on every host.
const MOST_EXPRESSIONS: usize = 64;
/// The memory that one compiled regular expression may take, in bytes.
const REGEX_SIZE: usize = 1 << 18;
/// The groups that only their own name selects.
const BUILT_IN_GROUPS: [&str; 2] = ["all", "ungrouped"];

/// Why a target pattern is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("target pattern `{part}`: {problem}")]
pub struct PatternError {
    /// The part that is wrong, shortened where it is long.
    pub part: String,
    /// What is wrong with it and what is accepted, as a sentence without a full stop.
    pub problem: String,
}

impl PatternError {
    fn new(part: &str, problem: impl Into<String>) -> Self {
        Self { part: part.chars().take(80).collect(), problem: problem.into() }
    }

    /// The same as an error of the input field that held the pattern.
    #[must_use]
    pub fn in_field(&self, field: &str) -> FieldError {
        FieldError::new(field, self.to_string())
    }
}

/// A parsed target pattern. Which hosts it selects is told by [`resolve`].
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

impl Pattern {
    /// Reads a pattern in the language of this module's table.
    ///
    /// # Errors
    /// An empty pattern, a part without a name, a regular expression that does not compile, and patterns
    /// beyond the limits: one MiB, of which at most 64 globs and regular expressions of 1 KiB each.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.len() > LONGEST_PATTERN {
            let problem =
                format!("it is {} bytes long, and at most {LONGEST_PATTERN} are accepted", text.len());
            return Err(PatternError::new(text, problem));
        }
        let parts = split::parts(text).into_iter().map(Part::parse).collect::<Result<Vec<_>, _>>()?;
        if parts.is_empty() {
            let problem = "it is empty; write a host, a group, a glob like `web*`, or `all`";
            return Err(PatternError::new(text, problem));
        }
        let expressions = parts.iter().filter(|part| part.is_expression()).count();
        if expressions > MOST_EXPRESSIONS {
            let problem = format!(
                "it holds {expressions} globs and regular expressions, and at most {MOST_EXPRESSIONS} are \
                 accepted; name the hosts, or use a group"
            );
            return Err(PatternError::new(text, problem));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// What a part does with the hosts that it selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Add,
    Keep,
    Remove,
}

/// One expression between separators.
#[derive(Clone, Debug)]
struct Part {
    role: Role,
    /// The expression as it is written, without `&` and `!`: a host of just this name comes first.
    text: String,
    selector: Selector,
    /// The same text read as a name and a position, where it can be.
    position: Option<(Selector, Span)>,
}

/// What is compared with the names of hosts and groups.
#[derive(Clone, Debug)]
enum Selector {
    All,
    Name(String),
    Glob(Glob),
    /// A name is selected where a match begins at its start.
    Regex(Regex),
}

/// A position or an inclusive range of them; negative ones count from the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    One(i64),
    Range { first: i64, last: i64 },
}

impl Part {
    fn parse(text: &str) -> Result<Self, PatternError> {
        let (role, expression) = match text.split_at_checked(1) {
            Some(("&", rest)) => (Role::Keep, rest.trim_start()),
            Some(("!", rest)) => (Role::Remove, rest.trim_start()),
            Some(_) | None => (Role::Add, text),
        };
        if expression.is_empty() {
            let problem = "nothing follows it; write a host, a group or a glob after `!` or `&`";
            return Err(PatternError::new(text, problem));
        }
        let position = match split_position(expression) {
            Some((base, span)) => Some((Selector::parse(base)?, span)),
            None => None,
        };
        Ok(Self { role, text: expression.to_owned(), selector: Selector::parse(expression)?, position })
    }

    fn is_expression(&self) -> bool {
        match &self.selector {
            Selector::Glob(_) | Selector::Regex(_) => true,
            Selector::All | Selector::Name(_) => false,
        }
    }
}

impl Selector {
    fn parse(text: &str) -> Result<Self, PatternError> {
        if text == "all" || text == "*" {
            return Ok(Self::All);
        }
        let regex = text.strip_prefix('~');
        if regex.is_none() && !text.contains(['*', '?', '[']) {
            return Ok(Self::Name(text.to_owned()));
        }
        if text.len() > LONGEST_EXPRESSION {
            let problem = format!(
                "a glob or regular expression may be {LONGEST_EXPRESSION} bytes long, and this one has {}",
                text.len()
            );
            return Err(PatternError::new(text, problem));
        }
        match regex {
            Some(expression) => Self::regex(text, expression),
            None => Ok(Self::Glob(Glob::new(text))),
        }
    }

    fn regex(part: &str, expression: &str) -> Result<Self, PatternError> {
        if expression.is_empty() {
            return Err(PatternError::new(part, "a regular expression must follow `~`"));
        }
        RegexBuilder::new(expression).size_limit(REGEX_SIZE).build().map(Self::Regex).map_err(|error| {
            let problem = if matches!(error, regex::Error::CompiledTooBig(_)) {
                "it compiles to too much; make it simpler".to_owned()
            } else {
                let why = last_line(&error.to_string());
                format!("not a regular expression, or one with look-around or back-references: {why}")
            };
            PatternError::new(part, problem)
        })
    }
}

/// The last line of a regular expression's error tells what is wrong; those before it draw it.
fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// `base[1]`, `base[0:2]`, `base[1:]` or `base[:2]`, taken apart.
fn split_position(text: &str) -> Option<(&str, Span)> {
    if text.starts_with('~') {
        return None;
    }
    let (base, inner) = text.strip_suffix(']')?.rsplit_once('[')?;
    if base.is_empty() {
        return None;
    }
    let span = match inner.split_once(':') {
        None => Span::One(number(inner)?),
        Some(("", "")) => return None,
        Some((first, last)) => Span::Range {
            first: if first.is_empty() { 0 } else { number(first)? },
            last: if last.is_empty() { -1 } else { number(last)? },
        },
    };
    Some((base, span))
}

fn number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

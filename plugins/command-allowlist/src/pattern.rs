//! Anchored regular expressions.

use regex_lite::Regex;

/// A regular expression that matches whole texts only.
#[derive(Debug)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    /// Parses a list; the error names the entry.
    pub(crate) fn parse_all(field: &str, texts: &[String]) -> Result<Vec<Self>, String> {
        let parse = |(index, text): (usize, &String)| {
            Self::parse(text)
                .map_err(|problem| format!("{field}[{index}] `{}`: {problem}", text.escape_debug()))
        };
        texts.iter().enumerate().map(parse).collect()
    }

    fn parse(text: &str) -> Result<Self, String> {
        if !(text.starts_with('^') && ends_with_anchor(text)) {
            return Err(format!(
                "must begin with ^ and end with $, as in ^{}$",
                text.trim_matches(['^', '$'])
            ));
        }
        // By itself first: brackets that only the wrapping below would balance are a mistake.
        Regex::new(text).map_err(|error| error.to_string())?;
        // `^a|b$` is anchored at both ends and yet matches `abc`; wrapped, every alternative must match all.
        Regex::new(&format!(r"\A(?:{text})\z")).map(Self).map_err(|error| error.to_string())
    }

    /// Whether it matches the whole of `text`.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// A final `$` that is not escaped.
fn ends_with_anchor(text: &str) -> bool {
    text.strip_suffix('$').is_some_and(|rest| {
        let backslashes = rest.chars().rev().take_while(|c| *c == '\\').count();
        backslashes % 2 == 0
    })
}

//! Where a pattern is taken apart: at commas, or else at colons and blanks, outside brackets.

use std::net::Ipv6Addr;

/// The expressions of a pattern, without blanks around them and without empty ones.
pub(super) fn parts(text: &str) -> Vec<&str> {
    let by_comma = outside_brackets(text, |c| c == ',');
    let parts = if by_comma.len() > 1 {
        by_comma
    } else if is_one_address(text.trim().trim_start_matches(['!', '&'])) {
        vec![text]
    } else {
        outside_brackets(text, |c| c == ':' || c.is_whitespace())
    };
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// An IPv6 address, or anything with one port behind it: neither is a list of names.
fn is_one_address(text: &str) -> bool {
    if text.parse::<Ipv6Addr>().is_ok() {
        return true;
    }
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let name = host.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    is_port && !host.is_empty() && (bracketed || name)
}

fn outside_brackets(text: &str, separates: impl Fn(char) -> bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut scan = Scan::new(text);
    for (at, c) in text.char_indices() {
        if scan.is_inside(at, c) || !separates(c) {
            continue;
        }
        parts.extend(text.get(start..at));
        start = at + c.len_utf8();
        scan.restart();
    }
    parts.extend(text.get(start..));
    parts
}

/// How far a part has been read.
#[derive(Clone, Copy)]
enum Kind {
    /// Only blanks, `!` and `&` so far.
    Unknown,
    Plain,
    Regex {
        depth: usize,
        in_class: bool,
        escaped: bool,
    },
}

struct Scan<'a> {
    text: &'a str,
    last_bracket: Option<usize>,
    kind: Kind,
    /// The end of the glob's bracket expression that is being read.
    class_end: usize,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, last_bracket: text.rfind(']'), kind: Kind::Unknown, class_end: 0 }
    }

    fn restart(&mut self) {
        self.kind = Kind::Unknown;
    }

    /// Whether the character at `at` stands inside brackets or is escaped. Called for each in turn.
    fn is_inside(&mut self, at: usize, c: char) -> bool {
        if let Kind::Unknown = self.kind {
            match c {
                '~' => {
                    self.kind = Kind::Regex { depth: 0, in_class: false, escaped: false };
                    return false;
                }
                '!' | '&' | ' ' | '\t' => return false,
                ',' | ':' => {}
                _ => self.kind = Kind::Plain,
            }
        }
        match &mut self.kind {
            Kind::Unknown => false,
            Kind::Plain => self.is_in_class(at, c),
            Kind::Regex { depth, in_class, escaped } => is_in_regex(c, depth, in_class, escaped),
        }
    }

    fn is_in_class(&mut self, at: usize, c: char) -> bool {
        if at < self.class_end {
            return true;
        }
        // Looking no further than the last bracket keeps a text of opening ones linear.
        if c == '[' && self.last_bracket.is_some_and(|last| last > at) {
            self.class_end = class_end(self.text, at).unwrap_or(at);
        }
        false
    }
}

/// Where the bracket expression that begins at `open` ends. A bracket that comes first belongs to it.
fn class_end(text: &str, open: usize) -> Option<usize> {
    let inner = text.get(open + 1..)?;
    let skipped = inner.strip_prefix('!').unwrap_or(inner);
    let body = skipped.strip_prefix(']').unwrap_or(skipped);
    let end = body.find(']')?;
    Some(open + 1 + (inner.len() - body.len()) + end)
}

fn is_in_regex(c: char, depth: &mut usize, in_class: &mut bool, escaped: &mut bool) -> bool {
    if *escaped {
        *escaped = false;
        return true;
    }
    match c {
        '\\' => *escaped = true,
        ']' => *in_class = false,
        '[' => *in_class = true,
        '(' | '{' if !*in_class => *depth += 1,
        ')' | '}' if !*in_class => *depth = depth.saturating_sub(1),
        _ => {}
    }
    *in_class || *depth > 0
}

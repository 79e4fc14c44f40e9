//! Globs as Python's `fnmatch` reads them, matched in bounded time.

/// A compiled glob. It matches whole names, and tells upper and lower case apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    tokens: Vec<Token>,
    /// How many characters a match has at least.
    shortest: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Star,
    One,
    Char(char),
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Token {
    fn accepts(&self, c: char) -> bool {
        match self {
            Self::Star => false,
            Self::One => true,
            Self::Char(own) => *own == c,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

impl Glob {
    /// Compiles a glob. Every text is one: a bracket without its end stands for itself.
    pub(super) fn new(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut tokens = Vec::new();
        let mut rest = chars.as_slice();
        while let Some((first, mut after)) = rest.split_first() {
            match first {
                '*' if tokens.last() == Some(&Token::Star) => {}
                '*' => tokens.push(Token::Star),
                '?' => tokens.push(Token::One),
                '[' => match class(after) {
                    Some((token, behind)) => {
                        tokens.push(token);
                        after = behind;
                    }
                    None => tokens.push(Token::Char('[')),
                },
                other => tokens.push(Token::Char(*other)),
            }
            rest = after;
        }
        let shortest = tokens.iter().filter(|token| **token != Token::Star).count();
        Self { tokens, shortest }
    }

    /// Whether the whole of `name` matches. Takes at most its length squared steps: only the last star is
    /// ever taken up again, and a glob that needs more characters than there are fails at once.
    pub(super) fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        if name.len() < self.shortest {
            return false;
        }
        let (mut token, mut at) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while let Some(c) = name.get(at) {
            match self.tokens.get(token) {
                Some(Token::Star) => {
                    token += 1;
                    retry = Some((token, at));
                }
                Some(wanted) if wanted.accepts(*c) => {
                    token += 1;
                    at += 1;
                }
                Some(_) | None => {
                    let Some((after_star, from)) = retry else { return false };
                    (token, at) = (after_star, from + 1);
                    retry = Some((after_star, from + 1));
                }
            }
        }
        self.tokens.iter().skip(token).all(|left| *left == Token::Star)
    }
}

/// The bracket expression whose inside `text` begins with, and what follows it.
fn class(text: &[char]) -> Option<(Token, &[char])> {
    let (negated, body) = match text.split_first() {
        Some(('!', body)) => (true, body),
        Some(_) | None => (false, text),
    };
    // A closing bracket that comes first stands for itself.
    let end = 1 + body.iter().skip(1).position(|c| *c == ']')?;
    let (mut inside, behind) = (body.get(..end)?, body.get(end + 1..)?);
    let mut ranges = Vec::new();
    loop {
        match inside {
            [] => break,
            [low, '-', high, rest @ ..] => {
                ranges.push((*low, *high));
                inside = rest;
            }
            [single, rest @ ..] => {
                ranges.push((*single, *single));
                inside = rest;
            }
        }
    }
    Some((Token::Class { negated, ranges }, behind))
}

//! Values of INI inventories: a Python literal where the text is one, else the text itself.

use serde_json::{Map, Number, Value};

/// How deeply lists and dictionaries may be nested; deeper text stays text.
const DEEPEST: usize = 64;

/// The value of a text, as `ast.literal_eval` reads it. Tuples and sets become lists, keys become text, and
/// whatever JSON cannot hold (complex numbers, infinities, integers beyond 64 bits) stays text.
pub(super) fn value(text: &str) -> Value {
    let mut reader = Reader { rest: text.trim_start_matches([' ', '\t']) };
    reader.tuple_or_one().filter(|_| reader.at_end()).unwrap_or_else(|| Value::from(text))
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Only blanks or a Python comment are left.
    fn at_end(&mut self) -> bool {
        self.skip_blanks();
        self.rest.is_empty() || (self.rest.starts_with('#') && !self.rest.contains('\n'))
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// `1` is a value, `1, 2` and `1,` are tuples.
    fn tuple_or_one(&mut self) -> Option<Value> {
        let first = self.item(0)?;
        if !self.eat(',') {
            return Some(first);
        }
        let mut items = vec![first];
        while !self.at_end() {
            items.push(self.item(0)?);
            if !self.eat(',') {
                break;
            }
        }
        Some(Value::Array(items))
    }

    fn item(&mut self, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        self.skip_blanks();
        match self.rest.chars().next()? {
            '[' => self.sequence('[', ']', depth).map(|(items, _)| Value::Array(items)),
            '(' => match self.sequence('(', ')', depth)? {
                (mut items, false) if items.len() == 1 => items.pop(),
                (items, _) => Some(Value::Array(items)),
            },
            '{' => self.braces(depth),
            '0'..='9' | '.' | '+' | '-' => self.number(),
            _ => self.word_or_string(),
        }
    }

    /// The items between two brackets, and whether a comma stood among them.
    fn sequence(&mut self, open: char, close: char, depth: usize) -> Option<(Vec<Value>, bool)> {
        self.eat(open).then_some(())?;
        let (mut items, mut comma) = (Vec::new(), false);
        loop {
            if self.eat(close) {
                return Some((items, comma));
            }
            items.push(self.item(depth + 1)?);
            if self.eat(',') {
                comma = true;
            } else if !self.rest.starts_with(close) {
                return None;
            }
        }
    }

    /// A dictionary, or a set, which becomes a list.
    fn braces(&mut self, depth: usize) -> Option<Value> {
        self.eat('{').then_some(())?;
        let (mut pairs, mut items) = (Map::new(), Vec::new());
        while !self.eat('}') {
            let first = self.item(depth + 1)?;
            if self.eat(':') {
                pairs.insert(key_text(first)?, self.item(depth + 1)?);
            } else {
                items.push(first);
            }
            if !self.eat(',') && !self.rest.starts_with('}') {
                return None;
            }
        }
        match (pairs.is_empty(), items.is_empty()) {
            (_, true) => Some(Value::Object(pairs)),
            (true, false) => Some(Value::Array(items)),
            (false, false) => None,
        }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn number(&mut self) -> Option<Value> {
        // One sign, as `literal_eval` allows; `--1` is an expression.
        let negative = self.eat('-');
        if !negative {
            self.eat('+');
        }
        self.skip_blanks();
        let start = self.rest;
        let mut length = 0;
        let mut last = ' ';
        for c in start.chars() {
            let exponent_sign = matches!(c, '+' | '-') && matches!(last, 'e' | 'E') && !is_hex(start);
            if !(c.is_ascii_alphanumeric() || c == '_' || c == '.' || exponent_sign) {
                break;
            }
            length += c.len_utf8();
            last = c;
        }
        let (token, rest) = start.split_at(length);
        self.rest = rest;
        number_value(token, negative)
    }

    fn word_or_string(&mut self) -> Option<Value> {
        let before = self.rest;
        let word = self.take_while(|c| c.is_ascii_alphabetic()).to_owned();
        if self.rest.starts_with(['"', '\'']) {
            self.rest = before;
            return self.strings();
        }
        match word.as_str() {
            "None" => Some(Value::Null),
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            _ => None,
        }
        .filter(|_| !self.rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    }

    /// One string, or several that stand beside each other and form one.
    fn strings(&mut self) -> Option<Value> {
        let mut text = String::new();
        let mut bytes = None;
        loop {
            self.skip_blanks();
            let prefix_length = self.rest.find(['"', '\''])?;
            let prefix = self.rest.get(..prefix_length)?.to_ascii_lowercase();
            let raw = match prefix.as_str() {
                "" | "u" | "b" => false,
                "r" | "br" | "rb" => true,
                _ => return None,
            };
            // Bytes and text do not form one string.
            if *bytes.get_or_insert(prefix.contains('b')) != prefix.contains('b') {
                return None;
            }
            self.rest = self.rest.get(prefix_length..)?;
            self.one_string(raw, &mut text)?;
            let next = self.rest.trim_start();
            let after_prefix = next.trim_start_matches(|c: char| "rRbBuU".contains(c));
            if !after_prefix.starts_with(['"', '\'']) {
                return Some(Value::String(text));
            }
        }
    }

    fn one_string(&mut self, raw: bool, text: &mut String) -> Option<()> {
        let quote = self.rest.chars().next()?;
        let triple: String = std::iter::repeat_n(quote, 3).collect();
        let end = if self.rest.starts_with(&triple) { triple } else { quote.to_string() };
        self.rest = self.rest.get(end.len()..)?;
        loop {
            if let Some(rest) = self.rest.strip_prefix(&end) {
                self.rest = rest;
                return Some(());
            }
            let mut chars = self.rest.chars();
            match chars.next()? {
                '\\' if raw => {
                    let escaped = chars.next()?;
                    text.extend(['\\', escaped]);
                    self.rest = chars.as_str();
                }
                '\\' => {
                    self.rest = chars.as_str();
                    self.escape(text)?;
                }
                other => {
                    text.push(other);
                    self.rest = chars.as_str();
                }
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Option<()> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        let plain = match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'v' => '\x0b',
            '\\' | '\'' | '"' => c,
            'x' => self.code(2)?,
            'u' => self.code(4)?,
            'U' => self.code(8)?,
            '0'..='7' => self.octal(c)?,
            other => {
                text.push('\\');
                other
            }
        };
        text.push(plain);
        Some(())
    }

    fn code(&mut self, digits: usize) -> Option<char> {
        let (code, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        char::from_u32(u32::from_str_radix(code, 16).ok()?)
    }

    fn octal(&mut self, first: char) -> Option<char> {
        let mut code = first.to_digit(8)?;
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else { break };
            code = code * 8 + digit;
            self.rest = self.rest.get(1..)?;
        }
        char::from_u32(code)
    }
}

fn is_hex(text: &str) -> bool {
    text.starts_with("0x") || text.starts_with("0X")
}

/// Underscores stand singly between digits.
fn without_underscores(token: &str, radix: u32) -> Option<String> {
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_digit(radix));
    let well_placed = token.char_indices().filter(|(_, c)| *c == '_').all(|(at, _)| {
        let (before, after) = token.split_at(at);
        is_digit(before.chars().next_back()) && is_digit(after.chars().nth(1))
    });
    well_placed.then(|| token.replace('_', ""))
}

fn number_value(token: &str, negative: bool) -> Option<Value> {
    let lower = token.to_ascii_lowercase();
    let radix = |prefix: &str, radix: u32| {
        let written = lower.strip_prefix(prefix)?;
        let digits = without_underscores(written.strip_prefix('_').unwrap_or(written), radix)?;
        i128::from_str_radix(&digits, radix).ok()
    };
    if let Some(whole) = radix("0x", 16).or_else(|| radix("0o", 8)).or_else(|| radix("0b", 2)) {
        return integer(whole, negative);
    }
    let digits = without_underscores(&lower, 10)?;
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let leading_zero = digits.starts_with('0') && digits.bytes().any(|byte| byte != b'0');
        return if leading_zero { None } else { integer(digits.parse().ok()?, negative) };
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit() || b".e+-".contains(&byte)) {
        return None;
    }
    let float: f64 = digits.parse().ok()?;
    Number::from_f64(if negative { -float } else { float }).map(Value::Number)
}

fn integer(magnitude: i128, negative: bool) -> Option<Value> {
    let number = if negative { -magnitude } else { magnitude };
    if let Ok(number) = i64::try_from(number) {
        return Some(Value::from(number));
    }
    u64::try_from(number).ok().map(Value::from)
}

/// A dictionary's key as JSON spells it.
fn key_text(key: Value) -> Option<String> {
    match key {
        Value::String(text) => Some(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(key.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;

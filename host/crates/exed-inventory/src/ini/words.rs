//! A host line taken apart as a POSIX shell would: blanks separate, quotes group, `#` begins a comment.

/// The words of a line, without quotes and comments.
///
/// # Errors
/// A quote that does not end, or a backslash with nothing behind it.
pub(super) fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '#' => break,
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' => quoted(&mut chars, '\'', word.get_or_insert_default())?,
            '"' => quoted(&mut chars, '"', word.get_or_insert_default())?,
            '\\' => {
                let next = chars.next().ok_or("a backslash at the end of the line escapes nothing")?;
                word.get_or_insert_default().push(next);
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Reads up to the closing quote. In double quotes a backslash escapes a quote and itself.
fn quoted(chars: &mut std::str::Chars<'_>, quote: char, word: &mut String) -> Result<(), String> {
    while let Some(c) = chars.next() {
        if c == quote {
            return Ok(());
        }
        if c != '\\' || quote == '\'' {
            word.push(c);
            continue;
        }
        match chars.next() {
            Some(escaped @ ('"' | '\\')) => word.push(escaped),
            Some(other) => word.extend(['\\', other]),
            None => break,
        }
    }
    Err(format!("a quote {quote} does not end on this line; a quote that is meant is written \\{quote}"))
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_quotes_and_comments() {
        assert_eq!(words("a b=1  c='x y'").unwrap(), ["a", "b=1", "c=x y"]);
        assert_eq!(words(r#"a b="x \"y\" \n" c=p\ q"#).unwrap(), ["a", r#"b=x "y" \n"#, "c=p q"]);
        assert_eq!(words("a b=1 # c=2").unwrap(), ["a", "b=1"]);
        assert_eq!(words("a b=x#y c=2").unwrap(), ["a", "b=x"], "as Ansible: a comment begins within a word");
        assert_eq!(words("a b='#' c=''").unwrap(), ["a", "b=#", "c="]);
        assert!(words("a b='x").unwrap_err().contains("does not end"));
        assert!(words("a\\").unwrap_err().contains("backslash"));
    }
}

//! Splitting a line into words: quotes and backslashes, without expansion.

/// The words of a line as a shell or OpenSSH would split them: single and double quotes group, a backslash
/// protects the next character outside single quotes. The error says which quote is open.
pub(super) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some('\''), _) => word.get_or_insert_default().push(letter),
            (_, '\\') => match letters.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => word.get_or_insert_default().push('\\'),
            },
            (Some(_), _) => word.get_or_insert_default().push(letter),
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(letter),
        }
    }
    if let Some(open) = quote {
        return Err(format!("the quote {open} is not closed"));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_group_and_backslashes_protect() {
        assert_eq!(split(r#" a "b c" 'd "e' f\ g "" "#).unwrap(), ["a", "b c", "d \"e", "f g", ""]);
        assert!(split("a 'b").unwrap_err().contains('\''));
    }

    proptest! {
        #[test]
        fn plain_words_come_back(words in proptest::collection::vec("[a-zA-Z0-9=./:@-]{1,8}", 0..6)) {
            prop_assert_eq!(split(&words.join("  ")).unwrap(), words);
        }

        #[test]
        fn no_line_panics(line in ".{0,60}") {
            let _ignored: Result<Vec<String>, String> = split(&line);
        }
    }
}

//! The wildcards of OpenSSH: `*`, `?`, and lists with negation.

/// Whether `text` matches `pattern`, in which `*` stands for any text and `?` for one character. Letters
/// compare without regard to case, as host names do.
pub(super) fn wildcard(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().map(|letter| letter.to_ascii_lowercase()).collect();
    let text: Vec<char> = text.chars().map(|letter| letter.to_ascii_lowercase()).collect();
    let (mut at, mut seen) = (0, 0);
    // Where to continue when what followed the last star did not match: one more character for the star.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(letter) = text.get(seen) {
        match pattern.get(at) {
            Some('*') => {
                retry = Some((at, seen));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == letter => {
                at += 1;
                seen += 1;
            }
            Some(_) | None => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    at = star + 1;
                    seen = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|letter| *letter == '*')
}

/// Whether `text` matches a list: at least one pattern, and none of those that begin with `!`.
pub(super) fn list<'a>(patterns: impl IntoIterator<Item = &'a str>, text: &str) -> bool {
    let mut matched = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(excluded) if wildcard(excluded, text) => return false,
            Some(_) => {}
            None => matched |= wildcard(pattern, text),
        }
    }
    matched
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("web?", "web1", true),
            ("web?", "web", false),
            ("*.example.org", "a.b.example.org", true),
            ("*.example.org", "example.org", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("WEB1", "web1", true),
        ] {
            assert_eq!(wildcard(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_negated_pattern_excludes() {
        assert!(list(["*.org", "!bad.org"], "good.org"));
        assert!(!list(["*.org", "!bad.org"], "bad.org"));
        assert!(!list(["!bad.org"], "good.org"), "a negation alone matches nothing");
    }

    proptest! {
        #[test]
        fn a_literal_matches_itself_only(text in "[a-z0-9.]{0,12}", other in "[a-z0-9.]{0,12}") {
            prop_assert!(wildcard(&text, &text));
            prop_assert_eq!(wildcard(&text, &other), text == other);
        }

        #[test]
        fn a_star_replaces_any_part(a in "[a-z]{0,6}", b in "[a-z]{0,6}", c in "[a-z]{0,6}") {
            let (text, pattern) = (format!("{a}{b}{c}"), format!("{a}*{c}"));
            prop_assert!(wildcard(&pattern, &text));
        }
    }
}

//! Quoting for the shells on the way: the login shell of the host (bash, dash, zsh or fish) and `sh`.

use std::fmt::Write as _;

/// One word of a command line, as every login shell reads it.
///
/// A quote and a backslash leave the single quotes, because fish gives the backslash a meaning inside
/// them; everything else stands literally.
pub(crate) fn word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:@+,-".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        match c {
            '\'' => quoted.push_str("'\"'\"'"),
            '\\' => quoted.push_str("'\"\\\\\"'"),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

/// Several words with spaces between them.
pub(crate) fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(word).collect::<Vec<_>>().join(" ")
}

/// The argument that makes the built-in `printf` write exactly `bytes`: a single-quoted format in which
/// whatever is not harmless ASCII is an octal escape. No process is started for it and NUL bytes pass.
pub(crate) fn printf_format(bytes: &[u8]) -> String {
    let mut format = String::with_capacity(bytes.len() + bytes.len() / 8 + 2);
    format.push('\'');
    for (index, &byte) in bytes.iter().enumerate() {
        match byte {
            // `printf` would read the format as an option.
            b'-' if index == 0 => push_octal(&mut format, byte),
            b'%' => format.push_str("%%"),
            b'\'' | b'\\' => push_octal(&mut format, byte),
            b' '..=b'~' | b'\n' | b'\t' => format.push(char::from(byte)),
            0..=31 | 127.. => push_octal(&mut format, byte),
        }
    }
    format.push('\'');
    format
}

fn push_octal(format: &mut String, byte: u8) {
    // Writing into a String cannot fail.
    let _ = write!(format, "\\{byte:03o}");
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn shells() -> Vec<Vec<&'static str>> {
        let mut shells = vec![vec!["/bin/sh"]];
        for other in [vec!["bash"], vec!["busybox", "sh"], vec!["fish"], vec!["zsh"]] {
            if Command::new(other[0]).arg("--help").output().is_ok() {
                shells.push(other);
            }
        }
        shells
    }

    fn run(shell: &[&str], script: &str) -> Vec<u8> {
        let output = Command::new(shell[0]).args(&shell[1..]).args(["-c", script]).output();
        output.unwrap_or_else(|error| panic!("{shell:?} cannot be run: {error}")).stdout
    }

    #[test]
    fn a_format_is_never_an_option() {
        for bytes in [&b"-"[..], b"-\0", b"--", b"-n x", b"-v"] {
            for shell in shells().into_iter().filter(|shell| !["fish", "zsh"].contains(&shell[0])) {
                let script = format!("printf {}", printf_format(bytes));
                assert_eq!(run(&shell, &script), bytes, "{shell:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_word_arrives_as_it_was(text in "(?s)[^\0]{0,40}|[ '\"\\\\$`!\n~*?=%{}-]{1,12}") {
            for shell in shells() {
                let script = format!("printf %s {}", word(&format!("x{text}")));
                prop_assert_eq!(run(&shell, &script), format!("x{text}").into_bytes(), "{:?}", shell);
            }
        }

        #[test]
        fn a_format_writes_every_byte(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for shell in shells().into_iter().filter(|shell| !["fish", "zsh"].contains(&shell[0])) {
                let script = format!("printf {}", printf_format(&bytes));
                prop_assert_eq!(run(&shell, &script), bytes.clone(), "{:?}", shell);
            }
        }
    }
}

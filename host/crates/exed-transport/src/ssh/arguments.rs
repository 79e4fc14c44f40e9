//! `ansible_ssh_common_args` and `ansible_ssh_extra_args`: options of the `ssh` program, read as directives.

use super::config::{Directive, directive};
use super::words;

/// Flags of `ssh` that change nothing here: compression, verbosity, terminals, forwarding, address family.
const HARMLESS: &[char] = &['4', '6', 'A', 'a', 'C', 'k', 'n', 'q', 'T', 't', 'v', 'x'];

/// The directives an argument line stands for. The error names the option that is not supported.
pub(super) fn parse(line: &str) -> Result<Vec<Directive>, String> {
    let mut words = words::split(line)?.into_iter();
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        let mut letters = word.chars();
        let (Some('-'), Some(option)) = (letters.next(), letters.next()) else {
            return Err(format!("{word:?} is not an option; options begin with `-`"));
        };
        let attached = letters.as_str().to_owned();
        let keyword = match option {
            'o' => None,
            'J' => Some("proxyjump"),
            'p' => Some("port"),
            'i' => Some("identityfile"),
            'l' => Some("user"),
            _ if HARMLESS.contains(&option) && attached.chars().all(|letter| HARMLESS.contains(&letter)) => {
                continue;
            }
            _ => {
                return Err(format!("the option -{option} is not supported; -o, -J, -p, -i and -l are"));
            }
        };
        let value = if attached.is_empty() {
            words.next().ok_or_else(|| format!("-{option} needs a value"))?
        } else {
            attached
        };
        match keyword {
            Some(keyword) => found.push((keyword.to_owned(), vec![value])),
            None => found.extend(directive(&value).map_err(|problem| format!("-o {value}: {problem}"))?),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair(keyword: &str, value: &str) -> Directive {
        (keyword.to_owned(), vec![value.to_owned()])
    }

    #[test]
    fn both_spellings_are_read() {
        let found = parse(
            "-o StrictHostKeyChecking=no -oPort=23 -J 'a,b' -p24 -i ~/k -l root -C -qq -o \"User bob\"",
        )
        .unwrap();
        let expected = [
            pair("stricthostkeychecking", "no"),
            pair("port", "23"),
            pair("proxyjump", "a,b"),
            pair("port", "24"),
            pair("identityfile", "~/k"),
            pair("user", "root"),
            pair("user", "bob"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_not_supported_is_named() {
        assert!(parse("-F other").unwrap_err().contains("-F"));
        assert!(parse("host").unwrap_err().contains("\"host\""));
        assert!(parse("-p").unwrap_err().contains("needs a value"));
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "[ -~]{0,80}") {
            let _ignored: Result<Vec<Directive>, String> = parse(&line);
        }
    }
}

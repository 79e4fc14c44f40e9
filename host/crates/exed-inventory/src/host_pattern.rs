//! Host entries: a name, `name:port`, `[address]:port`, and ranges such as `www[01:50].example.com`.

use std::net::Ipv6Addr;

/// How many hosts one entry may stand for.
const MOST_HOSTS: usize = 100_000;
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The names that an entry stands for, and the port behind it.
///
/// # Errors
/// What is wrong with a range or a port, and what is accepted.
pub(crate) fn expand(entry: &str) -> Result<(Vec<String>, Option<u16>), String> {
    let (pattern, port) = split_port(entry)?;
    if pattern == "---" {
        return Err("`---` begins a YAML document; name the file .yml to have it read as YAML".to_owned());
    }
    let names = expand_ranges(pattern)?;
    if names.iter().any(String::is_empty) {
        return Err(format!("`{entry}` gives an empty host name"));
    }
    Ok((names, port))
}

fn split_port(entry: &str) -> Result<(&str, Option<u16>), String> {
    let Some((host, port)) = entry.rsplit_once(':') else { return Ok((entry, None)) };
    // The colon of a range, or one within an address.
    if port.contains(']') || entry.parse::<Ipv6Addr>().is_ok() {
        return Ok((entry, None));
    }
    if port.is_empty() {
        return Err(format!("`{entry}` ends in a colon; a port is written `host:2222`"));
    }
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = match address {
        Some(address) if address.parse::<Ipv6Addr>().is_ok() || is_name(address) => address,
        Some(_) | None => host,
    };
    if !port.bytes().all(|byte| byte.is_ascii_digit()) || !(address.is_some() || is_name(host)) {
        return Ok((entry, None));
    }
    let number = port.parse().map_err(|_| format!("the port {port} is not between 0 and 65535"))?;
    Ok((host, Some(number)))
}

/// Whether a text is a host name or an IPv4 address, in which ranges may stand.
fn is_name(text: &str) -> bool {
    let mut in_range = false;
    let mut last = '.';
    for c in text.chars() {
        let fits = match c {
            '[' => !std::mem::replace(&mut in_range, true),
            ']' => std::mem::replace(&mut in_range, false),
            ':' => in_range,
            '.' => last.is_alphanumeric() || last == ']',
            '-' => last != '.',
            _ => c.is_alphanumeric() || c == '_',
        };
        if !fits {
            return false;
        }
        last = c;
    }
    !in_range && (last.is_alphanumeric() || last == ']')
}

fn expand_ranges(pattern: &str) -> Result<Vec<String>, String> {
    // What stands before the range that is expanded next, for each name begun so far.
    let mut begun = vec![String::new()];
    let mut rest = pattern;
    while let Some((head, tail)) = rest.split_once('[') {
        let (range, tail) = tail.split_once(']').ok_or_else(|| {
            format!("`{pattern}` opens a range that does not end; a range is written `[01:50]` or `[a:f]`")
        })?;
        let values = range_values(range).map_err(|problem| format!("`{pattern}`: {problem}"))?;
        if begun.len().saturating_mul(values.len()) > MOST_HOSTS {
            return Err(format!("`{pattern}` stands for more than {MOST_HOSTS} hosts"));
        }
        begun = begun
            .iter()
            .flat_map(|name| values.iter().map(move |value| format!("{name}{head}{value}")))
            .collect();
        rest = tail;
    }
    Ok(begun.into_iter().map(|name| name + rest).collect())
}

fn range_values(range: &str) -> Result<Vec<String>, String> {
    let bounds: Vec<&str> = range.split(':').collect();
    let (first, last, step) = match bounds.as_slice() {
        [first, last] => (*first, *last, 1),
        [first, last, step] => {
            let step: usize = step.parse().map_err(|_| format!("the step `{step}` is not a number"))?;
            (*first, *last, step)
        }
        _ => return Err(format!("`[{range}]` is not a range; write `[begin:end]` or `[begin:end:step]`")),
    };
    let first = if first.is_empty() { "0" } else { first };
    if last.is_empty() {
        return Err(format!("the range `[{range}]` needs an end, as in `[{first}:9]`"));
    }
    if step == 0 {
        return Err(format!("the step of `[{range}]` must be at least 1"));
    }
    if let (Some(low), Some(high)) = (letter(first), letter(last)) {
        ordered(low, high, range)?;
        let letters = LETTERS.chars().skip(low).take(high - low + 1).step_by(step);
        return Ok(letters.map(String::from).collect());
    }
    numbers(first, last, step, range)
}

/// Where a text that is one letter stands among the letters.
fn letter(text: &str) -> Option<usize> {
    if text.len() == 1 { LETTERS.find(text) } else { None }
}

fn numbers(first: &str, last: &str, step: usize, range: &str) -> Result<Vec<String>, String> {
    let number = |text: &str| {
        text.parse::<usize>()
            .map_err(|_| format!("`[{range}]` must run between two numbers or between two single letters"))
    };
    let (low, high) = (number(first)?, number(last)?);
    ordered(low, high, range)?;
    let padded = first.len() > 1 && first.starts_with('0');
    if padded && first.len() != last.len() {
        return Err(format!("`[{range}]` begins with zeros, so both ends need the same number of digits"));
    }
    if (high - low) / step >= MOST_HOSTS {
        return Err(format!("`[{range}]` stands for more than {MOST_HOSTS} hosts"));
    }
    let width = if padded { first.len() } else { 0 };
    Ok((low..=high).step_by(step).map(|number| format!("{number:0width$}")).collect())
}

fn ordered(low: usize, high: usize, range: &str) -> Result<(), String> {
    if low <= high { Ok(()) } else { Err(format!("the range `[{range}]` ends before it begins")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::expand;

    fn names(entry: &str) -> String {
        expand(entry).unwrap().0.join(" ")
    }

    #[test]
    fn ranges() {
        assert_eq!(
            names("www[08:11].example.com"),
            "www08.example.com www09.example.com www10.example.com www11.example.com"
        );
        assert_eq!(names("db-[a:c]"), "db-a db-b db-c");
        assert_eq!(names("n[0:10:5]"), "n0 n5 n10");
        assert_eq!(names("r[1:2]s[a:b]"), "r1sa r1sb r2sa r2sb");
        assert_eq!(names("n[:2]"), "n0 n1 n2");
        assert_eq!(names("plain"), "plain");
    }

    #[test]
    fn ports() {
        assert_eq!(expand("h:2222").unwrap(), (vec!["h".to_owned()], Some(2222)));
        assert_eq!(expand("h[1:2]:22").unwrap(), (vec!["h1".to_owned(), "h2".to_owned()], Some(22)));
        assert_eq!(expand("[2001:db8::1]:22").unwrap(), (vec!["2001:db8::1".to_owned()], Some(22)));
        assert_eq!(expand("2001:db8::1").unwrap(), (vec!["2001:db8::1".to_owned()], None));
        assert_eq!(expand("192.0.2.1:22").unwrap(), (vec!["192.0.2.1".to_owned()], Some(22)));
        assert_eq!(expand("/chroot:22").unwrap(), (vec!["/chroot:22".to_owned()], None));
    }

    #[test]
    fn mistakes_say_what_is_accepted() {
        let problem = |entry: &str| expand(entry).unwrap_err();
        assert!(problem("h[1").contains("`[01:50]`"));
        assert!(problem("h[1]").contains("[begin:end]"));
        assert!(problem("h[1:2:3:4]").contains("[begin:end:step]"));
        assert!(problem("h[1:]").contains("needs an end"));
        assert!(problem("h[01:100]").contains("same number of digits"));
        assert!(problem("h[5:1]").contains("ends before"));
        assert!(problem("h[f:a]").contains("ends before"));
        assert!(problem("h[a:10]").contains("two numbers"));
        assert!(problem("h[1:9:0]").contains("at least 1"));
        assert!(problem("h[0:999999999]").contains("more than"));
        assert!(problem("h[1:1000]x[1:1000]").contains("more than"));
        assert!(problem("h:").contains("ends in a colon"));
        assert!(problem("h:70000").contains("65535"));
        assert!(problem("---").contains("YAML"));
    }

    proptest! {
        #[test]
        fn any_entry_expands_or_is_refused(entry in "[a-z0-9:.\\[\\]-]{1,16}") {
            if let Ok((names, _)) = expand(&entry) {
                prop_assert!(names.iter().all(|name| !name.is_empty()));
            }
        }

        #[test]
        fn a_range_counts(low in 0..200_usize, more in 0..200_usize, step in 1..9_usize) {
            let (names, _) = expand(&format!("h[{low}:{}:{step}]", low + more)).unwrap();
            prop_assert_eq!(names.len(), more / step + 1);
        }
    }
}

//! INI files as Python's ConfigParser reads them: sections, `key = value` or `key: value`, comment lines
//! that begin with `#` or `;`, keys in any case, values continued on indented lines. Values may be quoted.

/// One option with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) section: String,
    pub(super) key: String,
    pub(super) value: String,
    pub(super) line: usize,
}

/// Line and problem.
pub(super) type IniError = (usize, String);

/// Every option in the order of the file.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, IniError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut section: Option<String> = None;
    let mut continues = false;
    for (index, raw) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = index + 1;
        let trimmed = raw.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if raw.starts_with([' ', '\t']) && continues {
            if let Some(entry) = entries.last_mut() {
                entry.value.push('\n');
                entry.value.push_str(trimmed);
            }
            continue;
        }
        if let Some(rest) = trimmed.strip_prefix('[') {
            let name =
                rest.strip_suffix(']').ok_or_else(|| (line, "a section is written [name]".to_owned()))?;
            section = Some(name.trim().to_ascii_lowercase());
            continues = false;
            continue;
        }
        entries.push(entry(line, trimmed, section.as_deref())?);
        continues = true;
    }
    for entry in &mut entries {
        entry.value = unquoted(&entry.value);
    }
    Ok(entries)
}

fn entry(line: usize, text: &str, section: Option<&str>) -> Result<Entry, IniError> {
    let Some((key, value)) = text.split_once(['=', ':']) else {
        return Err((line, "neither a [section] nor an option; an option is written key = value".to_owned()));
    };
    let key = key.trim().to_ascii_lowercase();
    let Some(section) = section else {
        return Err((line, format!("{key} stands before the first [section]")));
    };
    Ok(Entry { section: section.to_owned(), key, value: value.trim().to_owned(), line })
}

/// The value without the quotes around it.
fn unquoted(value: &str) -> String {
    let inner = ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)));
    inner.unwrap_or(value).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_comments_case_and_continuations() {
        let text =
            "# a\n[API]\nListen = \"127.0.0.1\"\n; b\nlisten_port: 1\n\n[ansible]\ninventory = a\n  b\n";
        let entries = parse(text).unwrap();
        let seen: Vec<_> =
            entries.iter().map(|e| (e.section.as_str(), e.key.as_str(), e.value.as_str(), e.line)).collect();
        assert_eq!(
            seen,
            [
                ("api", "listen", "127.0.0.1", 3),
                ("api", "listen_port", "1", 5),
                ("ansible", "inventory", "a\nb", 8)
            ]
        );
    }

    #[test]
    fn mistakes_name_their_line() {
        assert_eq!(parse("[api\n").unwrap_err().0, 1);
        assert_eq!(parse("[api]\nlisten\n").unwrap_err().0, 2);
        assert!(parse("\nlisten = 1\n").unwrap_err().1.contains("before the first [section]"));
    }
}

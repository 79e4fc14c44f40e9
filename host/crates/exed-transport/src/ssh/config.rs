//! OpenSSH's client configuration files: which entries apply to a host.
//!
//! The first value of a directive wins, except `IdentityFile`, of which all apply. `Host` blocks match the
//! name as it was asked for, before `HostName` replaces it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{pattern, words};

/// Files that include one another deeper than this are a loop.
const MAX_DEPTH: usize = 16;

/// One directive, its argument line, and the blocks around it.
#[derive(Clone, Debug)]
struct Entry {
    conditions: Vec<Arc<[String]>>,
    keyword: String,
    values: Vec<String>,
}

/// All entries of all files, in the order in which they are looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct SshConfig {
    entries: Vec<Entry>,
}

/// A directive that applies: its keyword in lower case, and its words.
pub(super) type Directive = (String, Vec<String>);

impl SshConfig {
    /// Reads the files that exist. An unreadable one, or a line that cannot be read, is an error that names
    /// file and line.
    pub(super) fn load(files: &[PathBuf], home: &Path) -> Result<Self, String> {
        let mut reader = Reader { home, entries: Vec::new(), warned: false };
        for file in files {
            if file.exists() {
                reader.file(file, &[], 0)?;
            }
        }
        Ok(Self { entries: reader.entries })
    }

    /// The directives that apply to a host, in order of precedence.
    pub(super) fn directives(&self, host: &str) -> Vec<Directive> {
        let applies = |entry: &&Entry| {
            entry.conditions.iter().all(|patterns| pattern::list(patterns.iter().map(String::as_str), host))
        };
        self.entries
            .iter()
            .filter(applies)
            .map(|entry| (entry.keyword.clone(), entry.values.clone()))
            .collect()
    }
}

struct Reader<'a> {
    home: &'a Path,
    entries: Vec<Entry>,
    warned: bool,
}

impl Reader<'_> {
    fn file(&mut self, file: &Path, outer: &[Arc<[String]>], depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("{}: Include is nested deeper than {MAX_DEPTH} files", file.display()));
        }
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        let mut conditions = outer.to_vec();
        for (index, line) in text.lines().enumerate() {
            let place = || format!("{}:{}", file.display(), index + 1);
            let Some((keyword, values)) =
                directive(line).map_err(|problem| format!("{}: {problem}", place()))?
            else {
                continue;
            };
            match keyword.as_str() {
                "host" => conditions = block(outer, values),
                "match" => conditions = self.match_block(outer, &values, &place()),
                "include" => {
                    for path in
                        values.iter().flat_map(|value| included(file, value, self.home)).collect::<Vec<_>>()
                    {
                        self.file(&path, &conditions, depth + 1)?;
                    }
                }
                _ => self.entries.push(Entry { conditions: conditions.clone(), keyword, values }),
            }
        }
        Ok(())
    }

    /// `Match all` applies to every host; other criteria are not supported and match none.
    fn match_block(&mut self, outer: &[Arc<[String]>], values: &[String], place: &str) -> Vec<Arc<[String]>> {
        if values.len() == 1 && values.iter().all(|value| value.eq_ignore_ascii_case("all")) {
            return block(outer, vec!["*".to_owned()]);
        }
        if !self.warned {
            self.warned = true;
            tracing::warn!(
                "{place}: only `Match all` is supported; this and further Match blocks are skipped"
            );
        }
        block(outer, Vec::new())
    }
}

/// The files an `Include` names, sorted; wildcards may stand in the last part of the path. A relative
/// path is looked for beside the including file's own root (`~/.ssh`, `/etc/ssh`).
fn included(file: &Path, value: &str, home: &Path) -> Vec<PathBuf> {
    let path = expand_home(value, home);
    let path = match file.parent() {
        Some(folder) if path.is_relative() => folder.join(path),
        Some(_) | None => path,
    };
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    if !name.contains(['*', '?']) {
        return if path.exists() { vec![path] } else { Vec::new() };
    }
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = names
        .filter(|entry| {
            let entry = entry.file_name();
            entry.to_str().is_some_and(|entry| !entry.starts_with('.') && pattern::wildcard(name, entry))
        })
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

/// The conditions inside a block: those around the file, and its own patterns.
fn block(outer: &[Arc<[String]>], patterns: Vec<String>) -> Vec<Arc<[String]>> {
    let mut conditions = outer.to_vec();
    conditions.push(patterns.into());
    conditions
}

/// Keyword and words of a line: `Keyword value`, `Keyword=value`, quotes, comments.
pub(super) fn directive(line: &str) -> Result<Option<Directive>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let end = line.find(|letter: char| letter.is_whitespace() || letter == '=').unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    let mut values = words::split(rest)?;
    if let Some(comment) = values.iter().position(|value| value.starts_with('#')) {
        values.truncate(comment);
    }
    if values.is_empty() {
        return Err(format!("{keyword} has no value"));
    }
    Ok(Some((keyword.to_ascii_lowercase(), values)))
}

/// A path whose leading `~` is the home.
pub(super) fn expand_home(path: &str, home: &Path) -> PathBuf {
    match path.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None if path == "~" => home.to_owned(),
        None => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn load(text: &str) -> SshConfig {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, text).unwrap();
        SshConfig::load(&[file], folder.path()).unwrap()
    }

    fn first(config: &SshConfig, host: &str, keyword: &str) -> Option<String> {
        let found = config.directives(host).into_iter().find(|(name, _)| name == keyword)?;
        Some(found.1.join(" "))
    }

    #[test]
    fn the_first_matching_value_wins() {
        let config = load(
            "User early\nHost web* !web9\n  User web\n  Port=2222\nMatch all\n\tPort 23 # late\nMatch user x\n Port 9\n",
        );
        assert_eq!(first(&config, "web1", "user").unwrap(), "early");
        assert_eq!(first(&config, "web1", "port").unwrap(), "2222");
        assert_eq!(first(&config, "web9", "port").unwrap(), "23");
    }

    #[test]
    fn includes_keep_the_block_around_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("b.conf"), "Port 2\nHost inner\n User b\n").unwrap();
        std::fs::write(path("a.conf"), "Port 1\n").unwrap();
        std::fs::write(path("config"), "Host x inner\nInclude *.conf\nUser outer\n").unwrap();
        let config = SshConfig::load(&[path("config")], folder.path()).unwrap();
        assert_eq!(first(&config, "x", "port").unwrap(), "1", "sorted by name");
        assert_eq!(first(&config, "x", "user").unwrap(), "outer");
        assert_eq!(first(&config, "inner", "user").unwrap(), "b");
        assert!(config.directives("other").is_empty());
    }

    #[test]
    fn a_file_that_includes_itself_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, "Include config\n").unwrap();
        let error = SshConfig::load(&[file], folder.path()).unwrap_err();
        assert!(error.contains("nested deeper"), "{error}");
    }

    #[test]
    fn a_broken_line_names_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, "User a\nIdentityFile \"b\n").unwrap();
        let error = SshConfig::load(&[file], folder.path()).unwrap_err();
        assert!(error.contains("config:2: the quote"), "{error}");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ -~\n]{0,200}") {
            for line in text.lines() {
                let _ignored: Result<Option<Directive>, String> = directive(line);
            }
        }

        #[test]
        fn a_directive_survives_both_spellings(keyword in "[A-Za-z]{1,12}", value in "[a-z0-9./_-]{1,12}") {
            let expected = Some((keyword.to_ascii_lowercase(), vec![value.clone()]));
            let spaced = format!("  {keyword} {value}");
            let equals = format!("{keyword} = {value}");
            prop_assert_eq!(directive(&spaced).unwrap(), expected.clone());
            prop_assert_eq!(directive(&equals).unwrap(), expected);
        }
    }
}

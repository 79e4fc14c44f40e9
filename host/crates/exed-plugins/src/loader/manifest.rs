//! What a plugin says about itself: TOML, in the component or in a file beside it.

use exed_domain::plugin::PluginKind;
use semver::{Version, VersionReq};
use serde::Deserialize;

use super::LoadError;
use crate::capabilities::Capability;
use crate::limits::Wishes;

/// A parsed manifest.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) kind: PluginKind,
    pub(crate) api: VersionReq,
    pub(crate) summary: String,
    /// Sorted, each once.
    pub(crate) capabilities: Vec<Capability>,
    pub(crate) limits: Wishes,
    pub(crate) scripts: Vec<ScriptEntry>,
}

/// One `[[scripts]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScriptEntry {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) read_only: bool,
    #[serde(default, rename = "summary")]
    _summary: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    name: String,
    version: Version,
    kind: WireKind,
    api: VersionReq,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    capabilities: Vec<String>,
    #[serde(default)]
    limits: Wishes,
    /// Describes the configuration for people and tools; the plugin itself checks what it is given.
    #[serde(default, rename = "config")]
    _config: toml::Table,
    #[serde(default)]
    scripts: Vec<ScriptEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WireKind {
    Executor,
    Policy,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`LoadError::Manifest`] with the line, the key and what is accepted.
    pub(crate) fn parse(text: &str) -> Result<Self, LoadError> {
        let wire: Wire = toml::from_str(text).map_err(|error| LoadError::Manifest(located(text, &error)))?;
        check_name("name", &wire.name)?;
        let mut capabilities = Vec::new();
        for word in &wire.capabilities {
            capabilities.push(Capability::from_word(word).ok_or_else(|| {
                LoadError::Manifest(format!(
                    "capabilities: \"{word}\" is not known here; accepted are {}",
                    Capability::words()
                ))
            })?);
        }
        capabilities.sort_unstable();
        capabilities.dedup();
        for (index, script) in wire.scripts.iter().enumerate() {
            check_name("scripts.name", &script.name)?;
            if wire.scripts.iter().skip(index + 1).any(|other| other.name == script.name) {
                return Err(LoadError::Manifest(format!("scripts: \"{}\" is declared twice", script.name)));
            }
        }
        Ok(Self {
            name: wire.name,
            version: wire.version,
            kind: match wire.kind {
                WireKind::Executor => PluginKind::Executor,
                WireKind::Policy => PluginKind::Policy,
            },
            api: wire.api,
            summary: wire.summary,
            capabilities,
            limits: wire.limits,
            scripts: wire.scripts,
        })
    }
}

/// Names become file names and configuration keys, so they are words: lower-case letters, digits, `-`, `_`
/// and `.` after the first character, 64 at most.
fn check_name(key: &str, name: &str) -> Result<(), LoadError> {
    let mut chars = name.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let rest = chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'));
    if first && rest && name.len() <= 64 {
        return Ok(());
    }
    Err(LoadError::Manifest(format!(
        "{key}: {name:?} is not a name; accepted are up to 64 lower-case letters, digits, '-', '_' and '.', \
         beginning with a letter or digit"
    )))
}

/// The parser's message on one line, with the line it belongs to.
fn located(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', ", ");
    let line = error
        .span()
        .map(|span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count().saturating_add(1));
    line.map_or_else(|| message.clone(), |line| format!("line {line}: {message}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "name = \"remote-shell\"\nversion = \"1.2.3\"\nkind = \"executor\"\napi = \"^0.1\"\n";

    fn refusal(text: &str) -> String {
        Manifest::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_whole_manifest_is_read() {
        let text = format!(
            "{GOOD}summary = \"Commands\"\ncapabilities = [\"transport\", \"events\", \"events\"]\n\
             [limits]\nmemory_mib = 8\n[config]\nanything = \"goes\"\n\
             [[scripts]]\nname = \"facts\"\nread_only = true\nsummary = \"Facts\"\n"
        );
        let manifest = Manifest::parse(&text).unwrap();
        assert_eq!(manifest.capabilities, [Capability::Events, Capability::Transport]);
        assert_eq!(manifest.kind, PluginKind::Executor);
        assert!(manifest.scripts[0].read_only);
    }

    #[test]
    fn errors_name_the_line_and_what_is_accepted() {
        assert!(refusal(&format!("{GOOD}colour = 1\n")).contains("line 5: unknown field `colour`"));
        assert!(refusal(&GOOD.replace("executor", "wizard")).contains("line 3"));
        assert!(refusal(&GOOD.replace("remote-shell", "../etc")).contains("name: \"../etc\""));
        assert!(refusal("kind = \"policy\"").contains("missing field `name`"));
        let asked = refusal(&format!("{GOOD}capabilities = [\"teleport\"]\n"));
        assert!(asked.contains("\"teleport\"") && asked.contains("events, transport"), "{asked}");
        let twice = refusal(&format!("{GOOD}[[scripts]]\nname = \"a\"\n[[scripts]]\nname = \"a\"\n"));
        assert!(twice.contains("declared twice"));
    }

    proptest! {
        #[test]
        fn nothing_makes_the_parser_panic(text in ".{0,200}") {
            let _outcome = Manifest::parse(&text);
        }

        #[test]
        fn a_name_that_is_accepted_is_a_safe_file_name(name in "\\PC{0,70}") {
            if check_name("name", &name).is_ok() {
                prop_assert!(!name.contains('/') && !name.starts_with('.') && !name.is_empty());
            }
        }
    }
}

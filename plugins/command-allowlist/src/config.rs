//! The configuration, and what is checked when it is taken.

use serde::Deserialize;

use crate::paths::safe_path;

/// What the operator writes; unknown keys are errors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Anchored regular expressions for commands.
    pub patterns: Vec<String>,
    /// Words with a `*` that may be used as they are.
    pub globs: Vec<String>,
    /// Digests of scripts, or `name@digest`.
    pub scripts: Vec<String>,
    /// Whether probes that reveal no content are allowed.
    #[serde(default = "yes")]
    pub probes: bool,
    /// Files that may be transferred.
    pub files: Files,
}

/// Anchored regular expressions for absolute paths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Files {
    /// Files that may be read.
    pub read: Vec<String>,
    /// Files that may be written.
    pub write: Vec<String>,
}

fn yes() -> bool {
    true
}

/// An allowed script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    name: Option<String>,
    digest: String,
}

impl Script {
    /// Whether this entry allows a script.
    pub(crate) fn allows(&self, name: &str, digest: &str) -> bool {
        self.digest == digest && self.name.as_deref().is_none_or(|listed| listed == name)
    }
}

/// Reads the list of scripts.
pub(crate) fn scripts(texts: &[String]) -> Result<Vec<Script>, String> {
    let parse = |(index, text): (usize, &String)| {
        let (name, digest) = match text.rsplit_once('@') {
            Some((name, digest)) => (Some(name.to_owned()), digest),
            None => (None, text.as_str()),
        };
        let is_digest = digest.len() == 64 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if is_digest && name.as_deref() != Some("") {
            Ok(Script { name, digest: digest.to_owned() })
        } else {
            Err(format!(
                "scripts[{index}] `{}`: must be the SHA-256 of the script in lower-case hex, alone or behind `name@`",
                text.escape_debug()
            ))
        }
    };
    texts.iter().enumerate().map(parse).collect()
}

/// Checks the list of globs.
pub(crate) fn globs(texts: Vec<String>) -> Result<Vec<String>, String> {
    for (index, text) in texts.iter().enumerate() {
        if !text.strip_suffix("/*").is_some_and(safe_path) {
            return Err(format!(
                "globs[{index}] `{}`: must be a plain absolute folder followed by /*, as in /var/cache/app/*",
                text.escape_debug()
            ));
        }
    }
    Ok(texts)
}

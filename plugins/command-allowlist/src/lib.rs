//! The first-party policy that allows only what its configuration lists; `README.md` tells how.

mod config;
mod paths;
mod pattern;
mod words;

use exed_sdk::{Policy, PolicyAction, Subject, Verdict};

use config::{Config, Script};
use paths::safe_path;
use pattern::Pattern;

/// The policy.
#[derive(Debug)]
pub struct CommandAllowlist {
    patterns: Vec<Pattern>,
    globs: Vec<String>,
    scripts: Vec<Script>,
    probes: bool,
    read: Vec<Pattern>,
    write: Vec<Pattern>,
}

impl Policy for CommandAllowlist {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, String> {
        Ok(Self {
            patterns: Pattern::parse_all("patterns", &config.patterns)?,
            globs: config::globs(config.globs)?,
            scripts: config::scripts(&config.scripts)?,
            probes: config.probes,
            read: Pattern::parse_all("files.read", &config.files.read)?,
            write: Pattern::parse_all("files.write", &config.files.write)?,
        })
    }

    fn evaluate(&self, _subject: &Subject, action: &PolicyAction) -> Verdict {
        match self.refusal(action) {
            None => Verdict::Allow,
            Some(reason) => Verdict::Deny(reason),
        }
    }
}

impl CommandAllowlist {
    /// Why an action is not allowed.
    fn refusal(&self, action: &PolicyAction) -> Option<String> {
        match action {
            PolicyAction::Argv(words) => self.command(words).err(),
            PolicyAction::Shell(_) => {
                Some("command lines for a shell are not allowed; send the words of a command".to_owned())
            }
            PolicyAction::Script { name, digest, .. } => {
                let listed = self.scripts.iter().any(|script| script.allows(name, digest));
                (!listed).then(|| format!("the script `{name}` with digest {digest} is not on the list"))
            }
            PolicyAction::WriteFile { path, .. } => listed_path(&self.write, "writing", path).err(),
            PolicyAction::ReadFile(path) => listed_path(&self.read, "reading", path).err(),
            PolicyAction::Probe { kind, subject } => self.probe(kind, subject).err(),
        }
    }

    fn command(&self, words: &[String]) -> Result<(), String> {
        let command = words::join(words, &self.globs)?;
        if self.patterns.iter().any(|pattern| pattern.matches(&command)) {
            Ok(())
        } else {
            Err(format!("`{command}` is not on the list"))
        }
    }

    /// A kind that this version does not know is denied: it may reveal anything.
    fn probe(&self, kind: &str, subject: &str) -> Result<(), String> {
        match kind {
            "read" => listed_path(&self.read, "reading", subject),
            "stat" | "checksum" | "list" | "which" | "lookup" if self.probes => Ok(()),
            "stat" | "checksum" | "list" | "which" | "lookup" => Err("probes are not allowed".to_owned()),
            other => Err(format!("probes of the kind `{}` are not known here", other.escape_debug())),
        }
    }
}

fn listed_path(patterns: &[Pattern], doing: &str, path: &str) -> Result<(), String> {
    if !safe_path(path) {
        return Err(format!("`{}` is no plain absolute path", path.escape_debug()));
    }
    if patterns.iter().any(|pattern| pattern.matches(path)) {
        Ok(())
    } else {
        Err(format!("{doing} `{path}` is not on the list"))
    }
}

exed_sdk::policy!(CommandAllowlist, manifest = "plugin.toml");

#[cfg(test)]
mod tests;

//! What is known of a plugin without running it.

use semver::{Version, VersionReq};

/// The kinds of plugins that this server can load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PluginKind {
    /// Performs operations on hosts.
    Executor,
    /// Allows or denies steps.
    Policy,
}

impl PluginKind {
    /// The word used in manifests and in the native API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Executor => "executor",
            Self::Policy => "policy",
        }
    }
}

/// Where a component came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginOrigin {
    /// Carried inside the binary.
    Embedded,
    /// Found in the plugin folder, or installed into it through the API: the file's name.
    File(String),
}

/// The life of one loaded version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginState {
    /// New jobs take this version.
    Active,
    /// Replaced; jobs that started with it still run.
    Draining,
    /// Kept, so that a rollback needs no compilation.
    Retained,
}

impl PluginState {
    /// The word used in the native API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Draining => "draining",
            Self::Retained => "retained",
        }
    }
}

/// Exactly which component a job runs with; recorded with the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginUse {
    /// The plugin's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// SHA-256 of the component, lower-case hex.
    pub digest: String,
    /// The version of the plugin API it was built for.
    pub api: Version,
    /// The capabilities it ran with, sorted.
    pub grants: Vec<String>,
}

/// An operation that an executor offers.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationInfo {
    /// `ping`, `facter`, `service`, `execute`, `deploy` …
    pub name: String,
    /// One sentence for people.
    pub summary: String,
    /// Whether two jobs of this operation exclude each other on a host.
    pub exclusive: bool,
    /// JSON Schema of the arguments, for people and tools; the plugin itself validates.
    pub args_schema: serde_json::Value,
}

/// A plugin as lists show it.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginInfo {
    /// Name, version, digest, API and grants.
    pub used: PluginUse,
    /// What it is.
    pub kind: PluginKind,
    /// One sentence for people, from the manifest.
    pub summary: String,
    /// Where it came from.
    pub origin: PluginOrigin,
    /// Where it is in its life.
    pub state: PluginState,
    /// What it offers; empty for policies.
    pub operations: Vec<OperationInfo>,
    /// Runs under way with it.
    pub running: u64,
}

/// A file that was not loaded, and why; the working version stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginRefusal {
    /// The file.
    pub file: String,
    /// One sentence.
    pub reason: String,
}

/// Which plugin, and optionally which versions of it: `remote-shell` or `remote-shell@^1.2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginRequirement {
    /// The plugin's name.
    pub name: String,
    /// Any version if absent.
    pub version: Option<VersionReq>,
}

impl std::str::FromStr for PluginRequirement {
    type Err = semver::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('@') {
            None => Ok(Self { name: text.to_owned(), version: None }),
            Some((name, version)) => {
                Ok(Self { name: name.to_owned(), version: Some(VersionReq::parse(version)?) })
            }
        }
    }
}

impl std::fmt::Display for PluginRequirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.version {
            None => f.write_str(&self.name),
            Some(version) => write!(f, "{}@{version}", self.name),
        }
    }
}

//! Where things are.

use std::path::PathBuf;

use anyhow::Context;

use crate::command;

/// The workspace and its target directory, as cargo sees them.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// The folder of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// The target directory; `CARGO_TARGET_DIR` and cargo's configuration are honoured.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let here = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let metadata = command::cargo_metadata(&here.join("Cargo.toml"))?;
        let folder = |key: &str| {
            let path = metadata.get(key).and_then(serde_json::Value::as_str);
            path.map(PathBuf::from).with_context(|| format!("`cargo metadata` names no `{key}`"))
        };
        Ok(Self { root: folder("workspace_root")?, target: folder("target_directory")? })
    }

    /// The folder of the first-party components, which the binary embeds.
    pub(crate) fn components(&self) -> PathBuf {
        self.target.join("components")
    }

    /// The folder of other plugins' components.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.target.join("plugins")
    }

    /// The target directory of guests: their compiler may be another one than the host's.
    pub(crate) fn guest_target(&self) -> PathBuf {
        self.target.join("guests")
    }
}

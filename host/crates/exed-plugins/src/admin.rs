//! Administration of plugins by API.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use exed_domain::plugin::{PluginInfo, PluginOrigin, PluginRefusal};
use exed_domain::ports::PluginAdmin;
use exed_domain::{Error, FieldError};

use crate::folder::{self, Conflicts};
use crate::host::{Inner, PluginHost};
use crate::loader::Candidate;
use crate::registry::Plugin;

const NO_FOLDER: &str =
    "no plugin folder is configured; set folder in the table [plugins] of the configuration, and restart";

#[async_trait]
impl PluginAdmin for PluginHost {
    fn list(&self) -> (Vec<PluginInfo>, Vec<PluginRefusal>) {
        self.inner.table().list()
    }

    async fn install(&self, component: Bytes) -> Result<PluginInfo, Error> {
        let Some(folder) = self.inner.folder.clone() else {
            return Err(Error::Unsupported(NO_FOLDER.into()));
        };
        let mut seen = self.inner.seen.lock().await;
        let inner = Arc::clone(&self.inner);
        let at = folder.clone();
        let installed = tokio::task::spawn_blocking(move || check_and_write(&inner, &at, &component)).await;
        let plugin = installed.map_err(|error| Error::internal("installing a plugin", error))??;
        let PluginOrigin::File(file) = &plugin.origin else {
            return Err(Error::Unsupported(NO_FOLDER.into()));
        };
        let look =
            folder::look(&folder, file).map_err(|error| Error::internal("looking at the plugin", error))?;
        seen.insert(file.clone(), look);
        folder::settle(&self.inner, file, Ok(Arc::clone(&plugin)), Conflicts::CheckedLater);
        Ok(plugin.info(true))
    }

    async fn rollback(&self, name: &str) -> Result<PluginInfo, Error> {
        self.inner.table_mut().rollback(name)
    }

    async fn remove(&self, name: &str) -> Result<(), Error> {
        let Some(folder) = self.inner.folder.clone() else {
            return Err(Error::Unsupported(NO_FOLDER.into()));
        };
        let mut seen = self.inner.seen.lock().await;
        let Some(files) = self.inner.table().files_of(name) else {
            return Err(Error::NotFound { kind: "plugin", name: name.to_owned() });
        };
        if files.is_empty() {
            return Err(Error::Conflict(format!(
                "plugin {name} is carried inside the binary and cannot be removed"
            )));
        }
        for file in files {
            delete(&folder.join(&file)).map_err(|error| Error::internal("deleting a plugin file", error))?;
            seen.remove(&file);
            self.inner.table_mut().remove_file(&file);
            tracing::info!(plugin = name, file, "plugin removed");
        }
        Ok(())
    }
}

/// Loads the component completely, and only then puts it into the folder.
fn check_and_write(inner: &Inner, folder: &Path, component: &[u8]) -> Result<Arc<Plugin>, Error> {
    let refused = |reason: String| Error::Invalid(FieldError::new("component", reason));
    let load = |beside: Option<&str>, origin| {
        let candidate = Candidate { bytes: component, beside, origin };
        inner.loader.load(&candidate, &inner.grants).map_err(|error| refused(error.to_string()))
    };
    let name = inner.loader.name_of(component).map_err(|error| refused(error.to_string()))?;
    let file = file_for(inner, &name);
    let path = folder.join(&file);
    let beside = folder::manifest_beside(&path)
        .map_err(|error| Error::internal("reading the manifest beside the plugin", error))?;
    let plugin = load(beside.as_deref(), PluginOrigin::File(file))?;
    if let Some(conflict) = inner.table().conflict_of(&plugin) {
        return Err(Error::Conflict(conflict));
    }
    write(&path, component).map_err(|error| Error::internal("writing the plugin file", error))?;
    Ok(plugin)
}

/// The file that a plugin is installed into: the one that provides it now, so that no other file of that
/// name takes over at the next start.
fn file_for(inner: &Inner, name: &str) -> String {
    match inner.table().active_named(name).map(|plugin| plugin.origin.clone()) {
        Some(PluginOrigin::File(file)) => file,
        Some(PluginOrigin::Embedded) | None => format!("{name}.wasm"),
    }
}

/// Under a temporary, hidden name beside it, to the disk, then renamed: nobody ever sees half of it.
fn write(path: &Path, component: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let mut file = tempfile::Builder::new().prefix(".exed-").tempfile_in(&folder)?;
    file.write_all(component)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}

fn delete(component: &Path) -> std::io::Result<()> {
    let gone = |error: std::io::Error| {
        if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
    };
    fs::remove_file(component).or_else(gone)?;
    fs::remove_file(component.with_extension("toml")).or_else(gone)
}

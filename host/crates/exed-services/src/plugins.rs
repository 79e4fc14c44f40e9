//! The loaded plugins.

use std::sync::Arc;

use bytes::Bytes;
use exed_domain::plugin::{OperationInfo, PluginInfo, PluginRefusal, PluginUse};
use exed_domain::ports::{Executors, PluginAdmin};
use exed_domain::{Error, Result};

/// Lists and changes what is loaded.
#[derive(Clone)]
pub struct Plugins {
    admin: Arc<dyn PluginAdmin>,
    executors: Arc<dyn Executors>,
}

impl Plugins {
    pub(crate) fn new(admin: Arc<dyn PluginAdmin>, executors: Arc<dyn Executors>) -> Self {
        Self { admin, executors }
    }

    /// Every live version, and the files that were refused.
    #[must_use]
    pub fn list(&self) -> (Vec<PluginInfo>, Vec<PluginRefusal>) {
        self.admin.list()
    }

    /// The live versions of one plugin.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn get(&self, name: &str) -> Result<Vec<PluginInfo>> {
        let (mut plugins, _) = self.admin.list();
        plugins.retain(|plugin| plugin.used.name == name);
        if plugins.is_empty() {
            return Err(Error::NotFound { kind: "plugin", name: name.to_owned() });
        }
        Ok(plugins)
    }

    /// Every operation with the plugin that new jobs would take.
    #[must_use]
    pub fn operations(&self) -> Vec<(OperationInfo, PluginUse)> {
        self.executors.operations()
    }

    /// Checks a component and makes it active.
    ///
    /// # Errors
    /// [`Error::Invalid`] or [`Error::Conflict`] with one sentence; the working version stays.
    pub async fn install(&self, component: Bytes) -> Result<PluginInfo> {
        self.admin.install(component).await
    }

    /// Makes the version before the active one active again.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Conflict`] when there is none.
    pub async fn rollback(&self, name: &str) -> Result<PluginInfo> {
        self.admin.rollback(name).await
    }

    /// Removes a plugin's file.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Conflict`] for one that is only embedded.
    pub async fn remove(&self, name: &str) -> Result<()> {
        self.admin.remove(name).await
    }
}

//! All plugins by name, and which of them performs an operation.

use std::collections::BTreeMap;
use std::sync::Arc;

use exed_domain::plugin::{
    OperationInfo, PluginInfo, PluginOrigin, PluginRefusal, PluginRequirement, PluginUse,
};
use exed_domain::ports::PluginError;

use super::line::Line;
use super::plugin::{Plugin, Program};
use crate::policy::PolicyProgram;

/// All plugins.
#[derive(Default)]
pub(crate) struct Table {
    lines: BTreeMap<String, Line>,
    refusals: BTreeMap<String, String>,
    bindings: BTreeMap<String, PluginRequirement>,
    keep: usize,
}

impl Table {
    pub(crate) fn new(bindings: BTreeMap<String, PluginRequirement>, keep: usize) -> Self {
        Self { bindings, keep, ..Self::default() }
    }

    /// Makes a plugin active, whatever it conflicts with: at start, everything is put in first and checked
    /// with [`Table::conflict`] afterwards.
    pub(crate) fn insert(&mut self, plugin: &Arc<Plugin>) {
        let line = self.lines.entry(plugin.used.name.clone()).or_default();
        match &plugin.origin {
            PluginOrigin::Embedded => line.embedded = Some(Arc::clone(plugin)),
            PluginOrigin::File(file) => {
                self.refusals.remove(file);
                line.files.insert(file.clone(), Arc::clone(plugin));
            }
        }
        line.activate(plugin, self.keep);
    }

    /// An operation that two active plugins offer and no binding decides.
    pub(crate) fn conflict(&self) -> Option<String> {
        self.active().find_map(|plugin| self.conflict_of(plugin))
    }

    /// Why `plugin` may not become active beside the others.
    pub(crate) fn conflict_of(&self, plugin: &Plugin) -> Option<String> {
        plugin.operations.iter().filter(|operation| !self.bindings.contains_key(&operation.name)).find_map(
            |operation| {
                let other = self.active().find(|other| {
                    other.used.name != plugin.used.name && other.operation(&operation.name).is_some()
                })?;
                Some(format!(
                    "{} and {} both offer the operation \"{}\"; say which one is to perform it with \
                     {} = \"{}\" in the table [operations] of the configuration, and restart",
                    plugin.label(),
                    other.label(),
                    operation.name,
                    operation.name,
                    plugin.used.name,
                ))
            },
        )
    }

    /// Remembers why a file was not loaded.
    pub(crate) fn refuse(&mut self, file: &str, reason: String) {
        self.refusals.insert(file.to_owned(), reason);
    }

    /// Forgets a file that is gone. Where the embedded version would now conflict, the plugin goes away.
    pub(crate) fn remove_file(&mut self, file: &str) {
        self.refusals.remove(file);
        let Some(name) = self.name_of(file) else { return };
        let successor = self.lines.get(&name).and_then(|line| line.successor(file));
        let conflict = successor.and_then(|plugin| self.conflict_of(&plugin));
        let Some(line) = self.lines.get_mut(&name) else { return };
        if let Some(reason) = conflict {
            tracing::warn!(plugin = name, reason, "nothing takes the place of the removed file");
            line.files.remove(file);
            line.active = None;
        } else {
            line.remove_file(file, self.keep);
        }
        if line.is_empty() {
            self.lines.remove(&name);
        }
    }

    /// The plugin that a file provides.
    pub(crate) fn name_of(&self, file: &str) -> Option<String> {
        self.lines.iter().find(|(_, line)| line.files.contains_key(file)).map(|(name, _)| name.clone())
    }

    /// The files that provide a plugin, or nothing if no such plugin is loaded.
    pub(crate) fn files_of(&self, name: &str) -> Option<Vec<String>> {
        Some(self.lines.get(name)?.files.keys().cloned().collect())
    }

    pub(crate) fn active_named(&self, name: &str) -> Option<&Arc<Plugin>> {
        self.lines.get(name)?.active.as_ref()
    }

    /// Goes back to the version that was active before.
    ///
    /// # Errors
    /// One sentence.
    pub(crate) fn rollback(&mut self, name: &str) -> Result<PluginInfo, exed_domain::Error> {
        let Some(line) = self.lines.get_mut(name) else {
            return Err(exed_domain::Error::NotFound { kind: "plugin", name: name.to_owned() });
        };
        let Some((target, before)) = line.rollback(self.keep) else {
            return Err(exed_domain::Error::Conflict(format!(
                "plugin {name} has no earlier version to go back to"
            )));
        };
        tracing::info!(
            plugin = name,
            from = before.map(|plugin| plugin.label()),
            to = target.label(),
            "plugin rolled back"
        );
        Ok(target.info(true))
    }

    pub(crate) fn list(&self) -> (Vec<PluginInfo>, Vec<PluginRefusal>) {
        let plugins = self.lines.values().flat_map(Line::infos).collect();
        let refusal =
            |(file, reason): (&String, &String)| PluginRefusal { file: file.clone(), reason: reason.clone() };
        (plugins, self.refusals.iter().map(refusal).collect())
    }

    /// Every operation with the plugin that new jobs take.
    pub(crate) fn operations(&self) -> Vec<(OperationInfo, PluginUse)> {
        let mut found: BTreeMap<&str, (OperationInfo, PluginUse)> = BTreeMap::new();
        for operation in self.active().flat_map(|plugin| &plugin.operations) {
            if let Ok((plugin, info)) = self.resolve(&operation.name, None) {
                found.entry(operation.name.as_str()).or_insert((info, plugin.used.clone()));
            }
        }
        found.into_values().collect()
    }

    /// The plugin that performs an operation.
    ///
    /// # Errors
    /// [`PluginError::Unavailable`] with one sentence.
    pub(crate) fn resolve(
        &self,
        operation: &str,
        wanted: Option<&PluginRequirement>,
    ) -> Result<(Arc<Plugin>, OperationInfo), PluginError> {
        let found = match wanted.or_else(|| self.bindings.get(operation)) {
            Some(requirement) => self.required(operation, requirement)?,
            None => self.active().find(|plugin| plugin.operation(operation).is_some()).ok_or_else(|| {
                PluginError::Unavailable(format!("no plugin offers the operation \"{operation}\""))
            })?,
        };
        let info = found.operation(operation).cloned();
        let info = info.ok_or_else(|| not_offered(&found.label(), operation))?;
        Ok((Arc::clone(found), info))
    }

    fn required(
        &self,
        operation: &str,
        requirement: &PluginRequirement,
    ) -> Result<&Arc<Plugin>, PluginError> {
        let Some(line) = self.lines.get(&requirement.name) else {
            return Err(PluginError::Unavailable(format!(
                "plugin {}, which is to perform \"{operation}\", is not loaded",
                requirement.name
            )));
        };
        let fits = |plugin: &&Arc<Plugin>| {
            requirement.version.as_ref().is_none_or(|version| version.matches(&plugin.used.version))
        };
        let mut candidates = line.candidates().filter(fits).peekable();
        let first = candidates.peek().copied();
        candidates.find(|plugin| plugin.operation(operation).is_some()).ok_or_else(|| match first {
            Some(plugin) => not_offered(&plugin.label(), operation),
            None => {
                let here: Vec<_> = line.candidates().map(|plugin| plugin.used.version.to_string()).collect();
                PluginError::Unavailable(format!(
                    "no loaded version of plugin {} fits {requirement}; loaded: {}",
                    requirement.name,
                    here.join(", ")
                ))
            }
        })
    }

    /// The active policy of a name.
    pub(crate) fn policy(&self, name: &str) -> Option<Arc<PolicyProgram>> {
        match &self.active_named(name)?.program {
            Program::Policy(policy) => Some(Arc::clone(policy)),
            Program::Executor(_) => None,
        }
    }

    fn active(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.lines.values().filter_map(|line| line.active.as_ref())
    }
}

fn not_offered(label: &str, operation: &str) -> PluginError {
    PluginError::Unavailable(format!("plugin {label} does not offer the operation \"{operation}\""))
}

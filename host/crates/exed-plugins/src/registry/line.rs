//! The versions of one plugin name.
//!
//! ```text
//!                 load / file replaced               file removed, nothing else of that name
//!   (nothing) ───────────────▶ active ─────────────────────────────────▶ leaving ─▶ (gone when drained)
//!                               │  ▲                                        ▲
//!       replaced or rolled back │  │ rollback                               │ more than N kept
//!                               ▼  │                                        │
//!                              kept (draining while a job holds it, then retained)
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use exed_domain::plugin::{PluginInfo, PluginOrigin};

use super::plugin::{Plugin, Program};

/// The versions of one name.
#[derive(Default)]
pub(crate) struct Line {
    /// What new jobs take.
    pub(crate) active: Option<Arc<Plugin>>,
    /// What the binary carries.
    pub(crate) embedded: Option<Arc<Plugin>>,
    /// What the folder holds, by file name.
    pub(crate) files: BTreeMap<String, Arc<Plugin>>,
    /// What was active before, the latest last.
    earlier: Vec<Arc<Plugin>>,
    /// What was rolled back, the latest last.
    undone: Vec<Arc<Plugin>>,
    /// What nothing keeps but the jobs that hold it.
    leaving: Vec<Weak<Plugin>>,
}

impl Line {
    /// Makes `plugin` active and keeps what was.
    pub(crate) fn activate(&mut self, plugin: &Arc<Plugin>, keep: usize) {
        let before = self.active.replace(Arc::clone(plugin));
        if let Some(before) = before.filter(|before| !Arc::ptr_eq(before, plugin)) {
            cool(&before);
            self.earlier.push(before);
        }
        // A version that is active again is no longer an earlier one. A manifest beside the component can
        // give the same bytes another version.
        let other = |kept: &Arc<Plugin>| {
            (&kept.used.digest, &kept.used.version) != (&plugin.used.digest, &plugin.used.version)
        };
        self.earlier.retain(other);
        self.undone.retain(other);
        self.trim(keep);
    }

    /// Makes the version that was active before active again.
    pub(crate) fn rollback(&mut self, keep: usize) -> Option<(Arc<Plugin>, Option<Arc<Plugin>>)> {
        let target = self.earlier.pop()?;
        let before = self.active.replace(Arc::clone(&target));
        if let Some(before) = &before {
            cool(before);
            self.undone.push(Arc::clone(before));
        }
        self.trim(keep);
        Some((target, before))
    }

    /// What would be active after the file is gone, if anything.
    pub(crate) fn successor(&self, file: &str) -> Option<Arc<Plugin>> {
        let others = self.files.iter().filter(|(name, _)| *name != file).map(|(_, plugin)| plugin);
        others.max_by(|a, b| a.used.version.cmp(&b.used.version)).or(self.embedded.as_ref()).cloned()
    }

    /// Forgets a file. What came from it stays only where a job holds it, or for a rollback.
    pub(crate) fn remove_file(&mut self, file: &str, keep: usize) {
        self.files.remove(file);
        let origin = PluginOrigin::File(file.to_owned());
        if self.active.as_ref().is_none_or(|active| active.origin != origin) {
            return;
        }
        match self.successor(file) {
            Some(successor) => self.activate(&successor, keep),
            None => {
                let all = self.active.take().into_iter();
                let all: Vec<_> = all.chain(self.earlier.drain(..)).chain(self.undone.drain(..)).collect();
                all.into_iter().for_each(|plugin| self.leave(&plugin));
            }
        }
    }

    /// Every version that is loaded, the preferred one first.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        let files = self.files.values().rev();
        let kept = self.earlier.iter().rev().chain(self.undone.iter().rev());
        self.active.iter().chain(files).chain(&self.embedded).chain(kept)
    }

    /// Whether nothing of this name is loaded any more.
    pub(crate) fn is_empty(&self) -> bool {
        self.active.is_none()
            && self.embedded.is_none()
            && self.files.is_empty()
            && self.leaving.iter().all(|plugin| plugin.strong_count() == 0)
    }

    pub(crate) fn infos(&self) -> Vec<PluginInfo> {
        let leaving: Vec<_> =
            self.leaving.iter().filter_map(Weak::upgrade).filter(|plugin| plugin.is_held()).collect();
        let mut seen: Vec<&Arc<Plugin>> = Vec::new();
        for plugin in self.candidates().chain(&leaving) {
            if !seen.iter().any(|other| Arc::ptr_eq(other, plugin)) {
                seen.push(plugin);
            }
        }
        let active =
            |plugin: &Arc<Plugin>| self.active.as_ref().is_some_and(|other| Arc::ptr_eq(other, plugin));
        seen.into_iter().map(|plugin| plugin.info(active(plugin))).collect()
    }

    fn trim(&mut self, keep: usize) {
        while self.earlier.len() > keep {
            let oldest = self.earlier.remove(0);
            self.leave(&oldest);
        }
        while self.undone.len() > keep {
            let oldest = self.undone.remove(0);
            self.leave(&oldest);
        }
    }

    fn leave(&mut self, plugin: &Arc<Plugin>) {
        cool(plugin);
        self.leaving.retain(|other| other.strong_count() > 0);
        self.leaving.push(Arc::downgrade(plugin));
    }
}

/// A version that is not active needs no warm instances.
fn cool(plugin: &Plugin) {
    match &plugin.program {
        Program::Policy(policy) => policy.cool(),
        Program::Executor(_) => {}
    }
}

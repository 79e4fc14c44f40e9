//! From bytes to a plugin that can be activated: digest, size, manifest, introspection, grants, compilation,
//! and a smoke test. Nothing of a component runs before its imports and exports were compared with what it
//! declares and what it was granted.

pub(crate) mod cache;
pub(crate) mod grants;
mod introspect;
mod manifest;
mod requirements;

use std::collections::BTreeMap;
use std::sync::Arc;

use exed_domain::plugin::{OperationInfo, PluginKind, PluginOrigin, PluginUse};
use exed_domain::ports::PluginError;
use serde_json::Value;
use sha2::{Digest, Sha256};
use wasmtime::component::{Component, Linker};

use crate::capabilities::{self, Capability};
use crate::executor::ExecutorProgram;
use crate::limits::{Limits, size};
use crate::machine::Machine;
use crate::policy::PolicyProgram;
use crate::registry::{Plugin, Program};
use crate::state::{Identity, Script};
use cache::Cache;
use grants::Grants;
use introspect::{Introspection, introspect};
use manifest::Manifest;
use requirements::Needs;

/// The largest component, in bytes: one from JavaScript or Python has 14 to 18 MiB.
const LARGEST: usize = 64 << 20;

/// Why a component was not loaded: always one sentence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The file is not a valid component.
    #[error("the file is broken: {0}")]
    Broken(String),
    /// The manifest is missing, malformed, or does not fit the component.
    #[error("the manifest is wrong: {0}")]
    Manifest(String),
    /// It needs something that is not here.
    #[error("{0}")]
    Incompatible(String),
    /// It imports what it does not declare.
    #[error("{0}")]
    Undeclared(String),
    /// It declares what the operator did not grant.
    #[error("{0}")]
    NotGranted(String),
    /// It could be compiled, but its first call failed.
    #[error("its first call failed: {0}")]
    Smoke(String),
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
}

impl From<PluginError> for LoadError {
    fn from(error: PluginError) -> Self {
        Self::Smoke(error.to_string())
    }
}

/// Loads components.
pub(crate) struct Loader {
    pub(crate) machine: Arc<Machine>,
    pub(crate) cache: Option<Cache>,
    pub(crate) defaults: Limits,
    pub(crate) maxima: Limits,
    pub(crate) policy_config: BTreeMap<String, Value>,
}

/// A component to load.
pub(crate) struct Candidate<'a> {
    pub(crate) bytes: &'a [u8],
    /// The text of the manifest beside it, which wins over the embedded one.
    pub(crate) beside: Option<&'a str>,
    pub(crate) origin: PluginOrigin,
}

/// A candidate whose papers are in order.
struct Checked {
    manifest: Manifest,
    needs: Needs,
    identity: Arc<Identity>,
    used: PluginUse,
    limits: Limits,
}

impl Loader {
    /// Loads a candidate. Blocks for as long as compilation takes: call it on a blocking thread.
    ///
    /// # Errors
    /// One sentence: what it needs, and what is here.
    pub(crate) fn load(&self, candidate: &Candidate<'_>, grants: &Grants) -> Result<Arc<Plugin>, LoadError> {
        let checked = self.check(candidate, grants)?;
        let component = self.compile(candidate.bytes, &checked.used.digest)?;
        let (program, operations) = self.prepare(&component, &checked)?;
        let Checked { manifest, used, .. } = checked;
        Ok(Arc::new(Plugin::new(used, manifest.summary, candidate.origin.clone(), program, operations)))
    }

    /// The name that a component gives itself in its embedded manifest.
    ///
    /// # Errors
    /// One sentence: it is broken, or has no manifest.
    pub(crate) fn name_of(&self, bytes: &[u8]) -> Result<String, LoadError> {
        match introspect(bytes)?.manifest {
            Some(text) => Manifest::parse(&text).map(|manifest| manifest.name),
            None => Err(LoadError::Manifest(NO_MANIFEST.into())),
        }
    }

    fn check(&self, candidate: &Candidate<'_>, grants: &Grants) -> Result<Checked, LoadError> {
        if candidate.bytes.len() > LARGEST {
            let largest = size(u64::try_from(LARGEST).unwrap_or(u64::MAX));
            return Err(LoadError::Broken(format!("it is larger than {largest}")));
        }
        let digest = hex::encode(Sha256::digest(candidate.bytes));
        let found = introspect(candidate.bytes)?;
        let manifest = match candidate.beside.or(found.manifest.as_deref()) {
            Some(text) => Manifest::parse(text)?,
            None => return Err(LoadError::Manifest(NO_MANIFEST.into())),
        };
        let needs = requirements::check(&manifest, &found)?;
        grants.allow(&manifest, &candidate.origin)?;
        let identity = Arc::new(Identity {
            label: format!("{} {}", manifest.name, manifest.version),
            name: manifest.name.clone(),
            scripts: scripts(&manifest, found)?,
        });
        let used = PluginUse {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            digest,
            api: needs.api.clone(),
            grants: manifest.capabilities.iter().map(|capability| capability.word().to_owned()).collect(),
        };
        let limits = manifest.limits.granted(&self.defaults, &self.maxima);
        Ok(Checked { manifest, needs, identity, used, limits })
    }

    fn compile(&self, bytes: &[u8], digest: &str) -> Result<Component, LoadError> {
        let engine = &self.machine.engine;
        let compiled = match &self.cache {
            Some(cache) => cache.compile(engine, bytes, digest),
            None => Component::from_binary(engine, bytes),
        };
        compiled.map_err(|error| LoadError::Broken(format!("{error:#}").replace('\n', " ")))
    }

    /// Links, and asks the component for a sign of life.
    fn prepare(
        &self,
        component: &Component,
        checked: &Checked,
    ) -> Result<(Program, Vec<OperationInfo>), LoadError> {
        let mismatch = |error: wasmtime::Error| {
            let reason = format!("{error:#}").replace('\n', " ");
            LoadError::Incompatible(format!("{} does not fit this server: {reason}", checked.identity.label))
        };
        let (identity, limits) = (Arc::clone(&checked.identity), checked.limits.clone());
        let guests = self.machine.guests();
        match checked.manifest.kind {
            PluginKind::Executor => {
                let declared: &[Capability] = &checked.manifest.capabilities;
                let linker = capabilities::linker(&self.machine.engine, declared, &checked.needs.wasi);
                let pre = linker.and_then(|linker| linker.instantiate_pre(component)).map_err(mismatch)?;
                let program = Arc::new(ExecutorProgram::new(identity, limits, pre).map_err(mismatch)?);
                let described = guests.block_on(program.describe(&self.machine))?;
                Ok((Program::Executor(program), described.map_err(LoadError::Smoke)?))
            }
            PluginKind::Policy => {
                let linker = Linker::new(&self.machine.engine);
                let pre = linker.instantiate_pre(component).map_err(mismatch)?;
                let config = self.policy_config.get(&checked.used.name);
                let config = config.map_or_else(|| "{}".to_owned(), Value::to_string);
                let program = PolicyProgram::new(identity, &limits, config, pre).map_err(mismatch)?;
                guests.block_on(program.prove(&self.machine)).map_err(LoadError::Smoke)?;
                Ok((Program::Policy(Arc::new(program)), Vec::new()))
            }
        }
    }
}

const NO_MANIFEST: &str = "there is none; embed it as the custom section exed:manifest, or put a TOML file of \
                           the same name beside the component";

/// Joins declarations and texts: neither may be without the other.
fn scripts(manifest: &Manifest, found: Introspection) -> Result<BTreeMap<String, Script>, LoadError> {
    let mut texts = found.scripts;
    let mut scripts = BTreeMap::new();
    for entry in &manifest.scripts {
        let Some(text) = texts.remove(&entry.name) else {
            return Err(LoadError::Manifest(format!(
                "scripts: \"{}\" is declared, but the component has no section exed:script:{0}",
                entry.name
            )));
        };
        let digest = hex::encode(Sha256::digest(text.as_bytes()));
        let script = Script { text: text.into(), digest, read_only: entry.read_only };
        scripts.insert(entry.name.clone(), script);
    }
    match texts.into_keys().next() {
        Some(name) => Err(LoadError::Manifest(format!(
            "the component has the section exed:script:{name}, but the manifest declares no such script"
        ))),
        None => Ok(scripts),
    }
}

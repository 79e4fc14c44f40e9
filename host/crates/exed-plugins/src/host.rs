//! The plugin host itself: what it is started with, and the ports it implements.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use exed_domain::plugin::{OperationInfo, PluginOrigin, PluginRequirement, PluginUse};
use exed_domain::policy::{Proposal, Subject, Verdict};
use exed_domain::ports::{ExecutorHandle, Executors, PluginError, Policies};
use tokio_util::task::AbortOnDropHandle;

use crate::executor::Handle;
use crate::folder::{self, Seen};
use crate::loader::cache::Cache;
use crate::loader::grants::Grants;
use crate::loader::{Candidate, Loader};
use crate::machine::{Machine, MachineError};
use crate::options::{Embedded, PluginOptions};
use crate::registry::{Program, Table};

/// Why the plugin host did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The engine or its threads cannot be set up.
    #[error("{0}")]
    Machine(String),
    /// A folder cannot be used.
    #[error("the folder {} cannot be used", folder.display())]
    Folder {
        /// Which one.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The configuration grants something that is no capability.
    #[error("{0}")]
    Grants(String),
    /// A component that the binary carries cannot be loaded.
    #[error("the component {file} inside this binary cannot be loaded: {reason}")]
    Embedded {
        /// Its file name.
        file: &'static str,
        /// Why.
        reason: String,
    },
    /// Two plugins offer one operation, and the configuration does not say which is meant.
    #[error("{0}")]
    Conflict(String),
}

impl From<MachineError> for StartError {
    fn from(error: MachineError) -> Self {
        Self::Machine(error.to_string())
    }
}

/// What is shared by host, watcher and administration.
pub(crate) struct Inner {
    pub(crate) loader: Loader,
    pub(crate) grants: Grants,
    pub(crate) folder: Option<PathBuf>,
    table: RwLock<Table>,
    /// What the folder looked like when it was last read. Whoever loads from the folder or changes it holds
    /// this for as long.
    pub(crate) seen: tokio::sync::Mutex<BTreeMap<String, Seen>>,
}

impl Inner {
    pub(crate) fn table(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn table_mut(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Loads, runs and administers plugins. Dropping the last handle ends whatever still runs.
pub struct PluginHost {
    pub(crate) inner: Arc<Inner>,
    machine: Arc<Machine>,
    _watcher: Option<AbortOnDropHandle<()>>,
}

impl PluginHost {
    /// Loads what the binary carries and what the folder holds, and begins to watch the folder. Must be
    /// called on the server's tokio runtime: host calls act there.
    ///
    /// # Errors
    /// [`StartError`]. A broken file in the folder is not one of them: it is refused and listed.
    pub async fn start(options: PluginOptions) -> Result<Arc<Self>, StartError> {
        let machine = Arc::new(Machine::start(options.instances, options.threads, &options.maxima)?);
        let (cache, folder) = open_folders(&options)?;
        let mut grants = Grants::parse(&options.grants).map_err(StartError::Grants)?;
        let loader = Loader {
            machine: Arc::clone(&machine),
            cache,
            defaults: options.defaults.at_most(&options.maxima),
            maxima: options.maxima,
            policy_config: options.policy_config,
        };
        let mut table = Table::new(options.bindings, options.retained);
        let loader = load_embedded(loader, options.embedded, &mut grants, &mut table).await?;
        let inner = Arc::new(Inner {
            loader,
            grants,
            folder,
            table: RwLock::new(table),
            seen: tokio::sync::Mutex::default(),
        });
        folder::scan(&inner, folder::Conflicts::CheckedLater).await;
        if let Some(conflict) = inner.table().conflict() {
            return Err(StartError::Conflict(conflict));
        }
        let watcher = folder::watch(&inner).map(AbortOnDropHandle::new);
        Ok(Arc::new(Self { inner, machine, _watcher: watcher }))
    }
}

fn open_folders(options: &PluginOptions) -> Result<(Option<Cache>, Option<PathBuf>), StartError> {
    let unusable = |folder: &PathBuf| {
        let folder = folder.clone();
        |source| StartError::Folder { folder, source }
    };
    let cache = match &options.cache {
        Some(folder) => Some(Cache::open(folder).map_err(unusable(folder))?),
        None => None,
    };
    if let Some(folder) = &options.folder {
        fs::create_dir_all(folder).map_err(unusable(folder))?;
    }
    Ok((cache, options.folder.clone()))
}

/// Compiles what the binary carries, all at once.
async fn load_embedded(
    loader: Loader,
    embedded: Vec<Embedded>,
    grants: &mut Grants,
    table: &mut Table,
) -> Result<Loader, StartError> {
    let loader = Arc::new(loader);
    let mut loading = Vec::new();
    for Embedded { file, bytes } in embedded {
        let loader = Arc::clone(&loader);
        let load = move || {
            let candidate = Candidate { bytes, beside: None, origin: PluginOrigin::Embedded };
            loader.load(&candidate, &Grants::default())
        };
        loading.push((file, tokio::task::spawn_blocking(load)));
    }
    for (file, load) in loading {
        let refused = |reason| StartError::Embedded { file, reason };
        let loaded = load.await.map_err(|error| refused(error.to_string()))?;
        let plugin = loaded.map_err(|error| refused(error.to_string()))?;
        grants.add(&plugin.used.name, &plugin.used.grants);
        table.insert(&plugin);
    }
    Arc::into_inner(loader).ok_or_else(|| StartError::Machine("a loading thread is still alive".into()))
}

impl Executors for PluginHost {
    fn operations(&self) -> Vec<(OperationInfo, PluginUse)> {
        self.inner.table().operations()
    }

    fn resolve(
        &self,
        operation: &str,
        wanted: Option<&PluginRequirement>,
    ) -> Result<Arc<dyn ExecutorHandle>, PluginError> {
        let (plugin, info) = self.inner.table().resolve(operation, wanted)?;
        match &plugin.program {
            Program::Executor(program) => {
                let program = Arc::clone(program);
                Ok(Arc::new(Handle::new(Arc::clone(&self.machine), plugin, program, info)))
            }
            Program::Policy(_) => Err(PluginError::Unavailable(format!(
                "plugin {} is a policy and performs nothing",
                plugin.label()
            ))),
        }
    }
}

#[async_trait]
impl Policies for PluginHost {
    async fn evaluate(&self, policies: &[String], subject: &Subject, proposals: &[Proposal]) -> Vec<Verdict> {
        let mut verdicts = vec![Verdict::Allow; proposals.len()];
        for policy in policies {
            let program = self.inner.table().policy(policy);
            let answers = match program {
                Some(program) => program.ask(&self.machine, subject, proposals).await,
                None => Err(format!("policy {policy} is not loaded")),
            };
            match answers {
                Ok(answers) => merge(&mut verdicts, answers),
                Err(reason) => {
                    tracing::warn!(policy, reason, "the policy could not be asked, so it denies");
                    let denial = Verdict::Deny { policy: policy.clone(), reason };
                    merge(&mut verdicts, vec![denial; proposals.len()]);
                }
            }
        }
        verdicts
    }
}

/// The first denial of each action stays.
fn merge(verdicts: &mut [Verdict], answers: Vec<Verdict>) {
    for (verdict, answer) in verdicts.iter_mut().zip(answers) {
        if *verdict == Verdict::Allow {
            *verdict = answer;
        }
    }
}

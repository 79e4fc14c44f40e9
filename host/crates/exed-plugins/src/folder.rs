//! The plugin folder: reads what changed and watches for more.
//!
//! Reading is level-triggered: a scan compares the folder with what was seen last, whatever woke it. A file
//! that is still being written is refused as broken and read again when it changes once more; one that was
//! renamed into the folder, or closed after writing, is read at once.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use exed_domain::plugin::PluginOrigin;
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::host::Inner;
use crate::loader::{Candidate, LoadError};
use crate::registry::Plugin;

/// Quiet time after which a file that is being written is read all the same.
const QUIET: Duration = Duration::from_millis(500);
/// A scan without any event, in case one was missed.
const ROUND: Duration = Duration::from_secs(30);
/// The same where the kernel cannot watch.
const POLL: Duration = Duration::from_secs(2);

/// What a file looked like, with the manifest beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    component: Stamp,
    beside: Option<Stamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        Self {
            inode: meta.ino(),
            length: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// What a plugin that claims another one's operation means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conflicts {
    /// At start, all are loaded and then compared.
    CheckedLater,
    /// At runtime, the newer one is refused.
    Refused,
}

/// Looks at a file and the manifest beside it.
pub(crate) fn look(folder: &Path, file: &str) -> io::Result<Seen> {
    let component = folder.join(file);
    let beside = match fs::metadata(component.with_extension("toml")) {
        Ok(meta) => Some(Stamp::of(&meta)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    Ok(Seen { component: Stamp::of(&fs::metadata(component)?), beside })
}

/// The text of the manifest beside a component.
pub(crate) fn manifest_beside(component: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(component.with_extension("toml")) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Loads what is new or changed, and forgets what is gone.
pub(crate) async fn scan(inner: &Arc<Inner>, conflicts: Conflicts) {
    let Some(folder) = inner.folder.clone() else { return };
    let inner = Arc::clone(inner);
    let mut seen = inner.seen.lock().await;
    let now = match list(&folder) {
        Ok(now) => now,
        Err(error) => {
            tracing::warn!(folder = %folder.display(), %error, "the plugin folder cannot be read; all stays as it is");
            return;
        }
    };
    let gone: Vec<_> = seen.keys().filter(|file| !now.contains_key(*file)).cloned().collect();
    let changed: Vec<_> = now.into_iter().filter(|(file, stamp)| seen.get(file) != Some(stamp)).collect();
    // New ones first: a renamed file takes over without a moment in which neither is there.
    for (file, stamp) in changed {
        seen.insert(file.clone(), stamp);
        let (at, for_blocking) = (Arc::clone(&inner), file.clone());
        let loaded = tokio::task::spawn_blocking(move || load(&at, &for_blocking)).await;
        let loaded = loaded.unwrap_or_else(|error| Err(LoadError::Smoke(error.to_string())));
        settle(&inner, &file, loaded, conflicts);
    }
    for file in gone {
        seen.remove(&file);
        inner.table_mut().remove_file(&file);
        tracing::info!(file, "plugin file removed");
    }
}

/// The components in the folder. Hidden files are other programs' work in progress.
fn list(folder: &Path) -> io::Result<BTreeMap<String, Seen>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        if !name.ends_with(".wasm") || name.starts_with('.') {
            continue;
        }
        match look(folder, name) {
            Ok(seen) => _ = found.insert(name.to_owned(), seen),
            // Gone between the two looks, or a dangling link.
            Err(error) => tracing::debug!(file = name, %error, "a plugin file is not there any more"),
        }
    }
    Ok(found)
}

fn load(inner: &Inner, file: &str) -> Result<Arc<Plugin>, LoadError> {
    let Some(folder) = &inner.folder else {
        return Err(LoadError::Broken("there is no plugin folder".into()));
    };
    let path = folder.join(file);
    let bytes = fs::read(&path)?;
    let beside = manifest_beside(&path)?;
    let origin = PluginOrigin::File(file.to_owned());
    inner.loader.load(&Candidate { bytes: &bytes, beside: beside.as_deref(), origin }, &inner.grants)
}

/// Activates what was loaded, or says why not.
pub(crate) fn settle(
    inner: &Inner,
    file: &str,
    loaded: Result<Arc<Plugin>, LoadError>,
    conflicts: Conflicts,
) {
    let mut table = inner.table_mut();
    let reason = match loaded {
        Ok(plugin) => {
            let conflict = table.conflict_of(&plugin).filter(|_| conflicts == Conflicts::Refused);
            let Some(reason) = conflict else {
                announce(table.active_named(&plugin.used.name), &plugin);
                // The file may have held another plugin before.
                if table.name_of(file).is_some_and(|name| name != plugin.used.name) {
                    table.remove_file(file);
                }
                table.insert(&plugin);
                return;
            };
            reason
        }
        Err(error) => error.to_string(),
    };
    let stays = table.name_of(file).and_then(|name| table.active_named(&name).map(|plugin| plugin.label()));
    tracing::warn!(file, reason, stays, "plugin file refused");
    table.refuse(file, reason);
}

fn announce(before: Option<&Arc<Plugin>>, after: &Plugin) {
    let after_label = after.label();
    let Some(before) = before else {
        tracing::info!(plugin = after_label, digest = after.used.digest, "plugin loaded");
        return;
    };
    if after.used.version < before.used.version {
        tracing::warn!(from = before.label(), to = after_label, "plugin replaced by an older version");
    } else {
        tracing::info!(from = before.label(), to = after_label, "plugin replaced");
    }
}

/// What an event asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wake {
    /// Something is complete.
    Now,
    /// Something is being written.
    WhenQuiet,
}

/// Watches the folder until the returned task is aborted or the host is gone.
pub(crate) fn watch(inner: &Arc<Inner>) -> Option<JoinHandle<()>> {
    let folder = inner.folder.clone()?;
    let (sender, receiver) = mpsc::unbounded_channel();
    let watcher = watcher(&folder, sender);
    let round = if watcher.is_some() { ROUND } else { POLL };
    let weak = Arc::downgrade(inner);
    Some(inner.loader.machine.guests().spawn(follow(weak, watcher, receiver, round)))
}

fn watcher(folder: &Path, sender: mpsc::UnboundedSender<Wake>) -> Option<RecommendedWatcher> {
    let made = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let wake = match event {
            Ok(event) => wake(&event.kind),
            Err(_lost) => Some(Wake::Now),
        };
        if let Some(wake) = wake {
            // A closed channel means that the host is going.
            let _delivered = sender.send(wake);
        }
    });
    let watched = made.and_then(|mut watcher| {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watched
        .inspect_err(|error| {
            tracing::warn!(folder = %folder.display(), %error, "the plugin folder cannot be watched; it is polled");
        })
        .ok()
}

fn wake(kind: &EventKind) -> Option<Wake> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(_))
        | EventKind::Remove(_) => Some(Wake::Now),
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Any | EventKind::Other => {
            Some(Wake::WhenQuiet)
        }
        EventKind::Access(_) => None,
    }
}

async fn follow(
    inner: Weak<Inner>,
    watcher: Option<RecommendedWatcher>,
    mut events: mpsc::UnboundedReceiver<Wake>,
    round: Duration,
) {
    let _watcher = watcher;
    loop {
        let mut wake = match timeout(round, events.recv()).await {
            Ok(Some(wake)) => wake,
            Ok(None) if round == POLL => {
                tokio::time::sleep(round).await;
                Wake::Now
            }
            Ok(None) => return,
            Err(_round_over) => Wake::Now,
        };
        while wake == Wake::WhenQuiet {
            wake = match timeout(QUIET, events.recv()).await {
                Ok(Some(next)) => next,
                Ok(None) | Err(_) => Wake::Now,
            };
        }
        let Some(inner) = inner.upgrade() else { return };
        scan(&inner, Conflicts::Refused).await;
    }
}

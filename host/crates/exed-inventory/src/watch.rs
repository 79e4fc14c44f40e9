//! Notices when inventory files change.
//!
//! Folders are watched, not files: editors write a new file and rename it, which a watch on the old file
//! would not see. A burst of changes is waited out before the files are read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::file_inventory::Shared;
use crate::load::{folder_of, vars_folders};

/// How long the files must have been quiet before they are read.
const QUIET: Duration = Duration::from_millis(150);
/// How long a stream of changes may put the reading off.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

enum Message {
    Changed(notify::Result<Event>),
    Stop,
}

/// A thread that reloads the inventory when its files change. Dropping it ends the thread.
pub(crate) struct Watcher {
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

/// The folders that are watched, and whether what is below them counts.
type Watched = BTreeSet<(PathBuf, bool)>;

impl Watcher {
    /// Begins to watch. Where that is impossible, the reason goes into the status of the inventory.
    pub(crate) fn start(shared: Arc<Shared>) -> Self {
        let (messages, received) = channel();
        let callback = messages.clone();
        let notifier = notify::recommended_watcher(move |event| {
            // Nobody receives any more once the inventory is dropped.
            let _gone = callback.send(Message::Changed(event));
        });
        let thread = match notifier {
            Ok(notifier) => {
                let mut watch = Watch { shared, notifier, watched: Watched::new() };
                watch.renew();
                let spawned = std::thread::Builder::new()
                    .name("inventory-watch".to_owned())
                    .spawn(move || watch.run(&received));
                spawned.ok()
            }
            Err(error) => {
                shared.set_blind(Some(cannot_watch(&error.to_string())));
                None
            }
        };
        Self { messages, thread }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // A thread that has ended already needs no message.
        let _gone = self.messages.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported where it happened.
            let _panicked = thread.join();
        }
    }
}

struct Watch {
    shared: Arc<Shared>,
    notifier: RecommendedWatcher,
    watched: Watched,
}

impl Watch {
    fn run(&mut self, messages: &Receiver<Message>) {
        let mut due: Option<(Instant, Instant)> = None;
        loop {
            let message = match due {
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some((quiet, latest)) => {
                    messages.recv_timeout(quiet.min(latest).saturating_duration_since(Instant::now()))
                }
            };
            match message {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Message::Changed(event)) => {
                    if self.concerns_us(&event) {
                        let now = Instant::now();
                        let latest = due.map_or(now + LONGEST_WAIT, |(_, latest)| latest);
                        due = Some((now + QUIET, latest));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    due = None;
                    // New folders are watched before they are read, so that no change falls between.
                    self.renew();
                    self.shared.load();
                }
            }
        }
    }

    /// Watches the folders that count now.
    fn renew(&mut self) {
        let wanted = folders(self.shared.paths());
        let mut problem = None;
        for (path, _) in self.watched.difference(&wanted) {
            // The folder may be gone, and its watch with it.
            let _gone = self.notifier.unwatch(path);
        }
        // Also those watched before: one that was replaced by another of its name has lost its watch.
        for (path, below) in &wanted {
            let mode = if *below { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            if let Err(error) = self.notifier.watch(path, mode) {
                problem = Some(cannot_watch(&format!("{}: {error}", path.display())));
            }
        }
        self.watched = wanted;
        self.shared.set_blind(problem);
    }

    fn concerns_us(&self, event: &notify::Result<Event>) -> bool {
        // After an error, events may have been lost.
        let Ok(event) = event else { return true };
        match event.kind {
            EventKind::Access(_) => false,
            EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) => {
                event.paths.is_empty() || event.paths.iter().any(|path| self.is_ours(path))
            }
            EventKind::Any | EventKind::Other => true,
        }
    }

    /// Whether a path is a source, a link on the way to one, or within a folder that counts as a whole.
    fn is_ours(&self, path: &Path) -> bool {
        let within = |(folder, below): &(PathBuf, bool)| *below && path.starts_with(folder);
        let is_vars = path.file_name().is_some_and(|name| name == "group_vars" || name == "host_vars");
        self.watched.iter().any(within)
            || is_vars
            || self.shared.paths().iter().any(|source| {
                path.file_name() == source.file_name()
                    || source.canonicalize().is_ok_and(|target| target == path)
                    || is_link_to_folder(path)
            })
    }
}

/// A folder that files are reached through, as volumes of containers have them, is replaced by renaming a
/// link.
fn is_link_to_folder(path: &Path) -> bool {
    path.is_symlink() && path.is_dir()
}

/// The folders to watch for these sources, as they are now.
fn folders(paths: &[PathBuf]) -> Watched {
    let mut folders = Watched::new();
    for path in paths {
        folders.insert((folder_of(path), false));
        if let Ok(target) = path.canonicalize() {
            folders.insert((folder_of(&target), false));
        }
        if path.is_dir() {
            folders.insert((path.clone(), true));
        }
    }
    for base in vars_folders(paths) {
        for kind in ["group_vars", "host_vars"] {
            let folder = base.join(kind);
            if folder.is_dir() {
                folders.insert((folder, true));
            }
        }
    }
    // What is watched with all below it needs no second watch of its own.
    let whole: Vec<PathBuf> =
        folders.iter().filter(|(_, below)| *below).map(|(path, _)| path.clone()).collect();
    folders.retain(|(path, below)| path.is_dir() && (*below || !whole.contains(path)));
    folders
}

fn cannot_watch(why: &str) -> String {
    format!("changes of the inventory are not noticed ({why}); reload the server after a change")
}

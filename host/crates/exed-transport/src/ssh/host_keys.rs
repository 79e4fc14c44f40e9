//! The check of a server's key: the files, their cache, and the recording of new keys.

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use russh::keys::{Algorithm, PublicKey};

use super::known_hosts::{HostRecord, KnownHosts, Verdict, entry_line, fingerprint};
use super::options::HostKeyPolicy;
use super::target::{Target, endpoint};

/// A file as it was when it was read.
type Cached = (Option<SystemTime>, u64, Arc<KnownHosts>);

/// The known hosts files of this process, read again when they have changed.
#[derive(Debug, Default)]
pub(super) struct HostKeys {
    global: Vec<PathBuf>,
    files: Mutex<HashMap<PathBuf, Cached>>,
}

/// How a key was found acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accepted {
    /// It is the recorded one, or was recorded just now, or none is recorded and the policy asks for none.
    Plainly,
    /// Another key is recorded, and the policy does not mind. No password may be sent.
    AlthoughChanged,
}

impl HostKeys {
    /// Files that are consulted for every host besides its own.
    pub(super) fn new(global: Vec<PathBuf>) -> Self {
        Self { global, files: Mutex::default() }
    }

    /// What the files say about a target.
    pub(super) fn record(&self, target: &Target) -> Result<HostRecord, String> {
        let mut record = HostRecord::default();
        for file in target.known_hosts.iter().chain(&self.global) {
            self.file(file)?.collect(file, &target.address, target.port, &mut record);
        }
        Ok(record)
    }

    /// Judges a presented key by the target's policy, and records it where the policy says so.
    pub(super) fn check(&self, target: &Target, key: &PublicKey) -> Result<Accepted, String> {
        let record = self.record(target)?;
        let host = endpoint(&target.address, target.port);
        let shown = fingerprint(key);
        match (record.judge(key), target.policy) {
            (Verdict::Trusted, _) => Ok(Accepted::Plainly),
            (Verdict::Revoked(line), _) => Err(format!(
                "the host key {shown} of {host} is revoked by {}:{}",
                line.file.display(),
                line.line
            )),
            (Verdict::Changed(_), HostKeyPolicy::Off) => Ok(Accepted::AlthoughChanged),
            (Verdict::Unknown, HostKeyPolicy::Off) => Ok(Accepted::Plainly),
            (Verdict::Changed(line), HostKeyPolicy::Strict | HostKeyPolicy::AcceptNew) => Err(format!(
                "the host key has changed: {host} presents {} {shown}, but {}:{} records {} {}; somebody may \
                 be listening in. If the change is known to be right, remove that line and connect again",
                key.algorithm(),
                line.file.display(),
                line.line,
                line.key.algorithm(),
                fingerprint(&line.key)
            )),
            (Verdict::Unknown, HostKeyPolicy::AcceptNew) => {
                self.append(target, key)?;
                Ok(Accepted::Plainly)
            }
            (Verdict::Unknown, HostKeyPolicy::Strict) => Err(unknown(target, &record, key)),
        }
    }

    fn file(&self, path: &Path) -> Result<Arc<KnownHosts>, String> {
        let state = match std::fs::metadata(path) {
            Ok(metadata) => (metadata.modified().ok(), metadata.len()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Arc::default()),
            Err(error) => return Err(format!("{} cannot be read: {error}", path.display())),
        };
        if let Some((modified, length, cached)) =
            self.files.lock().unwrap_or_else(PoisonError::into_inner).get(path)
            && (*modified, *length) == state
        {
            return Ok(Arc::clone(cached));
        }
        let text =
            std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let parsed = Arc::new(KnownHosts::parse(&String::from_utf8_lossy(&text)));
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(path.to_owned(), (state.0, state.1, Arc::clone(&parsed)));
        Ok(parsed)
    }

    /// Appends a key to the first file. The file is locked and judged again under the lock, so that of many
    /// connections (also of other processes that lock it) one records the key and the others see it.
    fn append(&self, target: &Target, key: &PublicKey) -> Result<(), String> {
        let Some(path) = target.known_hosts.first() else {
            return Ok(());
        };
        let failed = |error: std::io::Error| {
            format!("the new host key cannot be recorded in {}: {error}", path.display())
        };
        let mut file = open_locked(path).map_err(failed)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed)?;
        let mut record = HostRecord::default();
        let known = KnownHosts::parse(&String::from_utf8_lossy(&text));
        known.collect(path, &target.address, target.port, &mut record);
        match record.judge(key) {
            Verdict::Trusted => Ok(()),
            Verdict::Unknown => {
                let mut line = entry_line(&target.address, target.port, key);
                if text.last().is_some_and(|last| *last != b'\n') {
                    line.insert(0, '\n');
                }
                file.write_all(line.as_bytes()).and_then(|()| file.flush()).map_err(failed)
            }
            Verdict::Changed(line) | Verdict::Revoked(line) => Err(format!(
                "{}:{} has meanwhile recorded another key for {}",
                path.display(),
                line.line,
                endpoint(&target.address, target.port)
            )),
        }
    }
}

/// Opens a file for reading and appending, creating it (0600) and its folder (0700), and locks it until it
/// is closed.
fn open_locked(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
    Ok(file)
}

fn unknown(target: &Target, record: &HostRecord, key: &PublicKey) -> String {
    let host = endpoint(&target.address, target.port);
    let file = target
        .known_hosts
        .first()
        .map_or_else(|| "known_hosts".to_owned(), |file| file.display().to_string());
    if let Some(line) = record.authorities.first() {
        return format!(
            "the host key of {host} is vouched for by a certificate authority only ({}:{}), which is not \
             supported; add the host's own key {} {} to {file}",
            line.file.display(),
            line.line,
            key.algorithm(),
            fingerprint(key)
        );
    }
    format!(
        "the host key {} {} of {host} is not in {file}; compare it with the host's own and add it \
         (ssh-keyscan -p {} {} >> {file}), or set StrictHostKeyChecking accept-new to record new keys",
        key.algorithm(),
        fingerprint(key),
        target.port,
        target.address
    )
}

/// The host key algorithms to ask for: those of the recorded keys first, so that the server presents a key
/// that can be compared.
pub(super) fn algorithms(record: &HostRecord) -> Vec<Algorithm> {
    let recorded = |algorithm: &Algorithm| {
        record
            .trusted
            .iter()
            .chain(&record.portless)
            .any(|known| same_kind(&known.key.algorithm(), algorithm))
    };
    let offered = russh::Preferred::DEFAULT.key;
    // SHA-1 signatures are not accepted.
    let modern = offered.iter().filter(|algorithm| !matches!(algorithm, Algorithm::Rsa { hash: None }));
    let (mut first, second): (Vec<Algorithm>, Vec<Algorithm>) = modern.cloned().partition(recorded);
    first.extend(second);
    first
}

fn same_kind(key: &Algorithm, signature: &Algorithm) -> bool {
    key == signature || matches!((key, signature), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }))
}

//! Compiled code on disk, authenticated.
//!
//! Loading compiled code is running it, so an entry is used only if its tag (HMAC-SHA256 under a random key
//! of mode 0600) fits both its name and its content. The name is a digest of the component and of everything
//! the engine compiles with, wasmtime's version included. Whatever does not fit is deleted and compiled anew.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

const KEY_FILE: &str = "key";
/// The block size of SHA-256, which HMAC uses as it is.
const KEY_LENGTH: usize = 64;
const TAG_LENGTH: usize = 32;
/// More entries than this are never kept; the oldest go first.
const MOST_ENTRIES: usize = 128;

/// The cache folder.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    key: [u8; KEY_LENGTH],
}

impl Cache {
    /// Opens the folder and makes it and its key where they are missing.
    ///
    /// # Errors
    /// The folder cannot be made or is not writable.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let path = folder.join(KEY_FILE);
        let key = match read_key(&path)? {
            Some(key) => key,
            None => make_key(&path)?,
        };
        Ok(Self { folder: folder.to_owned(), key })
    }

    /// The compiled component, from the cache or from the compiler.
    pub(crate) fn compile(&self, engine: &Engine, bytes: &[u8], digest: &str) -> wasmtime::Result<Component> {
        let name = entry_name(engine, digest);
        if let Some(component) = self.lookup(engine, &name) {
            return Ok(component);
        }
        let component = Component::from_binary(engine, bytes)?;
        let stored = component
            .serialize()
            .map_err(|error| io::Error::other(format!("{error:#}")))
            .and_then(|code| self.store(&name, &code));
        if let Err(error) = stored {
            tracing::warn!(folder = %self.folder.display(), %error, "compiled code could not be cached");
        }
        Ok(component)
    }

    fn lookup(&self, engine: &Engine, name: &str) -> Option<Component> {
        let path = self.folder.join(name);
        let content = fs::read(&path).ok()?;
        let genuine = content
            .split_at_checked(TAG_LENGTH)
            .filter(|(tag, code)| self.mac(name, code).verify_slice(tag).is_ok());
        let loaded = genuine.map(|(_, code)| {
            // SAFETY: the tag proves that this very code was written by us, under this name, from what
            // `Component::serialize` returned; wasmtime itself checks that it fits the engine.
            #[expect(unsafe_code, reason = "wasmtime marks loading compiled code so; see SAFETY")]
            unsafe {
                Component::deserialize(engine, code)
            }
        });
        match loaded {
            Some(Ok(component)) => return Some(component),
            Some(Err(error)) => {
                tracing::warn!(entry = name, error = format!("{error:#}"), "compiled code is unusable");
            }
            None => tracing::warn!(
                entry = name,
                "compiled code is corrupt or not ours; it is deleted and compiled anew"
            ),
        }
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(entry = name, %error, "it could not be deleted");
        }
        None
    }

    fn store(&self, name: &str, code: &[u8]) -> io::Result<()> {
        let tag = self.mac(name, code).finalize().into_bytes();
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&tag)?;
        file.write_all(code)?;
        file.persist(self.folder.join(name)).map_err(|error| error.error)?;
        self.prune()
    }

    fn prune(&self) -> io::Result<()> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name() != KEY_FILE {
                entries.push((entry.metadata()?.mtime(), entry.path()));
            }
        }
        entries.sort_unstable();
        let surplus = entries.len().saturating_sub(MOST_ENTRIES);
        entries.iter().take(surplus).try_for_each(|(_, path)| fs::remove_file(path))
    }

    fn mac(&self, name: &str, code: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(name.as_bytes());
        mac.update(&[0]);
        mac.update(code);
        mac
    }
}

fn entry_name(engine: &Engine, digest: &str) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let name = Sha256::digest(format!("exed 1\0{digest}\0{:016x}", hasher.finish()));
    hex::encode(name)
}

/// The key, if the file holds one and nobody else may read it.
fn read_key(path: &Path) -> io::Result<Option<[u8; KEY_LENGTH]>> {
    let content = match fs::read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let private = fs::metadata(path)?.permissions().mode() & 0o077 == 0;
    let key = <[u8; KEY_LENGTH]>::try_from(content).ok().filter(|_| private);
    if key.is_none() {
        tracing::warn!(file = %path.display(), "the key is malformed or readable by others; it is replaced");
    }
    Ok(key)
}

fn make_key(path: &Path) -> io::Result<[u8; KEY_LENGTH]> {
    let mut key = [0; KEY_LENGTH];
    rustix::rand::getrandom(&mut key[..], rustix::rand::GetRandomFlags::empty())?;
    let beside = path.with_extension("new");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> Engine {
        crate::engine::config::engine(crate::engine::config::Pool { instances: 2, memory: 1 << 20 }).unwrap()
    }

    fn entries(folder: &Path) -> Vec<PathBuf> {
        let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.file_name().unwrap() != KEY_FILE).collect()
    }

    #[test]
    fn a_second_start_finds_the_code_and_a_forged_entry_is_thrown_away() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = wat::parse_str("(component (core module (func (export \"f\"))))").unwrap();
        let engine = engine();
        let cache = Cache::open(folder.path()).unwrap();
        cache.compile(&engine, &bytes, "digest").unwrap();
        let entry = entries(folder.path()).pop().unwrap();
        let name = entry.file_name().unwrap().to_str().unwrap().to_owned();

        let again = Cache::open(folder.path()).unwrap();
        assert!(again.lookup(&engine, &name).is_some(), "the key was kept");

        let good = fs::read(&entry).unwrap();
        for index in [0, TAG_LENGTH, good.len() - 1] {
            let mut forged = good.clone();
            forged[index] ^= 1;
            fs::write(&entry, forged).unwrap();
            assert!(again.lookup(&engine, &name).is_none());
            assert!(!entry.exists(), "a forged entry is deleted");
        }
        fs::write(folder.path().join("other"), &good).unwrap();
        assert!(again.lookup(&engine, "other").is_none(), "code under another name is not accepted");
        again.compile(&engine, &bytes, "digest").unwrap();
        assert_eq!(fs::read(&entry).unwrap().len(), good.len());
    }

    #[test]
    fn a_key_that_others_may_read_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let first = Cache::open(folder.path()).unwrap().key;
        let path = folder.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_ne!(Cache::open(folder.path()).unwrap().key, first);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

//! Private keys on disk, each read once and again when its file has changed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use russh::keys::{PrivateKey, PublicKey};

/// What an identity file holds.
#[derive(Clone, Debug)]
pub(super) enum Identity {
    /// A key that can sign.
    Private(Arc<PrivateKey>),
    /// A public key, or an encrypted private one: only an agent can sign for it.
    AgentOnly(PublicKey),
}

type Loaded = (Option<SystemTime>, Identity);

/// The keys of this process.
#[derive(Debug, Default)]
pub(super) struct Keys {
    loaded: Mutex<HashMap<PathBuf, Loaded>>,
}

impl Keys {
    /// The identity of a file; `None` if there is no such file. The error names the file and the next step.
    pub(super) fn load(&self, path: &Path) -> Result<Option<Identity>, String> {
        let modified = match std::fs::metadata(path) {
            Ok(metadata) => metadata.modified().ok(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        if let Some((read, identity)) = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(path)
            && *read == modified
        {
            return Ok(Some(identity.clone()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let identity = parse(&text).map_err(|problem| format!("{}: {problem}", path.display()))?;
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.insert(path.to_owned(), (modified, identity.clone()));
        Ok(Some(identity))
    }
}

fn parse(text: &str) -> Result<Identity, String> {
    if let Ok(key) = PrivateKey::from_openssh(text) {
        return Ok(if key.is_encrypted() {
            Identity::AgentOnly(key.public_key().clone())
        } else {
            Identity::Private(Arc::new(key))
        });
    }
    if let Ok(key) = PublicKey::from_openssh(text.trim()) {
        return Ok(Identity::AgentOnly(key));
    }
    match russh::keys::decode_secret_key(text, None) {
        Ok(key) => Ok(Identity::Private(Arc::new(key))),
        Err(russh::keys::Error::KeyIsEncrypted) => {
            Err("the key is encrypted; load it into the agent with ssh-add".to_owned())
        }
        Err(error) => Err(format!("not a private key in OpenSSH, PKCS#1 or PKCS#8 form ({error})")),
    }
}

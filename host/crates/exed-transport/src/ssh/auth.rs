//! Proving who we are: keys the host names, a password, the agent's keys, the usual keys of the home.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::ssh_key::HashAlg;
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodKind, MethodSet};
use tokio::net::UnixStream;

use super::keys::{Identity, Keys};
use super::link::{Link, SessionHandler};
use super::options::SshOptions;
use super::target::{Secret, Target};

/// Keys of the home that are tried where nothing names another, most usual first.
const USUAL_KEYS: &[&str] = &[".ssh/id_ed25519", ".ssh/id_ecdsa", ".ssh/id_rsa"];
/// A keyboard-interactive dialogue longer than this is not a password prompt.
const MAX_PROMPTS: usize = 4;

/// Authenticates a fresh session. The error says what was tried, what the server accepts and what to do.
pub(super) async fn authenticate(
    handle: &mut Handle<SessionHandler>,
    link: &Link,
    target: &Target,
    options: &SshOptions,
    keys: &Keys,
) -> Result<(), String> {
    let mut attempt = Attempt {
        handle,
        link,
        target,
        keys,
        methods: None,
        tried: Vec::new(),
        notes: Vec::new(),
        agent: None,
    };
    if attempt.run(options).await? { Ok(()) } else { Err(attempt.failure()) }
}

/// One try: in, refused, or an error that ends the connection.
type Tried = Result<bool, String>;

struct Attempt<'a> {
    handle: &'a mut Handle<SessionHandler>,
    link: &'a Link,
    target: &'a Target,
    keys: &'a Keys,
    /// What the server still accepts, once it has said so.
    methods: Option<MethodSet>,
    /// Every key that was offered, with its name for messages.
    tried: Vec<(PublicKey, String)>,
    notes: Vec<String>,
    /// The agent and its keys, once it was asked.
    agent: Option<(AgentClient<UnixStream>, Vec<PublicKey>)>,
}

impl Attempt<'_> {
    async fn run(&mut self, options: &SshOptions) -> Tried {
        for path in self.target.identities.iter().chain(&options.default_key) {
            if self.file(path, true).await? {
                return Ok(true);
            }
        }
        if let Some(password) = &self.target.password
            && self.password(password).await?
        {
            return Ok(true);
        }
        if self.target.identities_only {
            return Ok(false);
        }
        for key in self.agent_keys().await {
            if self.agent_key(&key).await? {
                return Ok(true);
            }
        }
        if self.target.identities.is_empty() {
            for name in USUAL_KEYS {
                if self.file(&options.home.join(name), false).await? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn accepts(&self, method: MethodKind) -> bool {
        self.methods.as_ref().is_none_or(|methods| methods.contains(&method))
    }

    /// Tries the key of a file; `named` ones are missed when they are not there.
    async fn file(&mut self, path: &Path, named: bool) -> Tried {
        match self.keys.load(path) {
            Ok(Some(Identity::Private(key))) => self.private_key(key, path.display().to_string()).await,
            Ok(Some(Identity::AgentOnly(key))) => {
                let held = self.agent_keys().await.iter().any(|held| held.key_data() == key.key_data());
                if held {
                    return self.agent_key(&key).await;
                }
                if named {
                    self.notes.push(format!(
                        "{} is encrypted or a public key and the agent does not hold it: ssh-add it",
                        path.display()
                    ));
                }
                Ok(false)
            }
            Ok(None) => {
                if named {
                    self.notes.push(format!("{} does not exist", path.display()));
                }
                Ok(false)
            }
            Err(problem) => {
                self.notes.push(problem);
                Ok(false)
            }
        }
    }

    /// Whether a key is worth offering: once, and only while the server takes keys.
    fn offer(&mut self, key: &PublicKey, name: &str) -> bool {
        let fresh = !self.tried.iter().any(|(tried, _)| tried.key_data() == key.key_data());
        let offered = fresh && self.accepts(MethodKind::PublicKey);
        if offered {
            self.tried.push((key.clone(), name.to_owned()));
        }
        offered
    }

    async fn private_key(&mut self, key: Arc<PrivateKey>, name: String) -> Tried {
        if !self.offer(key.public_key(), &name) {
            return Ok(false);
        }
        let hash = self.rsa_hash(key.public_key()).await?;
        let key = PrivateKeyWithHashAlg::new(key, hash);
        let result = self.handle.authenticate_publickey(self.target.user.as_str(), key).await;
        self.outcome(result.map_err(|error| error.to_string()))
    }

    async fn agent_key(&mut self, key: &PublicKey) -> Tried {
        let name = format!("{} of the agent", key.comment());
        if !self.offer(key, &name) {
            return Ok(false);
        }
        let hash = self.rsa_hash(key).await?;
        let Some((agent, _)) = &mut self.agent else {
            return Ok(false);
        };
        let user = self.target.user.as_str();
        match self.handle.authenticate_publickey_with(user, key.clone(), hash, agent).await {
            Ok(result) => self.outcome(Ok(result)),
            Err(error) => {
                self.notes.push(format!("the agent did not sign with {}: {error}", key.comment()));
                Ok(false)
            }
        }
    }

    /// RSA keys sign with SHA-2; servers that announce nothing get SHA-512.
    async fn rsa_hash(&self, key: &PublicKey) -> Result<Option<HashAlg>, String> {
        if !key.algorithm().is_rsa() {
            return Ok(None);
        }
        match self.handle.best_supported_rsa_hash().await {
            Ok(Some(Some(hash))) => Ok(Some(hash)),
            Ok(Some(None) | None) => Ok(Some(HashAlg::Sha512)),
            Err(_) => Err(self.gone()),
        }
    }

    async fn agent_keys(&mut self) -> Vec<PublicKey> {
        if self.agent.is_none()
            && let Some(socket) = &self.target.agent
        {
            match ask_agent(socket).await {
                Ok(found) => self.agent = Some(found),
                Err(problem) => {
                    let note = format!("the agent at {}: {problem}", socket.display());
                    if !self.notes.contains(&note) {
                        self.notes.push(note);
                    }
                }
            }
        }
        self.agent.as_ref().map(|(_, keys)| keys.clone()).unwrap_or_default()
    }

    async fn password(&mut self, password: &Secret) -> Tried {
        if self.link.changed.load(Ordering::Acquire) {
            self.notes
                .push("the password was not sent, because the host key differs from the recorded one".into());
            return Ok(false);
        }
        // A success ends here; whatever else follows tells of this.
        self.notes.push("the password was refused".to_owned());
        if self.accepts(MethodKind::Password) {
            let user = self.target.user.as_str();
            let result = self.handle.authenticate_password(user, password.0.as_str()).await;
            if self.outcome(result.map_err(|error| error.to_string()))? {
                return Ok(true);
            }
        }
        if self.accepts(MethodKind::KeyboardInteractive) { self.dialogue(password).await } else { Ok(false) }
    }

    /// Answers a single prompt with the password.
    async fn dialogue(&mut self, password: &Secret) -> Tried {
        let user = self.target.user.as_str();
        let mut answer = self.handle.authenticate_keyboard_interactive_start(user, None).await;
        for _ in 0..MAX_PROMPTS {
            let prompts = match answer {
                Ok(KeyboardInteractiveAuthResponse::Success) => return Ok(true),
                Ok(KeyboardInteractiveAuthResponse::Failure { remaining_methods, .. }) => {
                    self.methods = Some(remaining_methods);
                    return Ok(false);
                }
                Ok(KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. }) => prompts,
                Err(_) => return Err(self.gone()),
            };
            if prompts.len() > 1 {
                return Err(
                    "the server asks more than one question; only a single password prompt is answered"
                        .into(),
                );
            }
            let responses = prompts.iter().map(|_| password.0.clone()).collect();
            answer = self.handle.authenticate_keyboard_interactive_respond(responses).await;
        }
        Err("the server keeps asking instead of accepting or refusing the password".to_owned())
    }

    fn outcome(&mut self, result: Result<AuthResult, String>) -> Tried {
        match result {
            Ok(AuthResult::Success) => Ok(true),
            // russh reports the end of the connection as a failure without methods.
            Ok(AuthResult::Failure { remaining_methods, .. }) if remaining_methods.is_empty() => {
                Err(self.gone())
            }
            Ok(AuthResult::Failure { remaining_methods, .. }) => {
                self.methods = Some(remaining_methods);
                Ok(false)
            }
            Err(_) => Err(self.gone()),
        }
    }

    fn gone(&self) -> String {
        format!(
            "the server offers no further method or has ended the connection ({}); it may allow fewer tries: name the \
             right key with IdentityFile and set IdentitiesOnly",
            self.summary()
        )
    }

    fn failure(&self) -> String {
        let accepts = self.methods.iter().flat_map(|methods| methods.iter().map(<&str>::from));
        let accepts = accepts.collect::<Vec<_>>().join(", ");
        format!(
            "authentication failed: {}; the server accepts {}; add a key of ours to the user's \
             authorized_keys, or name another with ansible_ssh_private_key_file or IdentityFile",
            self.summary(),
            if accepts.is_empty() { "nothing that was tried" } else { &accepts }
        )
    }

    fn summary(&self) -> String {
        let names: Vec<&str> = self.tried.iter().map(|(_, name)| name.as_str()).collect();
        let tried = if names.is_empty() {
            "no key was tried".to_owned()
        } else {
            format!("tried {}", names.join(", "))
        };
        std::iter::once(tried).chain(self.notes.iter().cloned()).collect::<Vec<_>>().join("; ")
    }
}

async fn ask_agent(socket: &Path) -> Result<(AgentClient<UnixStream>, Vec<PublicKey>), String> {
    let mut agent = AgentClient::connect_uds(socket).await.map_err(|error| error.to_string())?;
    let identities = agent.request_identities().await.map_err(|error| error.to_string())?;
    let keys = identities.into_iter().filter_map(|identity| match identity {
        AgentIdentity::PublicKey { mut key, comment } => {
            key.set_comment(comment);
            Some(key)
        }
        // Certificates are a later addition; the bare key beside them is listed too.
        AgentIdentity::Certificate { .. } => None,
    });
    Ok((agent, keys.collect()))
}

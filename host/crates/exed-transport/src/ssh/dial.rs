//! One connection from nothing: TCP or a tunnel, handshake, authentication.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{Config, Handle};
use russh::keys::Algorithm;
use russh::{Preferred, SshId, cipher, compression, kex, mac};
use tokio::io::{AsyncRead, AsyncWrite, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::auth::authenticate;
use super::host_keys::{HostKeys, algorithms};
use super::keys::Keys;
use super::link::{Link, SessionError, SessionHandler};
use super::options::SshOptions;
use super::target::{Target, endpoint};
use super::tunnel::Tunnel;

/// Read ahead of russh, which otherwise asks the kernel twice per packet.
const READ_BUFFER: usize = 16 * 1024;
/// What the server may send before it needs an acknowledgement.
const WINDOW: u32 = 2 * 1024 * 1024;
/// Messages between a session and a channel; bytes are bounded by [`Link`], long before this many.
const CHANNEL_MESSAGES: usize = 8192;

/// What every dial needs.
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) options: SshOptions,
    pub(super) host_keys: Arc<HostKeys>,
    pub(super) keys: Keys,
    pub(super) handshakes: Semaphore,
}

/// A live, authenticated session.
pub(super) struct Session {
    pub(super) handle: Handle<SessionHandler>,
    pub(super) link: Arc<Link>,
}

impl Dialer {
    /// A dialer for these options.
    pub(super) fn new(options: SshOptions) -> Self {
        Self {
            host_keys: Arc::new(HostKeys::new(options.global_known_hosts.clone())),
            keys: Keys::default(),
            handshakes: Semaphore::new(options.handshakes.max(1)),
            options,
        }
    }

    /// Connects, through a tunnel if one is given. The error is the reason with the next step, without the
    /// host's name.
    pub(super) async fn dial(&self, target: &Target, tunnel: Option<Tunnel>) -> Result<Session, String> {
        match tunnel {
            Some(tunnel) => self.establish(target, tunnel).await,
            None => {
                let stream = tcp(target).await?;
                self.establish(target, BufReader::with_capacity(READ_BUFFER, stream)).await
            }
        }
    }

    async fn establish<S>(&self, target: &Target, stream: S) -> Result<Session, String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let _permit = self.handshakes.acquire().await.map_err(|_| "the connector is closing".to_owned())?;
        let record = self.host_keys.record(target)?;
        let config = Arc::new(config(target, algorithms(&record)));
        let link = Arc::new(Link::default());
        let handler = SessionHandler {
            link: Arc::clone(&link),
            target: target.clone(),
            host_keys: Arc::clone(&self.host_keys),
        };
        let handshake = async {
            russh::client::connect_stream(config, stream, handler)
                .await
                .map_err(|error| handshake_failure(&error))
        };
        let mut handle = within(target.connect_timeout, "the SSH handshake", handshake).await?;
        let authentication = authenticate(&mut handle, &link, target, &self.options, &self.keys);
        within(target.connect_timeout, "authentication", authentication).await?;
        Ok(Session { handle, link })
    }
}

async fn tcp(target: &Target) -> Result<TcpStream, String> {
    let connect = async {
        let stream = TcpStream::connect((target.address.as_str(), target.port)).await.map_err(|error| {
            format!(
                "no connection to {}: {error}; check that the machine is up, that sshd listens on this port \
                 (ansible_port) and that the address (ansible_host) is right",
                endpoint(&target.address, target.port)
            )
        })?;
        // Commands are small: each packet leaves at once.
        stream.set_nodelay(true).map_err(|error| format!("TCP_NODELAY cannot be set: {error}"))?;
        Ok(stream)
    };
    within(target.connect_timeout, "connecting", connect).await
}

async fn within<T>(
    limit: Duration,
    what: &str,
    work: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(format!(
            "{what} took longer than {} s; check the network, or raise ConnectTimeout (ansible_ssh_timeout)",
            limit.as_secs_f32()
        )),
    }
}

fn handshake_failure(error: &SessionError) -> String {
    match error {
        SessionError::HostKey(text) => text.clone(),
        SessionError::Ssh(russh::Error::NoCommonAlgo { kind, theirs, .. }) => {
            format!("no algorithm in common ({kind:?}): the server offers {}", theirs.join(", "))
        }
        SessionError::Ssh(russh::Error::Disconnect | russh::Error::HUP) => {
            "the server closed the connection during the handshake; it may be at its limit (MaxStartups) or \
             refuse this address"
                .to_owned()
        }
        SessionError::Ssh(error) => format!("the SSH handshake failed: {error}; is this an SSH server?"),
    }
}

/// The client's configuration: the fastest secure algorithms first. sntrup761 and ML-KEM cost tens of
/// milliseconds of CPU at many servers; ring encrypts AES-GCM with the processor's own instructions.
fn config(target: &Target, host_keys: Vec<Algorithm>) -> Config {
    Config {
        client_id: SshId::Standard(Cow::Borrowed(concat!("SSH-2.0-exed_", env!("CARGO_PKG_VERSION")))),
        window_size: WINDOW,
        channel_buffer_size: CHANNEL_MESSAGES,
        preferred: Preferred {
            kex: Cow::Borrowed(&[
                kex::CURVE25519,
                kex::CURVE25519_PRE_RFC_8731,
                kex::ECDH_SHA2_NISTP256,
                kex::ECDH_SHA2_NISTP384,
                kex::MLKEM768X25519_SHA256,
                kex::DH_GEX_SHA256,
                kex::DH_G16_SHA512,
                kex::DH_G14_SHA256,
                kex::EXTENSION_SUPPORT_AS_CLIENT,
                kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
            ]),
            key: Cow::Owned(host_keys),
            cipher: Cow::Borrowed(&[
                cipher::AES_128_GCM,
                cipher::AES_256_GCM,
                cipher::CHACHA20_POLY1305,
                cipher::AES_256_CTR,
                cipher::AES_128_CTR,
            ]),
            mac: Cow::Borrowed(&[
                mac::HMAC_SHA256_ETM,
                mac::HMAC_SHA512_ETM,
                mac::HMAC_SHA256,
                mac::HMAC_SHA512,
            ]),
            compression: Cow::Borrowed(&[compression::NONE]),
            ..Preferred::DEFAULT
        },
        keepalive_interval: target.keepalive,
        keepalive_max: 3,
        nodelay: true,
        ..Config::default()
    }
}

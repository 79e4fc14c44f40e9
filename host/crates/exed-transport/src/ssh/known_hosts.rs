//! Known hosts files: which keys belong to a host.
//!
//! Lines are read as OpenSSH reads them: comma-separated patterns with wildcards and negation, hashed
//! names (`|1|salt|hash`), `[host]:port`, and the markers `@revoked` and `@cert-authority`.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use russh::keys::ssh_key::HashAlg;
use russh::keys::{PublicKey, PublicKeyOrCertificate};

use super::pattern;

/// What a line says about its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marker {
    Trusted,
    Revoked,
    Authority,
}

#[derive(Clone, Debug)]
enum Names {
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
    Patterns(Vec<String>),
}

#[derive(Clone, Debug)]
struct Line {
    number: usize,
    marker: Marker,
    names: Names,
    key: PublicKey,
}

/// One file. Lines that cannot be read are skipped, as OpenSSH does.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownHosts {
    lines: Vec<Line>,
}

/// A recorded key and where it is recorded.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recorded {
    pub(super) file: PathBuf,
    pub(super) line: usize,
    pub(super) key: PublicKey,
}

/// Everything the files say about one host.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct HostRecord {
    pub(super) trusted: Vec<Recorded>,
    pub(super) revoked: Vec<Recorded>,
    pub(super) authorities: Vec<Recorded>,
    /// Keys under the bare name, for a host with another port: enough to trust, not enough to refuse.
    pub(super) portless: Vec<Recorded>,
}

/// What the record says about a presented key.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict<'a> {
    Trusted,
    Revoked(&'a Recorded),
    Changed(&'a Recorded),
    Unknown,
}

impl KnownHosts {
    /// Reads the text of a file.
    pub(super) fn parse(text: &str) -> Self {
        let lines = text.lines().enumerate().filter_map(|(index, line)| parse_line(index + 1, line));
        Self { lines: lines.collect() }
    }

    /// Adds what this file says about a host to its record.
    pub(super) fn collect(&self, file: &Path, address: &str, port: u16, record: &mut HostRecord) {
        let name = entry_name(address, port);
        for line in &self.lines {
            let recorded = || Recorded { file: file.to_owned(), line: line.number, key: line.key.clone() };
            if line.names.matches(&name) {
                match line.marker {
                    Marker::Trusted => record.trusted.push(recorded()),
                    Marker::Revoked => record.revoked.push(recorded()),
                    Marker::Authority => record.authorities.push(recorded()),
                }
            } else if port != 22 && line.marker != Marker::Authority && line.names.matches(address) {
                match line.marker {
                    Marker::Revoked => record.revoked.push(recorded()),
                    Marker::Trusted | Marker::Authority => record.portless.push(recorded()),
                }
            }
        }
    }
}

impl HostRecord {
    /// Judges a presented key.
    pub(super) fn judge(&self, key: &PublicKey) -> Verdict<'_> {
        let equal = |recorded: &&Recorded| recorded.key.key_data() == key.key_data();
        if let Some(revoked) = self.revoked.iter().find(equal) {
            return Verdict::Revoked(revoked);
        }
        if self.trusted.iter().any(|recorded| equal(&recorded)) {
            return Verdict::Trusted;
        }
        // A key of the same kind is the one that has changed; another kind is as little what was recorded.
        let same_kind = self.trusted.iter().find(|recorded| recorded.key.algorithm() == key.algorithm());
        match same_kind.or(self.trusted.first()) {
            Some(recorded) => Verdict::Changed(recorded),
            None if self.portless.iter().any(|recorded| equal(&recorded)) => Verdict::Trusted,
            None => Verdict::Unknown,
        }
    }
}

/// The name a host is recorded under: the bare address for port 22, else `[address]:port`.
pub(super) fn entry_name(address: &str, port: u16) -> String {
    if port == 22 { address.to_owned() } else { format!("[{address}]:{port}") }
}

/// The line that records a key.
pub(super) fn entry_line(address: &str, port: u16, key: &PublicKey) -> String {
    let encoded = key.to_bytes().map(|bytes| STANDARD.encode(bytes)).unwrap_or_default();
    format!("{} {} {encoded}\n", entry_name(address, port).to_ascii_lowercase(), key.algorithm())
}

/// `SHA256:…`, as `ssh-keygen -l` prints it.
pub(super) fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// The bare key a server presented; certificates are not asked for, so none can come.
pub(super) fn bare_key(presented: &PublicKeyOrCertificate) -> Option<&PublicKey> {
    match presented {
        PublicKeyOrCertificate::PublicKey { key, .. } => Some(key),
        PublicKeyOrCertificate::Certificate(_) => None,
    }
}

impl Names {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Patterns(patterns) => pattern::list(patterns.iter().map(String::as_str), name),
            Self::Hashed { salt, hash } => Hmac::<sha1::Sha1>::new_from_slice(salt).is_ok_and(|mut mac| {
                mac.update(name.to_ascii_lowercase().as_bytes());
                mac.verify_slice(hash).is_ok()
            }),
        }
    }
}

fn parse_line(number: usize, line: &str) -> Option<Line> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let mut fields = line.split_whitespace();
    let mut names = fields.next()?;
    let marker = match names {
        "@revoked" => Marker::Revoked,
        "@cert-authority" => Marker::Authority,
        _ => Marker::Trusted,
    };
    if marker != Marker::Trusted {
        names = fields.next()?;
    }
    let (_algorithm, key) = (fields.next()?, fields.next()?);
    let key = PublicKey::from_bytes(&STANDARD.decode(key).ok()?).ok()?;
    Some(Line { number, marker, names: parse_names(names)?, key })
}

fn parse_names(names: &str) -> Option<Names> {
    let Some(hashed) = names.strip_prefix("|1|") else {
        return Some(Names::Patterns(names.split(',').map(str::to_owned).collect()));
    };
    let (salt, hash) = hashed.split_once('|')?;
    Some(Names::Hashed { salt: STANDARD.decode(salt).ok()?, hash: STANDARD.decode(hash).ok()? })
}

#[cfg(test)]
#[path = "known_hosts_tests.rs"]
mod tests;

//! Names of runs and steps on a host.

use std::time::{SystemTime, UNIX_EPOCH};

use exed_domain::StepId;
use exed_domain::ports::RunKey;
use exed_domain::step::Step;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The id under which a step is recorded: SHA-256 over job, host and step path, each preceded by its
/// length so that no two triples run together; the first 32 hexadecimal digits.
#[must_use]
pub fn step_id(key: &RunKey, path: &str) -> StepId {
    let mut hash = Sha256::new();
    for part in [key.job.to_string().as_str(), key.host.as_str(), path] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    StepId(short(&hash.finalize(), 32))
}

/// The mark of a run, which is also the name of its folder on the host: the job, and a hash of the host's
/// name, because two names of the inventory may be one machine.
pub(crate) fn run_mark(key: &RunKey) -> String {
    let hash = Sha256::digest(key.host.as_str().as_bytes());
    format!("{}.{}", key.job, short(&hash, 12))
}

/// The assignments that mark every process of a step.
pub(crate) fn marks(key: &RunKey, step: &Step) -> String {
    format!("EXED_RUN={} EXED_STEP={}", run_mark(key), step_id(key, &step.path))
}

/// An unguessable word; it starts with a byte that is rare in output, which keeps the search for it cheap.
pub(crate) fn nonce() -> String {
    format!("\u{1e}{}", Uuid::new_v4().simple())
}

/// Days since the Unix epoch: old records are looked for once per day.
pub(crate) fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400)
}

fn short(hash: &[u8], digits: usize) -> String {
    hex::encode(hash).chars().take(digits).collect()
}

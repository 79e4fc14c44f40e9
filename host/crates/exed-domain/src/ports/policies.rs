//! Policy plugins, as the services ask them.

use async_trait::async_trait;

use crate::policy::{Proposal, Subject, Verdict};

/// Asks policies.
#[async_trait]
pub trait Policies: Send + Sync {
    /// One verdict per proposal: the first denial among `policies`, or allow. Fails closed: a policy that is
    /// missing, traps or takes too long denies, and says so.
    async fn evaluate(&self, policies: &[String], subject: &Subject, proposals: &[Proposal]) -> Vec<Verdict>;
}

//! What the façades share: reading requests, the access log, metrics, health.

pub(crate) mod access;
pub(crate) mod body;
pub(crate) mod context;
pub(crate) mod failure;
pub(crate) mod fields;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod process;
pub(crate) mod query;
pub(crate) mod site;
pub(crate) mod streams;

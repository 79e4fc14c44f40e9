//! The model of exed: ids, entities, state machines, errors and ports.
//!
//! This crate does no I/O and knows neither an async runtime nor HTTP nor SQL. Its entities derive no
//! `Serialize`: each boundary owns its wire types and converts by hand. Free-form values (arguments,
//! facts, results) are [`serde_json::Value`]. Everything that touches the world is a trait in [`ports`],
//! implemented by the adapter crates and used by `exed-services`.

pub mod error;
pub mod host;
pub mod ids;
pub mod job;
pub mod operate;
pub mod plugin;
pub mod policy;
pub mod ports;
pub mod step;
pub mod time;

pub use error::{Error, FieldError, Result};
pub use host::{Group, Host, Inventory};
pub use ids::{EventSeq, FencingToken, HostName, JobAlias, JobId, StepId, WorkerId};
pub use operate::{OperateState, TaskResult};
pub use time::Timestamp;

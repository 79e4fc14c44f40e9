//! Which version of which plugin is active, which ones are draining or kept, and what was refused.

pub(crate) mod line;
pub(crate) mod plugin;
pub(crate) mod table;

pub(crate) use plugin::{Plugin, Program};
pub(crate) use table::Table;

//! Ansible inventories: INI and YAML files and folders of them, with `group_vars` and `host_vars`.
//!
//! [`load`] reads an inventory once and returns every error of it; [`FileInventory`] keeps one loaded,
//! reads it again when its files change, and keeps the last good one while they are broken. What a file
//! means follows Ansible (the fixtures in `tests-fixtures` were compared with `ansible-inventory`), with
//! these differences: a mistake is an error that names file and line instead of a file skipped with a
//! warning; inventory scripts and inventory plugins are refused with a sentence; dates stay text; a host's
//! `inventory_file` and `inventory_dir` are not set.
//!
//! Values that `!vault` or `!unsafe` mark stay marked: they become objects with the one key
//! `__ansible_vault` or `__ansible_unsafe`, as Ansible writes them in JSON.

mod draft;
mod file_inventory;
mod host_pattern;
mod ini;
mod load;
mod merge;
mod report;
mod sources;
mod vars_files;
mod watch;
mod yaml;

#[cfg(test)]
mod ansible_tests;

pub use file_inventory::{FileInventory, InventoryOptions};
pub use load::load;
pub use report::LoadError;

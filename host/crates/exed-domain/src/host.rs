//! Managed machines and their groups, as one immutable snapshot.
//!
//! A snapshot is built by the inventory adapter and shared behind an `Arc`. Variables of a host are
//! already merged in Ansible's order (`all`, parent groups, child groups, host), group_vars and host_vars
//! included. Pattern matching stands in [`pattern`].

pub mod pattern;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::ids::HostName;

/// A managed machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// Its name in the inventory.
    pub name: HostName,
    /// Every group it belongs to, directly or through children, sorted, without `all` and `ungrouped`.
    pub groups: Vec<String>,
    /// Its merged variables, connection variables (`ansible_host` …) included.
    pub vars: Map<String, Value>,
    /// Free labels, empty for inventory hosts.
    pub labels: IndexMap<String, String>,
}

impl Host {
    /// A string variable; numbers are given as text, because inventories write ports either way.
    #[must_use]
    pub fn var_text(&self, name: &str) -> Option<String> {
        match self.vars.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// A boolean variable, read as Ansible reads it (`yes`, `true`, `on`, `1`, `y`, `t` and their
    /// opposites, in any case). Anything else is `None`.
    #[must_use]
    pub fn var_bool(&self, name: &str) -> Option<bool> {
        let text = self.var_text(name)?.to_ascii_lowercase();
        match text.as_str() {
            "yes" | "true" | "on" | "1" | "y" | "t" => Some(true),
            "no" | "false" | "off" | "0" | "n" | "f" => Some(false),
            _ => None,
        }
    }
}

/// A group of hosts.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Group {
    /// The groups directly below it, in the order of the inventory.
    pub children: Vec<String>,
    /// The hosts named directly in it, in the order of the inventory.
    pub hosts: Vec<HostName>,
    /// Its own variables, group_vars included, not merged with those of its parents.
    pub vars: Map<String, Value>,
}

/// Hosts and groups at one moment. The order of hosts is that of the inventory.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Inventory {
    /// Every host by name.
    pub hosts: IndexMap<HostName, Host>,
    /// Every group by name, `all` and `ungrouped` included.
    pub groups: IndexMap<String, Group>,
}

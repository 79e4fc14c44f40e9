//! Hosts.

use std::collections::BTreeMap;

use exed_domain::Host;
use exed_domain::ports::InventoryStatus;
use serde::Serialize;
use utoipa::ToSchema;

/// A managed machine. Its variables are not shown: inventories keep passwords in them.
#[derive(Serialize, ToSchema)]
#[schema(as = Host)]
pub(in crate::native) struct HostView {
    /// Its name in the inventory.
    name: String,
    /// Where it is reached: `ansible_host`, or its name.
    address: String,
    /// How it is reached: `ansible_connection`, or `ssh`.
    transport: String,
    /// Every group it belongs to, sorted, without `all`.
    groups: Vec<String>,
    /// Free labels.
    labels: BTreeMap<String, String>,
}

impl From<&Host> for HostView {
    fn from(host: &Host) -> Self {
        let labels = host.labels.iter().map(|(key, value)| (key.clone(), value.clone()));
        Self {
            name: host.name.0.clone(),
            address: host.var_text("ansible_host").unwrap_or_else(|| host.name.0.clone()),
            transport: host.var_text("ansible_connection").unwrap_or_else(|| "ssh".to_owned()),
            groups: host.groups.clone(),
            labels: labels.collect(),
        }
    }
}

/// A page of hosts, with the state of the inventory they come from.
#[derive(Serialize, ToSchema)]
#[schema(as = HostPage)]
pub(in crate::native) struct HostPage {
    /// The hosts, in the order of the inventory.
    pub(in crate::native) items: Vec<HostView>,
    /// Give this as `after` to have the next page; null on the last one.
    pub(in crate::native) next: Option<String>,
    /// How many hosts match in all.
    pub(in crate::native) total: usize,
    /// How the last reading of the inventory went.
    pub(in crate::native) inventory: InventoryView,
}

/// How the last reading of the inventory went.
#[derive(Serialize, ToSchema)]
#[schema(as = Inventory)]
pub(in crate::native) struct InventoryView {
    /// Every error, with file and line. While there is one, the hosts are those of the last good reading.
    errors: Vec<String>,
    /// What is doubtful.
    warnings: Vec<String>,
}

impl From<InventoryStatus> for InventoryView {
    fn from(status: InventoryStatus) -> Self {
        Self { errors: status.errors, warnings: status.warnings }
    }
}

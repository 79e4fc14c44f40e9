//! The inventory while its files are read.

use indexmap::{IndexMap, IndexSet};
use serde_json::{Map, Value};

/// Hosts and groups as the files gave them, before anything is merged.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Every group; `all` and `ungrouped` are always there.
    pub(crate) groups: IndexMap<String, DraftGroup>,
    /// The variables that the inventory files give to each host.
    pub(crate) hosts: IndexMap<String, Map<String, Value>>,
}

/// A group as the files gave it.
#[derive(Debug)]
pub(crate) struct DraftGroup {
    pub(crate) children: IndexSet<String>,
    pub(crate) hosts: IndexSet<String>,
    pub(crate) vars: Map<String, Value>,
    /// `ansible_group_priority`: among groups of one depth, the greater one wins.
    pub(crate) priority: i64,
}

impl Default for DraftGroup {
    fn default() -> Self {
        Self { children: IndexSet::new(), hosts: IndexSet::new(), vars: Map::new(), priority: 1 }
    }
}

impl Default for Draft {
    fn default() -> Self {
        let mut draft = Self { groups: IndexMap::new(), hosts: IndexMap::new() };
        draft.group("all").children.insert("ungrouped".to_owned());
        draft.group("ungrouped");
        draft
    }
}

impl Draft {
    /// The group of that name, made if it is new.
    pub(crate) fn group(&mut self, name: &str) -> &mut DraftGroup {
        self.groups.entry(name.to_owned()).or_default()
    }

    /// Puts a host into a group. The port counts where the host is new, as in Ansible.
    pub(crate) fn add_host(&mut self, name: &str, group: &str, port: Option<u16>) -> &mut Map<String, Value> {
        self.group(group).hosts.insert(name.to_owned());
        self.hosts.entry(name.to_owned()).or_insert_with(|| {
            let port = port.map(|port| ("ansible_port".to_owned(), Value::from(port)));
            port.into_iter().collect()
        })
    }

    /// Sets a variable of a group.
    ///
    /// # Errors
    /// A priority that is no whole number.
    pub(crate) fn set_group_var(&mut self, group: &str, name: String, value: Value) -> Result<(), String> {
        if name != "ansible_group_priority" {
            self.group(group).vars.insert(name, value);
            return Ok(());
        }
        let priority = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let priority =
            priority.ok_or_else(|| format!("ansible_group_priority is a whole number, not {value}"))?;
        self.group(group).priority = priority;
        Ok(())
    }

    /// Puts a group below another one.
    ///
    /// # Errors
    /// The groups would contain each other; the sentence names the cycle.
    pub(crate) fn add_child(&mut self, parent: &str, child: &str) -> Result<(), String> {
        if child == "all" {
            return Err(format!("`all` holds every group and cannot be a child of `{parent}`"));
        }
        if let Some(path) = self.path(child, parent) {
            return Err(format!(
                "the groups contain each other: {} → {child}; take one of them out of the other's children",
                path.join(" → ")
            ));
        }
        self.group(child);
        self.group(parent).children.insert(child.to_owned());
        Ok(())
    }

    /// The groups on a way from `from` down to `to`, both included.
    fn path(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut came_from: IndexMap<&str, Option<&str>> = IndexMap::from([(from, None)]);
        let mut queue = vec![from];
        while let Some(name) = queue.pop() {
            if name == to {
                let mut path = Vec::new();
                let mut at = Some(name);
                while let Some(step) = at {
                    path.push(step.to_owned());
                    at = came_from.get(step).copied().flatten();
                }
                path.reverse();
                return Some(path);
            }
            for child in self.groups.get(name).into_iter().flat_map(|group| &group.children) {
                if !came_from.contains_key(child.as_str()) {
                    came_from.insert(child, Some(name));
                    queue.push(child);
                }
            }
        }
        None
    }
}

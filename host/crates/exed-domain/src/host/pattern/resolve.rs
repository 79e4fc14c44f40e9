//! Which hosts a pattern selects.

use std::collections::HashSet;

use super::{BUILT_IN_GROUPS, Part, Pattern, Role, Selector, Span};
use crate::host::Inventory;
use crate::ids::HostName;

/// The hosts that the patterns select together, in the order of the inventory, each once. The parts of all
/// patterns are taken as those of one: `["web", "!web1"]` is `web:!web1`. No pattern selects no host.
#[must_use]
pub fn resolve(patterns: &[Pattern], inventory: &Inventory) -> Vec<HostName> {
    if patterns.is_empty() {
        return Vec::new();
    }
    let parts = || patterns.iter().flat_map(|pattern| &pattern.parts);
    let of_role = |role: Role| parts().filter(move |part| part.role == role);
    let mut chosen = vec![false; inventory.hosts.len()];
    if of_role(Role::Add).next().is_none() {
        chosen.fill(true);
    }
    for part in of_role(Role::Add) {
        for index in select(part, inventory) {
            mark(&mut chosen, index, true);
        }
    }
    for part in of_role(Role::Keep) {
        let kept: HashSet<usize> = select(part, inventory).into_iter().collect();
        for (index, slot) in chosen.iter_mut().enumerate() {
            *slot = *slot && kept.contains(&index);
        }
    }
    for part in of_role(Role::Remove) {
        for index in select(part, inventory) {
            mark(&mut chosen, index, false);
        }
    }
    let names = inventory.hosts.keys().zip(chosen);
    names.filter(|(_, chosen)| *chosen).map(|(name, _)| name.clone()).collect()
}

fn mark(chosen: &mut [bool], index: usize, value: bool) {
    if let Some(slot) = chosen.get_mut(index) {
        *slot = value;
    }
}

/// The positions of the hosts that one part selects, each once, in the order that positions count in: that
/// of the group, its own hosts first and those of its children after them.
fn select(part: &Part, inventory: &Inventory) -> Vec<usize> {
    if part.role == Role::Add
        && let Some(index) = inventory.hosts.get_index_of(&HostName(part.text.clone()))
    {
        return vec![index];
    }
    if let Some((base, span)) = &part.position {
        let hosts = matching(base, inventory);
        if !hosts.is_empty() {
            return at_positions(&hosts, *span);
        }
    }
    matching(&part.selector, inventory)
}

fn at_positions(hosts: &[usize], span: Span) -> Vec<usize> {
    let count = i64::try_from(hosts.len()).unwrap_or(i64::MAX);
    let absolute = |position: i64| if position < 0 { position.saturating_add(count) } else { position };
    let (first, last) = match span {
        Span::One(position) => (absolute(position), absolute(position)),
        Span::Range { first, last } => (absolute(first).max(0), absolute(last)),
    };
    (0..count).zip(hosts).filter(|(at, _)| (first..=last).contains(at)).map(|(_, host)| *host).collect()
}

fn matching(selector: &Selector, inventory: &Inventory) -> Vec<usize> {
    match selector {
        Selector::All => (0..inventory.hosts.len()).collect(),
        Selector::Name(name) => named(name, inventory),
        Selector::Glob(glob) => by_test(inventory, |name| glob.matches(name)),
        Selector::Regex(regex) => {
            // The leftmost match begins at the start if any does.
            by_test(inventory, |name| regex.find(name).is_some_and(|found| found.start() == 0))
        }
    }
}

fn named(name: &str, inventory: &Inventory) -> Vec<usize> {
    let mut hosts = Members::default();
    if inventory.groups.contains_key(name) {
        hosts.add_group(name, inventory);
        // A dotted name may mean a host beside a group, as in Ansible.
        if !name.contains('.') {
            return hosts.order;
        }
    }
    if let Some(index) = inventory.hosts.get_index_of(&HostName(name.to_owned())) {
        hosts.add(index);
    }
    hosts.order
}

fn by_test(inventory: &Inventory, test: impl Fn(&str) -> bool) -> Vec<usize> {
    let mut hosts = Members::default();
    for group in inventory.groups.keys() {
        if !BUILT_IN_GROUPS.contains(&group.as_str()) && test(group) {
            hosts.add_group(group, inventory);
        }
    }
    for (index, name) in inventory.hosts.keys().enumerate() {
        if test(name.as_str()) {
            hosts.add(index);
        }
    }
    hosts.order
}

/// Hosts in the order in which they were found, each once.
#[derive(Default)]
struct Members {
    order: Vec<usize>,
    seen: HashSet<usize>,
}

impl Members {
    fn add(&mut self, index: usize) {
        if self.seen.insert(index) {
            self.order.push(index);
        }
    }

    /// Level by level, so that a group's own hosts come before those of its children.
    fn add_group(&mut self, name: &str, inventory: &Inventory) {
        let mut queue = vec![name];
        let mut queued: HashSet<&str> = HashSet::from([name]);
        let mut next = 0;
        while let Some(group) = queue.get(next).and_then(|name| inventory.groups.get(*name)) {
            next += 1;
            for host in &group.hosts {
                if let Some(index) = inventory.hosts.get_index_of(host) {
                    self.add(index);
                }
            }
            for child in &group.children {
                if inventory.groups.contains_key(child) && queued.insert(child) {
                    queue.push(child);
                }
            }
        }
    }
}

//! From the draft to the snapshot: who inherits what.
//!
//! A host's variables are merged in Ansible's order, later ones replacing earlier ones as a whole:
//!
//! 1. what the inventory files give to `all`, then to its groups;
//! 2. `group_vars/all`, then the `group_vars` of its groups;
//! 3. what the inventory files give to the host, then its `host_vars`.
//!
//! Groups count by depth, then by `ansible_group_priority`, then by name: the later one wins.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use exed_domain::{Group, Host, HostName, Inventory};
use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::draft::Draft;
use crate::report::Report;
use crate::vars_files::VarsFolder;

/// The variable folders beside one inventory source.
pub(crate) struct VarsBase {
    pub(crate) groups: VarsFolder,
    pub(crate) hosts: VarsFolder,
}

/// How the groups hang together, by their index in the draft.
struct Tree {
    depth: Vec<usize>,
    /// The groups above each group, without `all`.
    ancestors: Vec<BTreeSet<usize>>,
}

/// Attaches what hangs free, reads the variable files and merges.
pub(crate) fn finish(mut draft: Draft, bases: &[VarsBase], report: &mut Report) -> Inventory {
    attach(&mut draft);
    warn_of_shared_names(&draft, report);
    let tree = Tree::of(&draft);
    let files: Vec<IndexMap<&str, Map<String, Value>>> = bases
        .iter()
        .map(|base| {
            draft.groups.keys().map(|name| (name.as_str(), base.groups.vars_of(name, report))).collect()
        })
        .collect();
    let groups_of_hosts = groups_of_hosts(&draft, &tree);
    let mut shared: HashMap<&[usize], Rc<Map<String, Value>>> = HashMap::new();
    let mut hosts = IndexMap::with_capacity(draft.hosts.len());
    for (name, own) in &draft.hosts {
        let groups = groups_of_hosts.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
        let inherited = shared.entry(groups).or_insert_with(|| Rc::new(inherited(groups, &draft, &files)));
        let mut vars = Map::clone(inherited);
        vars.extend(own.clone());
        for base in bases {
            vars.extend(base.hosts.vars_of(name, report));
        }
        let host = Host {
            name: HostName(name.clone()),
            groups: group_names(groups, &draft),
            vars,
            labels: IndexMap::new(),
        };
        hosts.insert(host.name.clone(), host);
    }
    let groups = draft.groups.iter().map(|(name, group)| {
        let mut vars = group.vars.clone();
        for file in &files {
            vars.extend(file.get(name.as_str()).cloned().unwrap_or_default());
        }
        let group = Group {
            children: group.children.iter().cloned().collect(),
            hosts: group.hosts.iter().cloned().map(HostName).collect(),
            vars,
        };
        (name.clone(), group)
    });
    Inventory { groups: groups.collect(), hosts }
}

/// Every group without a parent goes below `all`; `ungrouped` holds the hosts of no other group.
fn attach(draft: &mut Draft) {
    let children: BTreeSet<String> =
        draft.groups.values().flat_map(|group| group.children.iter().cloned()).collect();
    let free: Vec<String> =
        draft.groups.keys().filter(|name| *name != "all" && !children.contains(*name)).cloned().collect();
    draft.group("all").children.extend(free);
    let mut grouped: BTreeSet<String> = BTreeSet::new();
    for (name, group) in &draft.groups {
        if name != "all" && name != "ungrouped" {
            grouped.extend(group.hosts.iter().cloned());
        }
    }
    let alone: Vec<String> = draft.hosts.keys().filter(|host| !grouped.contains(*host)).cloned().collect();
    let ungrouped = draft.group("ungrouped");
    ungrouped.hosts.retain(|host| !grouped.contains(host));
    ungrouped.hosts.extend(alone);
}

fn warn_of_shared_names(draft: &Draft, report: &mut Report) {
    for name in draft.hosts.keys().filter(|name| draft.groups.contains_key(*name)) {
        report.warnings.push(format!("`{name}` is the name of a host and of a group; rename one of them"));
    }
}

impl Tree {
    /// Walks the groups from `all` downwards, each after all of its parents. The draft has no cycles.
    fn of(draft: &Draft) -> Self {
        let count = draft.groups.len();
        let mut waiting = vec![0_usize; count];
        let children: Vec<Vec<usize>> = draft
            .groups
            .values()
            .map(|group| group.children.iter().filter_map(|child| draft.groups.get_index_of(child)).collect())
            .collect();
        for child in children.iter().flatten() {
            if let Some(waiting) = waiting.get_mut(*child) {
                *waiting += 1;
            }
        }
        let mut tree = Self { depth: vec![0; count], ancestors: vec![BTreeSet::new(); count] };
        let mut ready: Vec<usize> = (0..count).filter(|index| waiting.get(*index) == Some(&0)).collect();
        while let Some(parent) = ready.pop() {
            for child in children.get(parent).into_iter().flatten() {
                tree.inherit(parent, *child, draft);
                if let Some(waiting) = waiting.get_mut(*child) {
                    *waiting -= 1;
                    if *waiting == 0 {
                        ready.push(*child);
                    }
                }
            }
        }
        tree
    }

    fn inherit(&mut self, parent: usize, child: usize, draft: &Draft) {
        let depth = self.depth.get(parent).copied().unwrap_or_default() + 1;
        let mut above = self.ancestors.get(parent).cloned().unwrap_or_default();
        if draft.groups.get_index_of("all") != Some(parent) {
            above.insert(parent);
        }
        if let (Some(own_depth), Some(own)) = (self.depth.get_mut(child), self.ancestors.get_mut(child)) {
            *own_depth = depth.max(*own_depth);
            own.append(&mut above);
        }
    }
}

/// The groups of every host, `all` left out, in the order in which their variables count.
fn groups_of_hosts<'a>(draft: &'a Draft, tree: &Tree) -> HashMap<&'a str, Vec<usize>> {
    let mut direct: HashMap<&str, BTreeSet<usize>> = HashMap::new();
    for (index, (name, group)) in draft.groups.iter().enumerate() {
        if name == "all" {
            continue;
        }
        for host in &group.hosts {
            let groups = direct.entry(host).or_default();
            groups.insert(index);
            groups.extend(tree.ancestors.get(index).into_iter().flatten());
        }
    }
    let rank = |index: &usize| {
        let group = draft.groups.get_index(*index);
        let priority = group.map_or(1, |(_, group)| group.priority);
        (tree.depth.get(*index).copied(), priority, group.map(|(name, _)| name))
    };
    let ordered = |groups: BTreeSet<usize>| {
        let mut groups: Vec<usize> = groups.into_iter().collect();
        groups.sort_by_key(rank);
        groups
    };
    direct.into_iter().map(|(host, groups)| (host, ordered(groups))).collect()
}

/// The variables that every host of just these groups begins with.
fn inherited(
    groups: &[usize],
    draft: &Draft,
    files: &[IndexMap<&str, Map<String, Value>>],
) -> Map<String, Value> {
    let named = || groups.iter().filter_map(|index| draft.groups.get_index(*index));
    let mut vars = draft.groups.get("all").map(|all| all.vars.clone()).unwrap_or_default();
    for (_, group) in named() {
        vars.extend(group.vars.clone());
    }
    for file in files {
        vars.extend(file.get("all").cloned().unwrap_or_default());
    }
    for file in files {
        for (name, _) in named() {
            vars.extend(file.get(name.as_str()).cloned().unwrap_or_default());
        }
    }
    vars
}

fn group_names(groups: &[usize], draft: &Draft) -> Vec<String> {
    let mut names: Vec<String> = groups
        .iter()
        .filter_map(|index| draft.groups.get_index(*index))
        .filter(|(name, _)| *name != "ungrouped")
        .map(|(name, _)| name.clone())
        .collect();
    names.sort();
    names
}

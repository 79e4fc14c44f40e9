//! Which crate may know which. An arrow may only point inwards:
//!
//! ```text
//!   façades (HTTP, CLI) → services → domain (model and ports) ← adapters (store, bus, transport, plugins)
//! ```
//!
//! The table is the rule; a new crate or a new edge is entered here on purpose or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::Metadata;
use tests::process::workspace_dir;

/// Every crate of ours with those of ours that it may build on.
const INWARDS: &[(&str, &[&str])] = &[
    ("exed-domain", &[]),
    ("exed-services", &["exed-domain"]),
    ("exed-http", &["exed-domain", "exed-services"]),
    ("exed-store", &["exed-domain"]),
    ("exed-bus", &["exed-domain"]),
    ("exed-transport", &["exed-domain"]),
    ("exed-inventory", &["exed-domain"]),
    ("exed-plugin-api", &[]),
    ("exed-plugins", &["exed-domain", "exed-plugin-api"]),
    ("exed-client", &[]),
    (
        "exed",
        &[
            "exed-bus",
            "exed-domain",
            "exed-http",
            "exed-inventory",
            "exed-plugins",
            "exed-services",
            "exed-store",
            "exed-transport",
        ],
    ),
    ("xtask", &["exed-client", "tests"]),
    ("tests", &[]),
    // Guests and their SDK share nothing with the host but wit/.
    ("exed-sdk", &[]),
    ("command-allowlist", &["exed-sdk"]),
    ("remote-shell", &["exed-sdk"]),
    ("service-control", &["exed-sdk"]),
];

/// Crates of others that only some of ours may name.
const KEPT_APART: &[(&str, &[&str])] = &[
    ("axum", &["exed-http"]),
    ("utoipa", &["exed-http"]),
    ("wasmtime", &["exed-plugins", "exed-plugin-api"]),
    ("wasmtime-wasi", &["exed-plugins"]),
    ("rusqlite", &["exed-store"]),
    ("russh", &["exed-transport"]),
    ("notify", &["exed-inventory", "exed-plugins"]),
    ("reqwest", &["exed-client"]),
    ("tracing-subscriber", &["exed"]),
    ("wit-bindgen", &["exed-sdk"]),
];

/// What the model must not know, because it does no I/O and has no wire form.
const NOT_IN_DOMAIN: &[&str] =
    &["tokio", "tokio-util", "axum", "http", "hyper", "serde", "tracing", "rustix"];

/// Past this length a file holds more than one concept.
const LINES_AT_MOST: usize = 600;

#[test]
fn dependencies_point_inwards() {
    let metadata = Metadata::load();
    let members = metadata.members();
    let table: BTreeMap<_, _> = INWARDS.iter().copied().collect();
    let named: BTreeSet<_> = table.keys().copied().collect();
    assert_eq!(
        named,
        members.keys().copied().collect(),
        "the table above names every crate of ours, and no other"
    );
    for (name, package) in &members {
        for dependency in package.builds_on().filter(|dependency| members.contains_key(dependency)) {
            assert!(table[name].contains(&dependency), "{name} must not build on {dependency}");
        }
    }
}

#[test]
fn every_foreign_crate_stays_where_it_belongs() {
    let metadata = Metadata::load();
    for (name, package) in metadata.members() {
        for dependency in package.builds_on() {
            let kept = KEPT_APART.iter().find(|(foreign, _)| *foreign == dependency);
            if let Some((_, allowed)) = kept {
                assert!(allowed.contains(&name), "{name} must not name {dependency}; only {allowed:?} may");
            }
            assert!(
                name != "exed-domain" || !NOT_IN_DOMAIN.contains(&dependency),
                "the model must not know {dependency}"
            );
        }
    }
}

/// The edges of the manifests are not enough for guests: nothing of the host may come in through another.
#[test]
fn guests_reach_no_host_crate() {
    let metadata = Metadata::load();
    let names: BTreeMap<_, _> = metadata.packages.iter().map(|p| (p.id.as_str(), p.name.as_str())).collect();
    let members = metadata.members();
    let host: BTreeSet<_> =
        members.keys().filter(|name| **name == "exed" || is_host_crate(name)).copied().collect();
    for guest in ["exed-sdk", "command-allowlist", "remote-shell", "service-control"] {
        for reached in reachable(&metadata, &members[guest].id) {
            assert!(!host.contains(names[reached]), "{guest} reaches {}", names[reached]);
        }
    }
}

fn is_host_crate(name: &str) -> bool {
    name.starts_with("exed-") && name != "exed-sdk"
}

fn reachable<'a>(metadata: &'a Metadata, from: &'a str) -> BTreeSet<&'a str> {
    let nodes: BTreeMap<_, _> = metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let mut seen = BTreeSet::new();
    let mut next = vec![from];
    while let Some(id) = next.pop() {
        if !seen.insert(id) {
            continue;
        }
        let built = nodes[id]
            .deps
            .iter()
            .filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev")));
        next.extend(built.map(|dep| dep.pkg.as_str()));
    }
    seen
}

/// A crate appears with its first use: a program, a guest, or something that another of ours builds on.
#[test]
fn no_crate_is_without_use() {
    let metadata = Metadata::load();
    let members = metadata.members();
    let used: BTreeSet<_> = members
        .values()
        .flat_map(|package| package.dependencies.iter().map(|dep| dep.name.as_str()))
        .collect();
    for (name, package) in &members {
        let folder = package.manifest_path.parent().unwrap();
        let stands_alone =
            folder.join("src/main.rs").is_file() || folder.starts_with(workspace_dir().join("plugins"));
        assert!(stands_alone || used.contains(name), "nothing uses {name}");
    }
}

#[test]
fn every_source_file_holds_one_concept() {
    let mut files = Vec::new();
    for folder in ["host", "plugins", "sdk", "tests", "examples"] {
        collect(&workspace_dir().join(folder), &mut files);
    }
    assert!(files.len() > 50, "only {} source files were found", files.len());
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= LINES_AT_MOST, "{} has {lines} lines, more than {LINES_AT_MOST}", file.display());
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

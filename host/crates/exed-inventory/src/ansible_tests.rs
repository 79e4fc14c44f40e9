//! Compares what is loaded with what Ansible said of the same files; see `tests-fixtures/expect.py`.

use std::path::{Path, PathBuf};

use exed_domain::Inventory;
use exed_domain::host::pattern::{Pattern, resolve};
use serde_json::{Map, Value, json};

use crate::load;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests-fixtures")
}

fn read(name: &str) -> Value {
    let text = std::fs::read_to_string(fixtures().join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn loaded(case: &Value) -> (Inventory, Vec<String>) {
    let sources = case["sources"].as_array().unwrap();
    let paths: Vec<PathBuf> =
        sources.iter().map(|source| fixtures().join(source.as_str().unwrap())).collect();
    load(&paths).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

#[test]
fn hosts_groups_and_variables_are_those_of_ansible() {
    let expected = read("expected.json");
    for (name, case) in read("cases.json").as_object().unwrap() {
        let (inventory, warnings) = loaded(case);
        assert!(warnings.is_empty(), "{name}: {warnings:?}");
        let wanted = expected[name]["hosts"].as_object().unwrap();
        let found: Vec<&str> = inventory.hosts.keys().map(exed_domain::HostName::as_str).collect();
        for (host, wanted) in wanted {
            let Some(found) = inventory.hosts.get(&exed_domain::HostName::from(host.as_str())) else {
                panic!("{name}: {host} is missing, found {found:?}");
            };
            assert_eq!(json!(found.groups), wanted["groups"], "{name}: groups of {host}");
            assert_same(&found.vars, wanted["vars"].as_object().unwrap(), &format!("{name}: {host}"));
        }
        assert_eq!(found.len(), wanted.len(), "{name}: {found:?}");
    }
}

fn assert_same(found: &Map<String, Value>, wanted: &Map<String, Value>, what: &str) {
    for (key, value) in wanted {
        assert_eq!(found.get(key), Some(value), "{what}: {key}");
    }
    for key in found.keys() {
        assert!(wanted.contains_key(key), "{what}: {key} is too much");
    }
}

#[test]
fn patterns_select_what_they_select_in_ansible() {
    let expected = read("expected.json");
    for (name, case) in read("cases.json").as_object().unwrap() {
        let (inventory, _) = loaded(case);
        for (pattern, wanted) in expected[name]["patterns"].as_object().unwrap() {
            let parsed = Pattern::parse(pattern).unwrap();
            let mut found: Vec<String> =
                resolve(&[parsed], &inventory).iter().map(ToString::to_string).collect();
            found.sort();
            assert_eq!(json!(found), *wanted, "{name}: {pattern}");
        }
    }
}

#[test]
fn the_examples_load() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../examples/inventories");
    for (name, hosts) in [("small/hosts", 3), ("fleet", 23)] {
        let (inventory, warnings) =
            load(&[examples.join(name)]).unwrap_or_else(|errors| panic!("{errors:#?}"));
        assert_eq!((inventory.hosts.len(), warnings), (hosts, Vec::new()), "{name}");
    }
}

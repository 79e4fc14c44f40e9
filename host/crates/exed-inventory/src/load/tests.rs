use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use exed_domain::{HostName, Inventory};
use serde_json::json;
use tempfile::TempDir;

use super::load;

/// A folder with these files; paths may hold folders.
fn files(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The errors of a load, with paths relative to the folder.
fn errors(folder: &TempDir, paths: &[&str]) -> Vec<String> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| folder.path().join(path)).collect();
    let prefix = format!("{}/", folder.path().display());
    let errors = load(&paths).unwrap_err();
    errors.iter().map(|error| error.to_string().replace(&prefix, "")).collect()
}

fn good(path: &Path) -> (Inventory, Vec<String>) {
    load(&[path.to_owned()]).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

#[test]
fn all_errors_of_all_files_are_told_at_once() {
    let folder = files(&[
        ("inv/10.ini", "a oops\nb x='\n"),
        ("inv/20.yml", "web:\n  hosts: [a]\n"),
        ("inv/30", "[web:children]\nnone\n"),
        ("inv/group_vars/all.yml", "a: [\n"),
        ("inv/host_vars/c.yml", "- list\n"),
        ("inv/40", "c\n"),
    ]);
    let errors = errors(&folder, &["inv", "gone"]);
    let places: Vec<&str> = errors.iter().map(|error| error.split(": ").next().unwrap()).collect();
    assert_eq!(
        places,
        [
            "inv/10.ini:1",
            "inv/10.ini:2",
            "inv/20.yml:2",
            "inv/30:2",
            "gone",
            "inv/group_vars/all.yml:2",
            "inv/host_vars/c.yml:1"
        ],
        "{errors:#?}"
    );
}

#[test]
fn what_is_not_read_is_refused_in_a_sentence() {
    let folder = files(&[
        ("script", "#!/bin/sh\necho\n"),
        ("hosts.toml", "[web]\n"),
        ("vault", "$ANSIBLE_VAULT;1.1;AES256\n3030\n"),
        ("plugin.yml", "plugin: x\n"),
    ]);
    fs::write(folder.path().join("latin"), b"a\nb\xe9\n").unwrap();
    let errors = errors(&folder, &["script", "hosts.toml", "vault", "plugin.yml", "latin"]);
    for (error, word) in
        errors.iter().zip(["script", "TOML", "ansible-vault decrypt", "plugin", "line 2 is not UTF-8"])
    {
        assert!(error.contains(word), "{errors:#?}");
    }
    assert_eq!(errors.len(), 5);
}

#[test]
fn a_cycle_over_two_files_is_named() {
    let folder = files(&[("inv/1", "[a:children]\nb\n[b]\n"), ("inv/2.yml", "b:\n  children:\n    a:\n")]);
    let errors = errors(&folder, &["inv"]);
    assert_eq!(errors.len(), 1);
    assert!(errors[0].contains("inv/2.yml:3: the groups contain each other: a → b → a"), "{errors:?}");
}

#[test]
fn warnings_do_not_keep_the_inventory_from_being_loaded() {
    let folder = files(&[
        ("hosts.yml", "web:\n  hosts:\n    web: {a: 1, a: 2}\n  oops: {}\nversion: 2\n"),
        ("group_vars/web.yml", "$ANSIBLE_VAULT;1.1;AES256\n3030\n"),
    ]);
    let (inventory, warnings) = good(&folder.path().join("hosts.yml"));
    assert_eq!(inventory.hosts[0].vars["a"], json!(2));
    let text = warnings.join("\n");
    for word in [
        "`a` stands twice",
        "`oops` in group",
        "`version` is no group",
        "of a host and of a group",
        "as a whole",
    ] {
        assert!(text.contains(word), "{word}: {warnings:#?}");
    }
}

#[test]
fn single_encrypted_values_stay_marked() {
    let folder =
        files(&[("hosts", "a\n"), ("host_vars/a.yml", "p: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  31\n")]);
    let (inventory, warnings) = good(&folder.path().join("hosts"));
    assert_eq!(inventory.hosts[0].vars["p"], json!({"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n31\n"}));
    assert!(warnings.is_empty());
}

#[test]
fn empty_files_and_no_files_are_inventories() {
    let folder = files(&[("hosts", ""), ("empty.yml", "")]);
    assert!(good(&folder.path().join("hosts")).0.hosts.is_empty());
    assert_eq!(good(&folder.path().join("empty.yml")).1.len(), 1);
    let (inventory, _) = load(&[]).unwrap();
    assert_eq!(inventory.groups.keys().collect::<Vec<_>>(), ["all", "ungrouped"]);
}

#[test]
fn files_without_an_ending_are_told_apart() {
    let yaml = [
        "all:\n  hosts: {y: }\n",
        "---\nweb: {hosts: y}\n",
        "# c\n\n\"web\":\n  hosts: y\n",
        "{\"web\": {\"hosts\": {\"y\": {}}}}",
    ];
    for text in yaml {
        let folder = files(&[("hosts", text)]);
        assert!(good(&folder.path().join("hosts")).0.hosts.contains_key(&HostName::from("y")), "{text}");
    }
    let folder = files(&[("hosts", "; c\ny:22\n[2001:db8::1]:22\n")]);
    assert_eq!(good(&folder.path().join("hosts")).0.hosts.len(), 2);
}

#[test]
fn ten_thousand_hosts() {
    let mut text = "[web]\nweb[0001:5000] a=1\n[db]\n".to_owned();
    for number in 0..5000 {
        writeln!(text, "db{number} ansible_host=192.0.2.1 b='{number}' list=\"[1, 2, 3]\"").unwrap();
    }
    text += "[site:children]\nweb\ndb\n";
    let folder = files(&[
        ("hosts", &text),
        ("group_vars/site.yml", "x: {y: [1, 2]}\n"),
        ("host_vars/db7.yml", "z: 1\n"),
    ]);
    let (inventory, _) = good(&folder.path().join("hosts"));
    assert_eq!(inventory.hosts.len(), 10_000);
    let host = &inventory.hosts[&HostName::from("db7")];
    assert_eq!(host.groups, ["db", "site"]);
    assert_eq!(
        serde_json::Value::Object(host.vars.clone()),
        json!({"x": {"y": [1, 2]}, "ansible_host": "192.0.2.1", "b": 7, "list": [1, 2, 3], "z": 1})
    );
}

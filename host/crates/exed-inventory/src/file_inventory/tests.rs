use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use exed_domain::ports::InventorySource;
use tempfile::TempDir;

use super::{FileInventory, InventoryOptions};

fn open(path: &Path, watch: bool) -> FileInventory {
    FileInventory::open(InventoryOptions { paths: vec![path.to_owned()], watch })
}

fn hosts(inventory: &FileInventory) -> String {
    let snapshot = inventory.snapshot();
    snapshot.hosts.keys().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Waits until the condition holds; the bound is generous because the machine may be loaded.
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "did not happen within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// As editors do it: a new file takes the name of the old one.
fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(&beside, path).unwrap();
}

fn folder_with(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hosts");
    fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn an_empty_inventory_has_no_hosts_and_no_errors() {
    let inventory = FileInventory::empty();
    inventory.reload();
    assert!(inventory.snapshot().hosts.is_empty());
    assert!(inventory.status().errors.is_empty());
}

#[test]
fn a_missing_path_tells_how_to_add_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let inventory = open(&folder.path().join("none"), false);
    let errors = inventory.status().errors;
    assert_eq!(errors.len(), 1);
    assert!(errors[0].contains("ansible_host=192.0.2.10"), "{errors:?}");
}

#[test]
fn a_broken_file_keeps_the_last_good_one() {
    let (_folder, path) = folder_with("a\nb\n");
    let inventory = open(&path, false);
    assert_eq!(hosts(&inventory), "a b");
    fs::write(&path, "a\nc oops\nd x='\n").unwrap();
    inventory.reload();
    assert_eq!(hosts(&inventory), "a b");
    let errors = inventory.status().errors;
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].contains("hosts:2: `oops` is not a variable"), "{errors:?}");
    fs::write(&path, "a\nc\n").unwrap();
    inventory.reload();
    assert_eq!(hosts(&inventory), "a c");
    assert!(inventory.status().errors.is_empty());
}

#[test]
fn changes_are_noticed_however_they_are_made() {
    let (folder, path) = folder_with("a\n");
    let inventory = open(&path, true);
    assert!(inventory.is_watching(), "{:?}", inventory.status());
    fs::write(&path, "a\nb\n").unwrap();
    wait_until("a file written in place", || hosts(&inventory) == "a b");
    replace(&path, "a\nb\nc\n");
    wait_until("a file replaced by renaming", || hosts(&inventory) == "a b c");
    replace(&path, "a oops\n");
    wait_until("the error of a broken file", || inventory.status().errors.len() == 1);
    assert_eq!(hosts(&inventory), "a b c");
    replace(&path, "a\n");
    wait_until("the file mended", || hosts(&inventory) == "a" && inventory.status().errors.is_empty());

    let group_vars = folder.path().join("group_vars");
    let var = |name: &str| inventory.snapshot().hosts[0].var_text(name);
    fs::create_dir(&group_vars).unwrap();
    fs::write(group_vars.join("all.yml"), "x: 1\n").unwrap();
    wait_until("a new group_vars folder", || var("x").as_deref() == Some("1"));
    replace(&group_vars.join("all.yml"), "x: 2\n");
    wait_until("a changed file in it", || var("x").as_deref() == Some("2"));
}

#[test]
fn a_file_that_comes_later_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hosts");
    let inventory = open(&path, true);
    assert_eq!(inventory.status().errors.len(), 1);
    fs::write(&path, "late\n").unwrap();
    wait_until("the file that was missing", || hosts(&inventory) == "late");
}

#[test]
fn files_added_to_a_folder_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("10-web"), "web1\n").unwrap();
    let inventory = open(folder.path(), true);
    fs::write(folder.path().join("20-db.yml"), "db: {hosts: {db1: {}}}\n").unwrap();
    wait_until("a second file", || hosts(&inventory) == "web1 db1");
    fs::remove_file(folder.path().join("10-web")).unwrap();
    wait_until("a removed file", || hosts(&inventory) == "db1");
}

#[test]
fn a_link_that_is_pointed_elsewhere_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    for version in ["v1", "v2"] {
        fs::create_dir(folder.path().join(version)).unwrap();
        fs::write(folder.path().join(version).join("hosts"), format!("{version}\n")).unwrap();
    }
    let data = folder.path().join("data");
    std::os::unix::fs::symlink("v1", &data).unwrap();
    let path = folder.path().join("hosts");
    std::os::unix::fs::symlink("data/hosts", &path).unwrap();
    let inventory = open(&path, true);
    assert_eq!(hosts(&inventory), "v1");
    std::os::unix::fs::symlink("v2", folder.path().join("new")).unwrap();
    fs::rename(folder.path().join("new"), &data).unwrap();
    wait_until("the other version", || hosts(&inventory) == "v2");
}

#[test]
fn nothing_of_the_variables_is_shown() {
    let (_folder, path) = folder_with("a ansible_password=geheim\n");
    assert!(!format!("{:?}", open(&path, false)).contains("geheim"));
}

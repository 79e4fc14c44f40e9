//! Which files belong to an inventory, and how each is to be read.

use std::fs;
use std::path::{Path, PathBuf};

use crate::draft::Draft;
use crate::report::Report;
use crate::{ini, yaml};

/// The largest file that is read, in bytes.
const LARGEST_FILE: u64 = 64 << 20;
/// How deeply folders may be nested; a folder that links to itself ends here.
const DEEPEST_FOLDER: usize = 16;
/// Files of a folder that are no inventories, as Ansible has them.
const IGNORED_ENDINGS: [&str; 12] =
    [".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"];
const IGNORED_NAMES: [&str; 3] = ["host_vars", "group_vars", "vars_plugins"];
/// The endings of YAML files, without the point.
pub(crate) const YAML_ENDINGS: [&str; 3] = ["yml", "yaml", "json"];

/// Reads a file, or every file of a folder in the order of their names, into the draft.
pub(crate) fn read(path: &Path, draft: &mut Draft, report: &mut Report) {
    if !path.exists() {
        let problem = "no such file or folder; make it and list your hosts there, one on each line, such as \
                       `web1 ansible_host=192.0.2.10`, or configure the path of an inventory that exists";
        return report.error(path, problem);
    }
    for file in files(path, report) {
        read_file(&file, draft, report);
    }
}

/// The file itself, or the inventory files of a folder and its folders.
fn files(path: &Path, report: &mut Report) -> Vec<PathBuf> {
    let mut found = Vec::new();
    // Folders are replaced by what they hold, so the order is that of a walk by name.
    let mut pending = vec![(path.to_owned(), 0)];
    while let Some((path, depth)) = pending.pop() {
        if !path.is_dir() {
            found.push(path);
            continue;
        }
        if depth >= DEEPEST_FOLDER {
            report.error(&path, format!("folders are nested more than {DEEPEST_FOLDER} deep here"));
            continue;
        }
        match names_in(&path) {
            Ok(names) => {
                let kept = names.iter().rev().filter(|name| !is_ignored(name));
                pending.extend(kept.map(|name| (path.join(name), depth + 1)));
            }
            Err(error) => report.error(&path, format!("the folder cannot be read: {error}")),
        }
    }
    found
}

fn is_ignored(name: &str) -> bool {
    name.starts_with('.')
        || IGNORED_NAMES.contains(&name)
        || IGNORED_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The names in a folder, sorted. Names that are not UTF-8 are left out.
pub(crate) fn names_in(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

fn read_file(path: &Path, draft: &mut Draft, report: &mut Report) {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(problem) => return report.error(path, problem),
    };
    if text.starts_with("#!") {
        let problem = "this is an inventory script, and those are not run; write its hosts into a file, for \
                       example with `ansible-inventory -i SCRIPT --list --yaml`";
        return report.error(path, problem);
    }
    if text.starts_with("$ANSIBLE_VAULT") {
        return report.error(
            path,
            "the inventory is encrypted with Ansible Vault; decrypt it with `ansible-vault decrypt`",
        );
    }
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if ending == "toml" {
        return report.error(path, "TOML inventories are not read; write it as INI or YAML");
    }
    let is_yaml = YAML_ENDINGS.contains(&ending) || (ending != "ini" && looks_like_yaml(&text));
    let mut file_report = report.of_file(path);
    if is_yaml {
        yaml::inventory::read(&text, draft, &mut file_report);
    } else {
        ini::parse(&text, draft, &mut file_report);
    }
}

/// Reads a text file.
///
/// # Errors
/// Why it cannot be read, as a sentence without a full stop.
pub(crate) fn read_text(path: &Path) -> Result<String, String> {
    let meta = fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !meta.is_file() {
        return Err("neither a file nor a folder".to_owned());
    }
    if meta.len() > LARGEST_FILE {
        return Err(format!("the file has {} bytes, and at most {LARGEST_FILE} are read", meta.len()));
    }
    let bytes = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        format!("line {line} is not UTF-8 text; save the file as UTF-8")
    })
}

/// Whether the first line that says something is YAML's: a mapping's key, a brace, or a document's start.
/// In INI it is a section or a host, and a host does not end in a colon.
fn looks_like_yaml(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.find(|line| !line.starts_with(['#', ';'])).unwrap_or_default();
    let word = first.split_whitespace().next().unwrap_or_default();
    word == "---" || word.starts_with(['{', '%']) || word.ends_with(':')
}

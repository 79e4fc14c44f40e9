//! `group_vars` and `host_vars`: variables in files that are named after groups and hosts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::report::Report;
use crate::sources::{self, YAML_ENDINGS};
use crate::yaml::{Converter, parse};

/// How deeply the folder of one group or host may be nested.
const DEEPEST_FOLDER: usize = 16;

/// One `group_vars` or `host_vars` folder; listed once, so that ten thousand hosts without files cost
/// nothing.
#[derive(Debug)]
pub(crate) struct VarsFolder {
    path: PathBuf,
    names: BTreeSet<String>,
}

impl VarsFolder {
    /// Lists the folder `kind` beside an inventory. A folder that is not there has no files.
    pub(crate) fn open(base: &Path, kind: &str, report: &mut Report) -> Self {
        let path = base.join(kind);
        let mut names = BTreeSet::new();
        if path.is_dir() {
            match sources::names_in(&path) {
                Ok(found) => names.extend(found),
                Err(error) => report.error(&path, format!("the folder cannot be read: {error}")),
            }
        } else if path.exists() {
            report.warnings.push(format!("{}: not a folder, so no variables are read there", path.display()));
        }
        Self { path, names }
    }

    /// The variables of a group or host: those of the file or folder that bears its name, without an ending
    /// or with one of YAML's. The first that is there counts, as in Ansible.
    pub(crate) fn vars_of(&self, entity: &str, report: &mut Report) -> Map<String, Value> {
        let with_ending = YAML_ENDINGS.iter().map(|ending| format!("{entity}.{ending}"));
        let Some(name) =
            std::iter::once(entity.to_owned()).chain(with_ending).find(|name| self.names.contains(name))
        else {
            return Map::new();
        };
        let path = self.path.join(name);
        let mut files = Vec::new();
        if path.is_dir() {
            collect(&path, 0, &mut files, report);
        } else {
            files.push(path);
        }
        let mut vars = Map::new();
        for file in files {
            vars.extend(read_vars(&file, report));
        }
        vars
    }
}

/// The variable files of a folder and its folders, in the order of their names.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, report: &mut Report) {
    if depth >= DEEPEST_FOLDER {
        return report.error(folder, format!("folders are nested more than {DEEPEST_FOLDER} deep here"));
    }
    let names = match sources::names_in(folder) {
        Ok(names) => names,
        Err(error) => return report.error(folder, format!("the folder cannot be read: {error}")),
    };
    for name in names.into_iter().filter(|name| !name.starts_with('.') && !name.ends_with('~')) {
        let path = folder.join(&name);
        let ending = path.extension().and_then(|ending| ending.to_str());
        if path.is_dir() {
            if ending.is_none() {
                collect(&path, depth + 1, files, report);
            }
        } else if ending.is_none_or(|ending| YAML_ENDINGS.contains(&ending)) {
            files.push(path);
        }
    }
}

fn read_vars(path: &Path, report: &mut Report) -> Map<String, Value> {
    let text = match sources::read_text(path) {
        Ok(text) => text,
        Err(problem) => {
            report.error(path, problem);
            return Map::new();
        }
    };
    if text.starts_with("$ANSIBLE_VAULT") {
        report.warnings.push(format!(
            "{}: encrypted with Ansible Vault as a whole; its variables are not available",
            path.display()
        ));
        return Map::new();
    }
    let mut report = report.of_file(path);
    let parsed = parse(&text).and_then(|document| {
        let mut converter = Converter::new(&document, &text);
        let value = document.root.as_ref().map_or(Ok(Value::Null), |root| converter.value(root))?;
        Ok((value, converter.duplicates, document.root.as_ref().map_or(1, |root| root.line)))
    });
    match parsed {
        Ok((value, duplicates, line)) => {
            for (line, key) in duplicates {
                let text = format!("the key `{key}` stands twice in one mapping; the last one counts");
                report.warning(line, text);
            }
            match value {
                Value::Object(vars) => vars,
                Value::Null => Map::new(),
                Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    report.error(line, "variables are a mapping: `name: value` on each line");
                    Map::new()
                }
            }
        }
        Err(error) => {
            report.error(error.line, error.problem);
            Map::new()
        }
    }
}

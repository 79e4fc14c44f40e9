//! Reading a whole inventory once.

use std::path::{Path, PathBuf};

use exed_domain::Inventory;

use crate::draft::Draft;
use crate::merge::{self, VarsBase};
use crate::report::{LoadError, Report};
use crate::sources;
use crate::vars_files::VarsFolder;

/// Reads inventory files and folders into one inventory, in the order given, with the `group_vars` and
/// `host_vars` beside each file and within each folder. Also returns warnings: things that are read
/// otherwise than their writer may have meant. No paths make an inventory without hosts. Blocks on files.
///
/// # Errors
/// Every mistake in every file; nothing is loaded then.
pub fn load(paths: &[PathBuf]) -> Result<(Inventory, Vec<String>), Vec<LoadError>> {
    let mut report = Report::default();
    let mut draft = Draft::default();
    for path in paths {
        sources::read(path, &mut draft, &mut report);
    }
    let bases: Vec<VarsBase> = vars_folders(paths)
        .iter()
        .map(|base| VarsBase {
            groups: VarsFolder::open(base, "group_vars", &mut report),
            hosts: VarsFolder::open(base, "host_vars", &mut report),
        })
        .collect();
    let inventory = merge::finish(draft, &bases, &mut report);
    if report.errors.is_empty() { Ok((inventory, report.warnings)) } else { Err(report.errors) }
}

/// The folders in which `group_vars` and `host_vars` are looked for, each once, where it counts last.
pub(crate) fn vars_folders(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut bases: Vec<PathBuf> = Vec::new();
    for path in paths {
        let base = if path.is_dir() { path.clone() } else { folder_of(path) };
        bases.retain(|known| *known != base);
        bases.push(base);
    }
    bases
}

/// The folder that a file stands in.
pub(crate) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests;

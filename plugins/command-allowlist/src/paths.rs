//! Paths of files to be read or written.

use crate::words::plain;

/// Whether a path is absolute, is made of plain characters, and stays where it says: no `.` or `..` and no
/// empty part.
pub(crate) fn safe_path(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|rest| {
        path.chars().all(plain) && rest.split('/').all(|part| !matches!(part, "" | "." | ".."))
    })
}

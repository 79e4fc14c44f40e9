//! The sections of the script's output.

use std::collections::{BTreeMap, BTreeSet};

/// What begins a section.
const MARK: &str = "@@exed ";

/// The output, taken apart but not interpreted.
#[derive(Debug, Default)]
pub(super) struct Raw<'text> {
    /// The environment.
    pub(super) env: Vec<(&'text str, &'text str)>,
    /// Which of the paths that the script looks for exist.
    pub(super) exists: BTreeSet<&'text str>,
    /// Files by path.
    files: BTreeMap<&'text str, Vec<&'text str>>,
    /// Every other section, by name.
    sections: BTreeMap<&'text str, Vec<&'text str>>,
}

impl<'text> Raw<'text> {
    /// Takes the output apart. Unknown sections and lines are kept or ignored, never an error.
    pub(super) fn parse(text: &'text str) -> Self {
        let mut raw = Self::default();
        let mut rest = text;
        while let Some((name, body, next)) = next_section(rest) {
            raw.add(name, body);
            rest = next;
        }
        raw
    }

    fn add(&mut self, name: &'text str, body: &'text str) {
        match name {
            "env" => {
                let entries = body.trim_end_matches('\n').split('\0');
                self.env = entries.filter_map(|entry| entry.split_once('=')).collect();
            }
            "exists" => self.exists = body.lines().collect(),
            "files" => {
                for (path, line) in body.lines().filter_map(|line| line.split_once(':')) {
                    self.files.entry(path).or_default().push(line);
                }
            }
            other => {
                self.sections.insert(other, body.lines().collect());
            }
        }
    }

    /// The lines of a file; none if it is missing or empty.
    pub(super) fn file(&self, path: &str) -> &[&'text str] {
        self.files.get(path).map_or(&[], Vec::as_slice)
    }

    /// The first line of a file without surrounding space, unless it is empty.
    pub(super) fn first_line(&self, path: &str) -> Option<&'text str> {
        self.file(path).first().map(|line| line.trim()).filter(|line| !line.is_empty())
    }

    /// Every file whose path has this form, as (what `*` stands for, first line).
    pub(super) fn per_interface(&self, file: &str) -> impl Iterator<Item = (&'text str, &'text str)> {
        let file = file.to_owned();
        self.files.iter().filter_map(move |(path, lines)| {
            let (name, last) = path.strip_prefix("/sys/class/net/")?.split_once('/')?;
            (last == file).then(|| (name, lines.first().map_or("", |line| line.trim())))
        })
    }

    /// The lines of a section.
    pub(super) fn section(&self, name: &str) -> &[&'text str] {
        self.sections.get(name).map_or(&[], Vec::as_slice)
    }

    /// The value of a line `key<separator>value` of a file.
    pub(super) fn value(&self, path: &str, key: &str, separator: char) -> Option<&'text str> {
        self.file(path).iter().find_map(|line| {
            let (name, value) = line.split_once(separator)?;
            (name.trim() == key).then(|| value.trim())
        })
    }

    /// A variable of the environment.
    pub(super) fn variable(&self, name: &str) -> Option<&'text str> {
        self.env.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    /// Whether a path was found.
    pub(super) fn has(&self, path: &str) -> bool {
        self.exists.contains(path)
    }

    /// The machine's architecture as the kernel names it.
    pub(super) fn machine(&self) -> Option<&'text str> {
        self.first_line("/proc/sys/kernel/arch").or_else(|| self.section("arch").first().copied())
    }
}

/// The next section: its name, its body, and what follows. Marks count only at the start of a line.
fn next_section(text: &str) -> Option<(&str, &str, &str)> {
    let start = find_mark(text)?;
    let after = text.get(start + MARK.len()..)?;
    let (name, body) = after.split_once('\n').unwrap_or((after, ""));
    let end = find_mark(body).unwrap_or(body.len());
    let (body, next) = body.split_at_checked(end)?;
    Some((name.trim(), body, next))
}

fn find_mark(text: &str) -> Option<usize> {
    text.match_indices(MARK)
        .map(|(at, _)| at)
        .find(|at| at.checked_sub(1).is_none_or(|before| text.as_bytes().get(before) == Some(&b'\n')))
}

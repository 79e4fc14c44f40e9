//! INI inventories: sections of hosts, children and variables.

mod literal;
mod words;

use serde_json::Value;

use crate::draft::Draft;
use crate::host_pattern;
use crate::report::FileReport;

/// What the lines of a section are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Hosts,
    Children,
    Vars,
    /// The header was wrong, so the lines cannot be judged.
    Broken,
}

struct Parser<'a, 'r> {
    draft: &'a mut Draft,
    report: &'a mut FileReport<'r>,
    group: String,
    section: Section,
    /// Sections may name groups that are declared below them, so these are settled at the end.
    children: Vec<(usize, String, String)>,
    vars: Vec<(usize, String, String, Value)>,
    vars_sections: Vec<(usize, String)>,
}

/// Reads an INI inventory into the draft.
pub(crate) fn parse(text: &str, draft: &mut Draft, report: &mut FileReport<'_>) {
    let mut parser = Parser {
        draft,
        report,
        group: "ungrouped".to_owned(),
        section: Section::Hosts,
        children: Vec::new(),
        vars: Vec::new(),
        vars_sections: Vec::new(),
    };
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with(['#', ';']) {
            parser.line(number, line);
        }
    }
    parser.settle();
}

impl Parser<'_, '_> {
    fn line(&mut self, number: usize, line: &str) {
        match header(line) {
            Some(Ok((group, section))) => return self.open(number, group, section),
            Some(Err(problem)) => {
                self.section = Section::Broken;
                return self.report.error(number, problem);
            }
            None => {}
        }
        let outcome = match self.section {
            Section::Hosts => self.host(number, line),
            Section::Children => self.child(number, line),
            Section::Vars => self.var(number, line),
            Section::Broken => Ok(()),
        };
        if let Err(problem) = outcome {
            self.report.error(number, problem);
        }
    }

    fn open(&mut self, number: usize, group: &str, section: Section) {
        self.group = group.to_owned();
        self.section = section;
        if section == Section::Vars {
            self.vars_sections.push((number, self.group.clone()));
        } else {
            self.draft.group(group);
        }
    }

    fn host(&mut self, number: usize, line: &str) -> Result<(), String> {
        let words = words::words(line)?;
        let Some((entry, assignments)) = words.split_first() else { return Ok(()) };
        let (names, port) = host_pattern::expand(entry)?;
        if entry.contains('=') {
            let group = &self.group;
            self.report.warning(
                number,
                format!("`{entry}` is read as a host; variables of a group stand under [{group}:vars]"),
            );
        }
        let mut vars = Vec::new();
        for assignment in assignments {
            let (name, value) =
                assignment.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
                    format!("`{assignment}` is not a variable; behind a host stand pairs `name=value`")
                })?;
            vars.push((name.to_owned(), literal::value(value)));
        }
        for name in names {
            self.draft.add_host(&name, &self.group, port).extend(vars.iter().cloned());
        }
        Ok(())
    }

    fn child(&mut self, number: usize, line: &str) -> Result<(), String> {
        let name = line.split_once('#').map_or(line, |(name, _)| name).trim_end();
        if name.is_empty() || name.contains([':', ']']) || name.contains(char::is_whitespace) {
            return Err(format!(
                "`{line}` is not the name of a group; under [{}:children] stands one name on each line",
                self.group
            ));
        }
        self.children.push((number, self.group.clone(), name.to_owned()));
        Ok(())
    }

    fn var(&mut self, number: usize, line: &str) -> Result<(), String> {
        let pair = line.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
        let (name, value) = pair.filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
            format!(
                "`{line}` is not a variable; under [{}:vars] stands `name=value` on each line",
                self.group
            )
        })?;
        self.vars.push((number, self.group.clone(), name.to_owned(), literal::value(value)));
        Ok(())
    }

    fn settle(self) {
        let Self { draft, report, children, vars, vars_sections, .. } = self;
        for (line, parent, child) in children {
            if !draft.groups.contains_key(&child) {
                report.error(
                    line,
                    format!("no group `{child}` is declared; add a section [{child}], or correct the name"),
                );
            } else if let Err(problem) = draft.add_child(&parent, &child) {
                report.error(line, problem);
            }
        }
        for (line, group) in vars_sections {
            if !draft.groups.contains_key(&group) {
                report.error(
                    line,
                    format!("[{group}:vars] is for a group that is not declared; add a section [{group}]"),
                );
            }
        }
        for (line, group, name, value) in vars {
            if draft.groups.contains_key(&group)
                && let Err(problem) = draft.set_group_var(&group, name, value)
            {
                report.error(line, problem);
            }
        }
    }
}

/// The group and kind of a section header, `None` for other lines.
fn header(line: &str) -> Option<Result<(&str, Section), String>> {
    let (inner, behind) = line.strip_prefix('[')?.split_once(']')?;
    let behind = behind.trim_start();
    let is_header = behind.is_empty() || behind.starts_with('#');
    // `[2001:db8::1]:22` and `[a:c].example.com` are hosts.
    if !is_header {
        return line.ends_with(']').then(|| Err(bad_header(line)));
    }
    let (group, kind) = inner.split_once(':').unwrap_or((inner, "hosts"));
    let section = match kind {
        "hosts" => Section::Hosts,
        "children" => Section::Children,
        "vars" => Section::Vars,
        _ => return Some(Err(bad_header(line))),
    };
    if group.is_empty() || group.contains(char::is_whitespace) {
        return Some(Err(bad_header(line)));
    }
    Some(Ok((group, section)))
}

fn bad_header(line: &str) -> String {
    format!("`{line}` is not a section; write [group], [group:children] or [group:vars], without blanks")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::parse;
    use crate::draft::Draft;
    use crate::report::Report;

    fn errors(text: &str) -> Vec<String> {
        let (mut draft, mut report) = (Draft::default(), Report::default());
        parse(text, &mut draft, &mut report.of_file(Path::new("hosts")));
        report.errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let text = "h1 oops\n[a b]\nskipped ' line\n[web:kids]\n[web]\nh2 x='\n[web:children]\ngone\n\
                    [void:vars]\nx=1\n[web:vars]\nnothing\nansible_group_priority=high\n";
        let errors = errors(text);
        let lines: Vec<&str> = errors.iter().map(|error| error.split(": ").next().unwrap()).collect();
        assert_eq!(
            lines,
            ["hosts:1", "hosts:2", "hosts:4", "hosts:6", "hosts:12", "hosts:8", "hosts:9", "hosts:13"],
            "{errors:#?}"
        );
    }

    #[test]
    fn groups_that_contain_each_other_are_named() {
        let errors = errors("[a:children]\nb\n[b:children]\nc\n[c:children]\na\n");
        assert_eq!(errors.len(), 1);
        assert!(
            errors[0].starts_with("hosts:6: the groups contain each other: a → b → c → a;"),
            "{errors:?}"
        );
        assert!(super::tests::errors("[a:children]\na\n")[0].contains("a → a"));
        assert!(super::tests::errors("[a:children]\nall\n")[0].contains("`all` holds every group"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "([\\[\\]a-c:=' #\\-0-3]|:vars|:children|\n){0,60}") {
            errors(&text);
        }
    }
}

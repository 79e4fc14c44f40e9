//! YAML inventories: groups with `hosts`, `children` and `vars`.

use std::rc::Rc;

use super::node::{Kind, Node};
use super::value::Entries;
use super::{Converter, YamlError, parse};
use crate::draft::Draft;
use crate::host_pattern;
use crate::report::FileReport;

struct Reader<'a, 'r> {
    converter: Converter,
    draft: &'a mut Draft,
    report: &'a mut FileReport<'r>,
}

/// Reads a YAML inventory into the draft.
pub(crate) fn read(text: &str, draft: &mut Draft, report: &mut FileReport<'_>) {
    let document = match parse(text) {
        Ok(document) => document,
        Err(error) => return report.error(error.line, error.problem),
    };
    let Some(root) = &document.root else {
        return report.warning(1, "the file is empty; a group is written `web:` with `hosts:` below it");
    };
    let mut reader = Reader { converter: Converter::new(&document, text), draft, report };
    if let Err(error) = reader.top(root) {
        reader.report.error(error.line, error.problem);
    }
    for (line, key) in std::mem::take(&mut reader.converter.duplicates) {
        reader
            .report
            .warning(line, format!("the key `{key}` stands twice in one mapping; the last one counts"));
    }
}

impl Reader<'_, '_> {
    fn top(&mut self, root: &Node) -> Result<(), YamlError> {
        if !matches!(root.kind, Kind::Map(_)) {
            let problem = "an inventory is a mapping of groups, such as `all:` with `hosts:` below it";
            return Err(YamlError::new(root.line, problem));
        }
        let groups = self.converter.entries(root)?;
        if let Some((line, _)) = groups.get("plugin") {
            let problem = "this configures an inventory plugin, and those are not run here; list the hosts in \
                           a file, for example with the output of `ansible-inventory --list --yaml`";
            return Err(YamlError::new(*line, problem));
        }
        for (name, (line, node)) in groups {
            self.checked_group(&name, line, &node);
        }
        Ok(())
    }

    /// Reads a group; its mistakes do not keep its neighbours from being read.
    fn checked_group(&mut self, name: &str, line: usize, node: &Node) -> bool {
        match self.group(name, line, node) {
            Ok(is_group) => is_group,
            Err(error) => {
                self.report.error(error.line, error.problem);
                false
            }
        }
    }

    fn group(&mut self, name: &str, line: usize, node: &Node) -> Result<bool, YamlError> {
        if name.is_empty() {
            return Err(YamlError::new(line, "a group needs a name"));
        }
        if !is_mapping_or_empty(node) {
            self.report
                .warning(line, format!("`{name}` is no group, because no mapping follows it; skipped"));
            return Ok(false);
        }
        self.draft.group(name);
        for (section, (line, content)) in self.converter.entries(node)? {
            let outcome = match section.as_str() {
                "vars" => self.vars(name, &content),
                "hosts" => self.hosts(name, &content),
                "children" => self.children(name, &content),
                _ => {
                    self.report.warning(
                        line,
                        format!(
                            "`{section}` in group `{name}` is skipped; accepted are vars, children and hosts"
                        ),
                    );
                    Ok(())
                }
            };
            if let Err(error) = outcome {
                self.report.error(error.line, error.problem);
            }
        }
        Ok(true)
    }

    /// The entries of a section. One word stands for a mapping with just that key.
    fn section(&mut self, name: &str, node: &Rc<Node>) -> Result<Entries, YamlError> {
        match &node.kind {
            Kind::Map(_) => self.converter.entries(node),
            Kind::Scalar { .. } if is_mapping_or_empty(node) => Ok(Entries::new()),
            Kind::Scalar { text, .. } => {
                let empty = Node {
                    line: node.line,
                    tag: None,
                    kind: Kind::Scalar { text: String::new(), plain: true },
                };
                Ok(Entries::from([(text.clone(), (node.line, Rc::new(empty)))]))
            }
            Kind::List(_) => {
                let problem =
                    format!("`{name}` is a list here; it is a mapping: write `name:` instead of `- name`");
                Err(YamlError::new(node.line, problem))
            }
        }
    }

    fn vars(&mut self, group: &str, node: &Rc<Node>) -> Result<(), YamlError> {
        for (name, (line, node)) in self.section("vars", node)? {
            let value = self.converter.value(&node)?;
            self.draft.set_group_var(group, name, value).map_err(|problem| YamlError::new(line, problem))?;
        }
        Ok(())
    }

    fn hosts(&mut self, group: &str, node: &Rc<Node>) -> Result<(), YamlError> {
        if let Kind::Map(pairs) = &node.kind
            && let Some(number) = pairs.iter().find_map(|(key, _)| number_key(key))
        {
            return Err(YamlError::new(number.0, number.1));
        }
        for (entry, (line, node)) in self.section("hosts", node)? {
            if let Err(error) = self.host(group, &entry, line, &node) {
                self.report.error(error.line, error.problem);
            }
        }
        Ok(())
    }

    fn host(&mut self, group: &str, entry: &str, line: usize, node: &Node) -> Result<(), YamlError> {
        let (names, port) = host_pattern::expand(entry).map_err(|problem| YamlError::new(line, problem))?;
        if !is_mapping_or_empty(node) {
            let problem =
                format!("the variables of `{entry}` are a mapping: `name: value` on lines below it");
            return Err(YamlError::new(line, problem));
        }
        let vars = self.converter.map(node)?;
        for name in names {
            let own = self.draft.add_host(&name, group, port);
            own.extend(vars.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        Ok(())
    }

    fn children(&mut self, group: &str, node: &Rc<Node>) -> Result<(), YamlError> {
        for (child, (line, node)) in self.section("children", node)? {
            if self.checked_group(&child, line, &node)
                && let Err(problem) = self.draft.add_child(group, &child)
            {
                self.report.error(line, problem);
            }
        }
        Ok(())
    }
}

/// A key of `hosts` that is a number, which is nearly always a host name without its quotes.
fn number_key(key: &Node) -> Option<(usize, String)> {
    let Kind::Scalar { text, plain: true } = &key.kind else { return None };
    let is_number = key.tag.is_none() && super::scalar::plain(text).is_number();
    is_number.then(|| (key.line, format!("the host `{text}` is read as a number; write it in quotes")))
}

fn is_mapping_or_empty(node: &Node) -> bool {
    match &node.kind {
        Kind::Map(_) => true,
        Kind::Scalar { text, plain } => *plain && super::scalar::plain(text).is_null(),
        Kind::List(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::read;
    use crate::draft::Draft;
    use crate::report::Report;

    fn errors(text: &str) -> Vec<String> {
        let (mut draft, mut report) = (Draft::default(), Report::default());
        read(text, &mut draft, &mut report.of_file(Path::new("h.yml")));
        report.errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let text = "web:\n  hosts:\n    h[5:1]:\n    h2: word\n  children:\n    - db\nnumbers:\n  hosts:\n    10: {}\n\
                    eu:\n  vars:\n    ansible_group_priority: high\n  children:\n    eu:\n";
        let errors = errors(text);
        let lines: Vec<&str> = errors.iter().map(|error| error.split(": ").next().unwrap()).collect();
        assert_eq!(
            lines,
            ["h.yml:3", "h.yml:4", "h.yml:6", "h.yml:9", "h.yml:12", "h.yml:14"],
            "{errors:#?}"
        );
    }

    #[test]
    fn plugins_and_wrong_roots_are_refused() {
        assert!(errors("plugin: aws_ec2\n")[0].contains("inventory plugin"));
        assert!(errors("- a\n")[0].contains("mapping of groups"));
        assert!(errors("a: [\n")[0].starts_with("h.yml:2"));
    }
}

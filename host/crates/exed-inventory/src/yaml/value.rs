//! From nodes to values: tags, merge keys, duplicate keys, and a limit to what aliases may grow into.

use std::rc::Rc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::node::{Document, Kind, Node, Tag};
use super::{YamlError, scalar};

/// How many values aliases may add to those that are written.
const MOST_ALIASED: usize = 1_000_000;

/// Converts the nodes of one document.
pub(crate) struct Converter {
    /// How many more values may be made.
    left: usize,
    /// Whether the text is JSON, whose scalars are never read as YAML 1.1.
    is_json: bool,
    /// Keys that stood twice, with their lines.
    pub(crate) duplicates: Vec<(usize, String)>,
}

/// A mapping with text keys, merge keys followed.
pub(crate) type Entries = IndexMap<String, (usize, Rc<Node>)>;

impl Converter {
    pub(crate) fn new(document: &Document, text: &str) -> Self {
        let is_json =
            text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<Value>(text).is_ok();
        // Twice, because keys and merged mappings are looked at before their values are made.
        let left = document.nodes.saturating_mul(4).saturating_add(MOST_ALIASED);
        Self { left, is_json, duplicates: Vec::new() }
    }

    fn spend(&mut self, line: usize) -> Result<(), YamlError> {
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            let problem = format!("the aliases of this file grow into more than {MOST_ALIASED} values");
            YamlError::new(line, problem)
        })?;
        Ok(())
    }

    /// The value of a node.
    ///
    /// # Errors
    /// Keys that are no scalars, tags that do not fit, aliases that grow without measure.
    pub(crate) fn value(&mut self, node: &Node) -> Result<Value, YamlError> {
        self.spend(node.line)?;
        let value = match &node.kind {
            Kind::Scalar { text, plain } => self.scalar(node, text, *plain)?,
            Kind::List(items) => {
                Value::Array(items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?)
            }
            Kind::Map(_) => Value::Object(self.map(node)?),
        };
        match node.tag {
            Some(Tag::Vault) => Ok(marked("__ansible_vault", value)),
            Some(Tag::Unsafe) => Ok(marked("__ansible_unsafe", value)),
            Some(Tag::Text | Tag::Int | Tag::Float | Tag::Bool | Tag::Null | Tag::Shape) | None => Ok(value),
        }
    }

    /// The values of a mapping.
    ///
    /// # Errors
    /// As [`Converter::value`].
    pub(crate) fn map(&mut self, node: &Node) -> Result<Map<String, Value>, YamlError> {
        let mut map = Map::new();
        for (key, (_, value)) in self.entries(node)? {
            map.insert(key, self.value(&value)?);
        }
        Ok(map)
    }

    /// The entries of a mapping: what `<<` merges first, then its own over it. No entries for others.
    ///
    /// # Errors
    /// Keys that are no scalars, and a `<<` that holds neither a mapping nor a list of them.
    pub(crate) fn entries(&mut self, node: &Node) -> Result<Entries, YamlError> {
        let Kind::Map(pairs) = &node.kind else { return Ok(Entries::new()) };
        let (mut merged, mut own) = (Entries::new(), Entries::new());
        for (key, value) in pairs {
            self.spend(key.line)?;
            if is_merge(key) {
                self.merge(value, &mut merged)?;
                continue;
            }
            let name = self.key(key)?;
            if own.insert(name.clone(), (key.line, Rc::clone(value))).is_some() {
                self.duplicates.push((key.line, name));
            }
        }
        merged.extend(own);
        Ok(merged)
    }

    fn merge(&mut self, node: &Node, merged: &mut Entries) -> Result<(), YamlError> {
        let sources = match &node.kind {
            Kind::Map(_) => vec![self.entries(node)?],
            Kind::List(items) if items.iter().all(|item| matches!(item.kind, Kind::Map(_))) => {
                items.iter().map(|item| self.entries(item)).collect::<Result<Vec<_>, _>>()?
            }
            Kind::Scalar { .. } | Kind::List(_) => {
                return Err(YamlError::new(node.line, "`<<` merges a mapping or a list of mappings"));
            }
        };
        // The first of several wins.
        for source in sources.into_iter().rev() {
            for entry in source {
                self.spend(node.line)?;
                merged.insert(entry.0, entry.1);
            }
        }
        Ok(())
    }

    /// A key as text. Numbers and words such as `yes` are spelt as JSON spells their value.
    fn key(&mut self, key: &Node) -> Result<String, YamlError> {
        match (&key.kind, self.value(key)?) {
            (Kind::Scalar { .. }, Value::String(text)) => Ok(text),
            (Kind::Scalar { .. }, value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => {
                Ok(value.to_string())
            }
            _ => Err(YamlError::new(key.line, "a key must be text; lists and mappings are none")),
        }
    }

    fn scalar(&self, node: &Node, text: &str, plain: bool) -> Result<Value, YamlError> {
        let wrong =
            |wanted: &str| YamlError::new(node.line, format!("`{text}` is tagged as {wanted}, and is none"));
        match node.tag {
            Some(Tag::Text | Tag::Vault) => Ok(Value::from(text)),
            Some(Tag::Int) => scalar::integer(text).ok_or_else(|| wrong("!!int")),
            Some(Tag::Float) => {
                scalar::float(text).or_else(|| scalar::integer(text)).ok_or_else(|| wrong("!!float"))
            }
            Some(Tag::Bool) => scalar::boolean(text).map(Value::Bool).ok_or_else(|| wrong("!!bool")),
            Some(Tag::Null) => Ok(Value::Null),
            Some(Tag::Shape) => Err(wrong("a list or mapping")),
            Some(Tag::Unsafe) | None if !plain => Ok(Value::from(text)),
            Some(Tag::Unsafe) | None if self.is_json => {
                Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)))
            }
            Some(Tag::Unsafe) | None => Ok(scalar::plain(text)),
        }
    }
}

/// Whether a key is the merge key.
fn is_merge(key: &Node) -> bool {
    key.tag.is_none() && matches!(&key.kind, Kind::Scalar { text, plain: true } if text == "<<")
}

fn marked(mark: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(mark.to_owned(), value)]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::parse;
    use super::{Converter, YamlError};

    fn read(text: &str) -> Result<(Value, Vec<(usize, String)>), YamlError> {
        let document = parse(text)?;
        let mut converter = Converter::new(&document, text);
        let value = document.root.as_ref().map_or(Ok(Value::Null), |root| converter.value(root))?;
        Ok((value, converter.duplicates))
    }

    #[test]
    fn merge_keys_and_anchors() {
        let text = "base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: 4}\n\
                    one: {<<: *base, b: 9}\ntwo: {<<: [*base, *more]}\nlist: [*base]\n";
        let value = read(text).unwrap().0;
        assert_eq!(value["one"], json!({"a": 1, "b": 9}));
        assert_eq!(value["two"], json!({"b": 2, "c": 4, "a": 1}));
        assert_eq!(value["list"], json!([{"a": 1, "b": 2}]));
        assert!(read("a: {<<: 1}").unwrap_err().problem.contains("merges a mapping"));
    }

    #[test]
    fn tags() {
        let text = "v: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3030\nu: !unsafe '{{ x }}'\ns: !!str 1\ni: !!int '3'\n";
        assert_eq!(
            read(text).unwrap().0,
            json!({
                "v": {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n3030\n"},
                "u": {"__ansible_unsafe": "{{ x }}"},
                "s": "1",
                "i": 3,
            })
        );
        assert_eq!(read("a: 1\nb: !!int x\n").unwrap_err().line, 2);
    }

    #[test]
    fn of_duplicate_keys_the_last_one_wins_with_a_warning() {
        let (value, duplicates) = read("a: 1\nb: 2\na: 3\n").unwrap();
        assert_eq!(value, json!({"a": 3, "b": 2}));
        assert_eq!(duplicates, [(3, "a".to_owned())]);
    }

    #[test]
    fn keys_are_text() {
        assert_eq!(read("1: a\nyes: b\n~: c\n").unwrap().0, json!({"1": "a", "true": "b", "null": "c"}));
        assert!(read("[1]: a\n").unwrap_err().problem.contains("must be text"));
    }

    #[test]
    fn json_is_read_as_json() {
        assert_eq!(read(r#"{"a": 1e3, "b": "yes"}"#).unwrap().0, json!({"a": 1000.0, "b": "yes"}));
    }

    #[test]
    fn aliases_that_grow_without_measure_are_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
            text += &format!("a{level}: &a{level} [{aliases}]\n");
        }
        assert!(read(&text).unwrap_err().problem.contains("grow into more than"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "([a-c:&*<\\[\\]{},!'\"|> -]|: |\n  |\n){0,40}") {
            let _outcome = read(&text);
        }
    }
}

//! The tree of a YAML document, with the line of every node. Aliases share their node.

use std::collections::HashMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag as ParserTag};

use super::YamlError;

/// How deeply a document may be nested.
const DEEPEST: usize = 100;

/// A node of a document.
#[derive(Debug)]
pub(crate) struct Node {
    /// Its line, from 1.
    pub(crate) line: usize,
    pub(crate) tag: Option<Tag>,
    pub(crate) kind: Kind,
}

/// What a node is.
#[derive(Debug)]
pub(crate) enum Kind {
    Scalar { text: String, plain: bool },
    List(Vec<Rc<Node>>),
    Map(Vec<(Rc<Node>, Rc<Node>)>),
}

/// The tags that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Text,
    Int,
    Float,
    Bool,
    Null,
    /// `!!map`, `!!seq`, `!!set` and others that say what the node shows anyway.
    Shape,
    Vault,
    Unsafe,
}

/// A parsed document.
#[derive(Debug)]
pub(crate) struct Document {
    /// None for a text without a document, and for an empty one.
    pub(crate) root: Option<Rc<Node>>,
    /// How many nodes were written, aliases not followed.
    pub(crate) nodes: usize,
}

/// A list or a mapping that has begun.
struct Open {
    line: usize,
    tag: Option<Tag>,
    anchor: usize,
    is_map: bool,
    items: Vec<Rc<Node>>,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    root: Option<Rc<Node>>,
    nodes: usize,
    documents: usize,
}

/// Parses a text that holds at most one document.
///
/// # Errors
/// Broken syntax, a second document, unknown tags, aliases that contain themselves, nesting beyond 100.
pub(crate) fn parse(text: &str) -> Result<Document, YamlError> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::default();
    while let Some(event) = parser.next_event() {
        let (event, span) =
            event.map_err(|error| YamlError::new(error.marker().line(), error.info().to_owned()))?;
        builder.event(event, span.start.line())?;
    }
    Ok(Document { root: builder.root, nodes: builder.nodes })
}

impl Builder {
    fn event(&mut self, event: Event<'_>, line: usize) -> Result<(), YamlError> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents == 1 {
                    return Ok(());
                }
                Err(YamlError::new(line, "a second document begins here; one file holds one document"))
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(node) => {
                    let node = Rc::clone(node);
                    self.place(node);
                    Ok(())
                }
                None => Err(YamlError::new(line, "the alias stands inside of what it names")),
            },
            Event::Scalar(text, style, anchor, tag) => {
                let kind = Kind::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                let tag = tag.map(|tag| known_tag(&tag, line)).transpose()?;
                self.finish(Node { line, tag, kind }, anchor);
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => self.begin(line, anchor, tag.as_deref(), false),
            Event::MappingStart(anchor, tag) => self.begin(line, anchor, tag.as_deref(), true),
            Event::SequenceEnd | Event::MappingEnd => {
                self.end();
                Ok(())
            }
        }
    }

    fn begin(
        &mut self,
        line: usize,
        anchor: usize,
        tag: Option<&ParserTag>,
        is_map: bool,
    ) -> Result<(), YamlError> {
        if self.open.len() >= DEEPEST {
            return Err(YamlError::new(line, format!("nested more than {DEEPEST} levels deep")));
        }
        let tag = tag.map(|tag| known_tag(tag, line)).transpose()?;
        self.open.push(Open { line, tag, anchor, is_map, items: Vec::new() });
        Ok(())
    }

    fn end(&mut self) {
        let Some(Open { line, tag, anchor, is_map, items }) = self.open.pop() else { return };
        let kind = if is_map {
            let mut pairs = Vec::with_capacity(items.len() / 2);
            let mut items = items.into_iter();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                pairs.push((key, value));
            }
            Kind::Map(pairs)
        } else {
            Kind::List(items)
        };
        self.finish(Node { line, tag, kind }, anchor);
    }

    fn finish(&mut self, node: Node, anchor: usize) {
        self.nodes += 1;
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.place(node);
    }

    fn place(&mut self, node: Rc<Node>) {
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node),
        }
    }
}

fn known_tag(tag: &ParserTag, line: usize) -> Result<Tag, YamlError> {
    let known = match (tag.handle.as_str(), tag.suffix.as_str()) {
        ("!", "vault" | "vault-encrypted") => Some(Tag::Vault),
        ("!", "unsafe") => Some(Tag::Unsafe),
        ("!" | "", "" | "!") => Some(Tag::Text),
        ("tag:yaml.org,2002:", suffix) => match suffix {
            "str" | "timestamp" => Some(Tag::Text),
            "int" => Some(Tag::Int),
            "float" => Some(Tag::Float),
            "bool" => Some(Tag::Bool),
            "null" => Some(Tag::Null),
            "map" | "seq" | "set" => Some(Tag::Shape),
            _ => None,
        },
        _ => None,
    };
    known.ok_or_else(|| {
        let problem = format!(
            "the tag `{}{}` is not known; accepted are !vault, !unsafe, !!str, !!int, !!float, !!bool, \
             !!null, !!map, !!seq and !!set",
            tag.handle, tag.suffix
        );
        YamlError::new(line, problem)
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn error(text: &str) -> (usize, String) {
        let error = parse(text).unwrap_err();
        (error.line, error.problem)
    }

    #[test]
    fn mistakes_carry_their_line() {
        assert_eq!(error("a: 1\nb: [1, 2\n").0, 3);
        assert_eq!(error("a: 1\n---\nb: 2\n").0, 2);
        assert_eq!(error("a: 1\nb: !python/object x\n").0, 2);
        assert!(error("a: &a [*a]\n").1.contains("inside of what it names"));
        assert!(error(&"[".repeat(200)).1.contains("100 levels"));
        assert_eq!(error("a: 1\nb: *gone\n").0, 2);
    }

    #[test]
    fn empty_texts_have_no_root() {
        assert!(parse("").unwrap().root.is_none());
        assert!(parse("# nothing\n").unwrap().root.is_none());
    }
}

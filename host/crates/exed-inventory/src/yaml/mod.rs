//! YAML as Ansible reads it: YAML 1.1 scalars, merge keys, anchors, duplicate keys with a warning.

pub(crate) mod inventory;
mod node;
mod scalar;
mod value;

pub(crate) use node::parse;
pub(crate) use value::Converter;

/// A mistake in a YAML text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct YamlError {
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong and what is accepted.
    pub(crate) problem: String,
}

impl YamlError {
    pub(crate) fn new(line: usize, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into() }
    }
}

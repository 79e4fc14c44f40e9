//! Where our dependencies come from and under which licences. `deny.toml` says the same to cargo-deny.

use crate::workspace::Metadata;

/// Licences that a binary under Apache-2.0 OR MIT may carry.
const ACCEPTED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The only registry.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[test]
fn every_dependency_has_an_accepted_licence() {
    let refused: Vec<_> = Metadata::load()
        .packages
        .iter()
        .filter(|package| !package.license.as_deref().is_some_and(is_accepted))
        .map(|package| format!("{} {}: {:?}", package.name, package.version, package.license))
        .collect();
    assert!(refused.is_empty(), "not under an accepted licence:\n{}", refused.join("\n"));
}

#[test]
fn every_dependency_comes_from_the_registry_or_this_workspace() {
    let metadata = Metadata::load();
    for package in &metadata.packages {
        match package.source.as_deref() {
            Some(source) => assert_eq!(source, REGISTRY, "{} {}", package.name, package.version),
            None => assert!(
                metadata.workspace_members.contains(&package.id),
                "{} is a path outside",
                package.name
            ),
        }
    }
}

#[test]
fn cargo_deny_is_told_the_same() {
    #[derive(serde::Deserialize)]
    struct Deny {
        licenses: Licenses,
    }
    #[derive(serde::Deserialize)]
    struct Licenses {
        allow: Vec<String>,
    }
    let file = tests::process::workspace_dir().join("deny.toml");
    let deny: Deny = toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(deny.licenses.allow, ACCEPTED);
}

/// Whether an SPDX expression can be satisfied: every part of an AND, one part of an OR.
fn is_accepted(expression: &str) -> bool {
    // The old spelling of OR.
    let expression = expression.replace('/', " OR ");
    let trimmed = expression.trim();
    if ACCEPTED.contains(&trimmed) {
        return true;
    }
    if let Some(parts) = split(trimmed, " OR ") {
        return parts.iter().any(|part| is_accepted(part));
    }
    if let Some(parts) = split(trimmed, " AND ") {
        return parts.iter().all(|part| is_accepted(part));
    }
    trimmed.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).is_some_and(is_accepted)
}

/// The parts between `operator` outside parentheses; none if there is no such operator.
fn split<'a>(expression: &'a str, operator: &str) -> Option<Vec<&'a str>> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (index, letter) in expression.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 && expression.get(index..).is_some_and(|rest| rest.starts_with(operator)) => {
                parts.extend(expression.get(start..index));
                start = index + operator.len();
            }
            _ => {}
        }
    }
    parts.extend(expression.get(start..));
    (parts.len() > 1).then_some(parts)
}

#[test]
fn expressions_are_understood() {
    for accepted in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-2.0 OR MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
    ] {
        assert!(is_accepted(accepted), "{accepted}");
    }
    for refused in ["GPL-3.0", "MIT AND GPL-3.0", "(GPL-2.0 OR GPL-3.0) AND MIT", ""] {
        assert!(!is_accepted(refused), "{refused}");
    }
}

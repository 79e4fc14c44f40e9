//! Reads a component without compiling or running it: what it imports and exports, and the custom sections
//! that belong to us.

use std::collections::BTreeMap;

use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use super::LoadError;

/// The custom section with the manifest.
pub(crate) const MANIFEST_SECTION: &str = "exed:manifest";
/// What the name of a script's custom section begins with.
pub(crate) const SCRIPT_SECTION: &str = "exed:script:";

/// What a component says about itself.
#[derive(Debug, Default)]
pub(crate) struct Introspection {
    /// The names of what the outermost component imports (`exed:transport/steps@0.1.0`).
    pub(crate) imports: Vec<String>,
    /// The names of what it exports.
    pub(crate) exports: Vec<String>,
    /// The manifest section, wherever it stands.
    pub(crate) manifest: Option<String>,
    /// Script texts by name.
    pub(crate) scripts: BTreeMap<String, String>,
}

/// Validates and reads a component.
///
/// # Errors
/// One sentence about what is wrong with the file.
pub(crate) fn introspect(bytes: &[u8]) -> Result<Introspection, LoadError> {
    check_preamble(bytes)?;
    Validator::new_with_features(WasmFeatures::default())
        .validate_all(bytes)
        .map_err(|error| LoadError::Broken(one_line(&error)))?;
    let mut found = Introspection::default();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| LoadError::Broken(one_line(&error)))?;
        // The payloads of nested modules and components follow inline, each until its own end.
        if matches!(payload, Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) {
            depth = depth.saturating_add(1);
        } else if matches!(payload, Payload::End(_)) {
            depth = depth.saturating_sub(1);
        } else {
            found.take(&payload, depth == 0)?;
        }
    }
    Ok(found)
}

impl Introspection {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only these of wasmparser's sections tell us anything"
    )]
    fn take(&mut self, payload: &Payload<'_>, outermost: bool) -> Result<(), LoadError> {
        match payload {
            Payload::ComponentImportSection(section) if outermost => {
                for import in section.clone() {
                    let import = import.map_err(|error| LoadError::Broken(one_line(&error)))?;
                    self.imports.push(import.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if outermost => {
                for export in section.clone() {
                    let export = export.map_err(|error| LoadError::Broken(one_line(&error)))?;
                    self.exports.push(export.name.name.to_owned());
                }
            }
            Payload::CustomSection(section) => self.take_custom(section.name(), section.data())?,
            _ => {}
        }
        Ok(())
    }

    fn take_custom(&mut self, name: &str, data: &[u8]) -> Result<(), LoadError> {
        let text = |what: &str| {
            std::str::from_utf8(data)
                .map(str::to_owned)
                .map_err(|error| LoadError::Manifest(format!("{what} is not UTF-8: {error}")))
        };
        if name == MANIFEST_SECTION {
            if self.manifest.replace(text("the section exed:manifest")?).is_some() {
                return Err(LoadError::Manifest("there are two sections exed:manifest".into()));
            }
        } else if let Some(script) = name.strip_prefix(SCRIPT_SECTION) {
            let content = text(&format!("the section {name}"))?;
            if self.scripts.insert(script.to_owned(), content).is_some() {
                return Err(LoadError::Manifest(format!("there are two sections {name}")));
            }
        }
        Ok(())
    }
}

/// Tells the two common mistakes from plain rubbish, because each has another remedy.
fn check_preamble(bytes: &[u8]) -> Result<(), LoadError> {
    if Parser::is_component(bytes) {
        return Ok(());
    }
    Err(LoadError::Broken(if Parser::is_core_wasm(bytes) {
        "it is a core module; make it a component first (`cargo xtask build` and `wasm-tools component new` do)"
            .into()
    } else {
        "it is not a WebAssembly component".into()
    }))
}

fn one_line(error: &impl std::fmt::Display) -> String {
    error.to_string().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sections_are_found_in_nested_modules() {
        let bytes = wat::parse_str(
            r#"(component
                (core module (@custom "exed:manifest" "name = 1") (@custom "exed:script:facts" "uname"))
                (import "exed:types/types@0.1.0" (instance))
                (component (import "inner" (func)))
            )"#,
        )
        .unwrap();
        let found = introspect(&bytes).unwrap();
        assert_eq!(found.imports, ["exed:types/types@0.1.0"]);
        assert_eq!(found.manifest.as_deref(), Some("name = 1"));
        assert_eq!(found.scripts["facts"], "uname");
    }

    #[test]
    fn what_is_not_a_component_is_told_apart() {
        let module = wat::parse_str("(module)").unwrap();
        assert!(introspect(&module).unwrap_err().to_string().contains("core module"));
        assert!(introspect(b"#!/bin/sh").unwrap_err().to_string().contains("not a WebAssembly component"));
        let mut component = wat::parse_str("(component (core module (func)))").unwrap();
        component.truncate(component.len() - 2);
        assert!(matches!(introspect(&component), Err(LoadError::Broken(_))));
    }

    proptest! {
        #[test]
        fn rubbish_never_panics(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
            bytes.extend(tail);
            let _outcome = introspect(&bytes);
        }
    }
}

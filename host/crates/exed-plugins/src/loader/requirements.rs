//! Compares what a component needs with what is here, before anything is compiled.

use exed_domain::plugin::PluginKind;
use semver::{Version, VersionReq};

use super::LoadError;
use super::introspect::Introspection;
use super::manifest::Manifest;
use crate::capabilities::{Capability, wasi};
use crate::v0_1::API;

/// What a component may be linked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The version of the plugin API whose world it exports.
    pub(crate) api: Version,
    /// The WASI interfaces that it imports.
    pub(crate) wasi: Vec<wasi::Interface>,
}

/// A name like `exed:transport/steps@0.1.0`, taken apart.
struct Interface<'a> {
    name: &'a str,
    version: Option<Version>,
}

impl<'a> Interface<'a> {
    fn parse(full: &'a str) -> Self {
        match full.split_once('@') {
            Some((name, version)) => Self { name, version: Version::parse(version).ok() },
            None => Self { name: full, version: None },
        }
    }

    /// Whether it is of the same compatible line as `here` and not newer.
    fn served_by(&self, here: &Version) -> bool {
        self.version.as_ref().is_some_and(|version| same_line(version, here))
    }
}

fn same_line(asked: &Version, here: &Version) -> bool {
    let requirement = VersionReq {
        comparators: vec![semver::Comparator {
            op: semver::Op::Caret,
            major: asked.major,
            minor: Some(asked.minor),
            patch: None,
            pre: semver::Prerelease::EMPTY,
        }],
    };
    requirement.matches(here)
}

/// Checks manifest, exports and imports against this server.
///
/// # Errors
/// One sentence: what it needs, and what is here.
pub(crate) fn check(manifest: &Manifest, found: &Introspection) -> Result<Needs, LoadError> {
    if !manifest.api.matches(&API) {
        return Err(LoadError::Incompatible(format!(
            "{} {} needs version {} of the plugin API, and this server has {API}",
            manifest.name, manifest.version, manifest.api
        )));
    }
    let api = check_exports(manifest, found)?;
    let mut needs = Needs { api, wasi: Vec::new() };
    for import in &found.imports {
        check_import(manifest, import, &mut needs)?;
    }
    Ok(needs)
}

fn check_exports(manifest: &Manifest, found: &Introspection) -> Result<Version, LoadError> {
    let (wanted, other) = match manifest.kind {
        PluginKind::Executor => ("exed:executor/executor", "exed:policy/policy"),
        PluginKind::Policy => ("exed:policy/policy", "exed:executor/executor"),
    };
    let exports: Vec<_> = found.exports.iter().map(|name| Interface::parse(name)).collect();
    if exports.iter().any(|export| export.name == other) {
        return Err(LoadError::Manifest(format!(
            "kind is \"{}\", but the component exports {other}; it must export {wanted} and nothing else of exed",
            manifest.kind.word()
        )));
    }
    let Some(export) = exports.iter().find(|export| export.name == wanted) else {
        return Err(LoadError::Manifest(format!(
            "kind is \"{}\", but the component does not export {wanted}@{API}",
            manifest.kind.word()
        )));
    };
    match &export.version {
        Some(version) if export.served_by(&API) => Ok(version.clone()),
        Some(_) | None => Err(LoadError::Incompatible(format!(
            "{} {} exports {wanted}{}, and this server drives {wanted}@{API}",
            manifest.name,
            manifest.version,
            export.version.as_ref().map_or_else(String::new, |version| format!("@{version}")),
        ))),
    }
}

fn check_import(manifest: &Manifest, import: &str, needs: &mut Needs) -> Result<(), LoadError> {
    let interface = Interface::parse(import);
    let (package, _) = interface.name.split_once('/').unwrap_or((interface.name, ""));
    if package == "exed:types" && interface.served_by(&API) {
        return Ok(());
    }
    if manifest.kind == PluginKind::Policy {
        return Err(LoadError::Incompatible(format!(
            "policy {} {} imports {import}, and policies may import nothing but exed:types",
            manifest.name, manifest.version
        )));
    }
    if let Some(wasi) = wasi::Interface::named(interface.name)
        && interface.version.as_ref().is_some_and(|version| same_line(version, &wasi::NEWEST))
    {
        needs.wasi.push(wasi);
        return Ok(());
    }
    let known = Capability::of_interface(interface.name);
    let Some(capability) = known.filter(|_| interface.served_by(&API)) else {
        return Err(LoadError::Incompatible(unknown_import(manifest, import, known)));
    };
    if manifest.capabilities.contains(&capability) {
        return Ok(());
    }
    Err(LoadError::Undeclared(format!(
        "{} {} imports {import}, but its manifest does not declare the capability \"{}\"; add it to `capabilities`",
        manifest.name,
        manifest.version,
        capability.word()
    )))
}

fn unknown_import(manifest: &Manifest, import: &str, known: Option<Capability>) -> String {
    let here = match known {
        Some(_) => format!("this server has version {API} of it"),
        None => format!(
            "this server offers {} in version {API}, and wasi:cli, clocks, filesystem, io, random and sockets 0.2",
            Capability::interfaces()
        ),
    };
    format!("{} {} needs {import}, and {here}", manifest.name, manifest.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_compatible_as_semver_says() {
        let version = |text: &str| Version::parse(text).unwrap();
        assert!(same_line(&version("0.1.0"), &version("0.1.3")));
        assert!(same_line(&version("0.2.6"), &wasi::NEWEST));
        for other in ["0.2.0", "0.9.0", "1.0.0", "2.0.0"] {
            assert!(!same_line(&version(other), &version("0.1.0")), "{other}");
        }
    }
}

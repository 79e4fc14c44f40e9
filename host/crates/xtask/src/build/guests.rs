//! Builds guests and makes components of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::{component, digest};
use crate::command;
use crate::toolchain::{GuestKind, GuestToolchain};
use crate::workspace::Workspace;

/// A guest to build.
#[derive(Clone, Debug)]
struct Guest {
    /// The name of its package and of its component.
    name: String,
    /// Everything it is made of.
    sources: Vec<PathBuf>,
}

/// Builds every first-party plugin whose sources have changed. Returns all of their components.
pub(super) fn build_all(workspace: &Workspace, yes: bool) -> anyhow::Result<Vec<PathBuf>> {
    let guests = first_party(workspace)?;
    let mut stale = Vec::new();
    for guest in &guests {
        let sources = digest::of(&guest.sources)?;
        if !is_fresh(workspace, &guest.name, &sources) {
            stale.push((guest, sources));
        }
    }
    if stale.is_empty() {
        println!("Guests: {} components are up to date", guests.len());
    } else {
        let toolchain = GuestToolchain::find(GuestKind::Bare, yes)?;
        let mut cargo = toolchain.cargo_build();
        cargo.current_dir(&workspace.root);
        cargo.args(stale.iter().flat_map(|(guest, _)| ["--package", guest.name.as_str()]));
        compile(workspace, &mut cargo)?;
        for (guest, sources) in stale {
            let bytes = component::encode(&module_path(workspace, &toolchain, &guest.name))?;
            write(&component_path(workspace, &guest.name), &bytes)?;
            write(&stamp_path(workspace, &guest.name), stamp(&sources, &bytes).as_bytes())?;
        }
    }
    Ok(guests.iter().map(|guest| component_path(workspace, &guest.name)).collect())
}

/// Builds the plugin in `folder`, which need not belong to the workspace; cargo decides what is fresh.
/// Its component goes to [`Workspace::plugins`], so that it is not embedded.
pub(super) fn build_one(
    workspace: &Workspace,
    folder: &Path,
    kind: GuestKind,
    yes: bool,
) -> anyhow::Result<PathBuf> {
    let manifest = folder.join("Cargo.toml");
    let name = package_name(&manifest)?;
    let toolchain = GuestToolchain::find(kind, yes)?;
    let mut cargo = toolchain.cargo_build();
    cargo.arg("--manifest-path").arg(&manifest);
    compile(workspace, &mut cargo)?;
    let bytes = component::encode(&module_path(workspace, &toolchain, &name))?;
    let target = workspace.plugins().join(format!("{name}.wasm"));
    write(&target, &bytes)?;
    Ok(target)
}

/// The plugins in the folder `plugins`.
fn first_party(workspace: &Workspace) -> anyhow::Result<Vec<Guest>> {
    let folder = workspace.root.join("plugins");
    let shared = ["sdk/rust", "wit/next", "Cargo.toml", "Cargo.lock"].map(|path| workspace.root.join(path));
    let mut guests = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.join("plugin.toml").is_file() {
            let name = package_name(&path.join("Cargo.toml"))?;
            let sources = shared.iter().cloned().chain([path]).collect();
            guests.push(Guest { name, sources });
        }
    }
    guests.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(guests)
}

/// The name of the package of a `Cargo.toml`, as cargo reads it.
fn package_name(manifest: &Path) -> anyhow::Result<String> {
    let manifest =
        std::fs::canonicalize(manifest).with_context(|| format!("{} cannot be read", manifest.display()))?;
    let metadata = command::cargo_metadata(&manifest)?;
    let packages = metadata.get("packages").and_then(serde_json::Value::as_array);
    let text = |package: &serde_json::Value, key: &str| {
        package.get(key).and_then(serde_json::Value::as_str).map(str::to_owned)
    };
    let package = packages
        .into_iter()
        .flatten()
        .find(|package| text(package, "manifest_path").is_some_and(|path| Path::new(&path) == manifest));
    package
        .and_then(|package| text(package, "name"))
        .with_context(|| format!("{} is the manifest of no package", manifest.display()))
}

/// Runs cargo in the guests' own target directory, with nothing inherited that belongs to the host's build.
fn compile(workspace: &Workspace, cargo: &mut Command) -> anyhow::Result<()> {
    cargo.env("CARGO_TARGET_DIR", workspace.guest_target());
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("CARGO_BUILD_TARGET");
    command::run(cargo).context("the guests cannot be compiled")
}

/// Writes beside the destination and renames, so that nobody ever sees half a component.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let temporary = path.with_extension("tmp");
    std::fs::write(&temporary, bytes)
        .and_then(|()| std::fs::rename(&temporary, path))
        .with_context(|| format!("cannot write {}", path.display()))?;
    if path.extension().is_some_and(|extension| extension == "wasm") {
        println!("Component: {} ({} KiB)", path.display(), bytes.len().div_ceil(1024));
    }
    Ok(())
}

fn is_fresh(workspace: &Workspace, name: &str, sources: &str) -> bool {
    let stamped = std::fs::read_to_string(stamp_path(workspace, name));
    let component = std::fs::read(component_path(workspace, name));
    matches!((stamped, component), (Ok(stamped), Ok(bytes)) if stamped == stamp(sources, &bytes))
}

/// What a component was made of, and what came out.
fn stamp(sources: &str, component: &[u8]) -> String {
    format!("{sources} {}\n", digest::of_bytes(component))
}

fn stamp_path(workspace: &Workspace, name: &str) -> PathBuf {
    workspace.guest_target().join(format!("{name}.stamp"))
}

fn component_path(workspace: &Workspace, name: &str) -> PathBuf {
    workspace.components().join(format!("{name}.wasm"))
}

fn module_path(workspace: &Workspace, toolchain: &GuestToolchain, name: &str) -> PathBuf {
    let file = format!("{}.wasm", name.replace('-', "_"));
    workspace.guest_target().join(toolchain.target()).join("guest").join(file)
}

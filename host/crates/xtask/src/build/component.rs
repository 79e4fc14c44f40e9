//! From a core module to a component.

use std::path::Path;

use anyhow::{Context, bail};
use wit_component::ComponentEncoder;

/// The custom section that every plugin carries.
const MANIFEST_SECTION: &[u8] = b"exed:manifest";

/// The first bytes of a component, where those of a core module end in 1, 0, 0, 0.
const COMPONENT_HEADER: &[u8] = b"\0asm\x0d\0\x01\0";

/// What a module that was built for WASI preview 1 imports.
const PREVIEW1: &str = "wasi_snapshot_preview1";

/// Makes the component of a core module; its custom sections stay in the module inside. The linker of some
/// targets makes the component itself, which is then taken as it is.
pub(super) fn encode(module: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = std::fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let component = if bytes.starts_with(COMPONENT_HEADER) {
        bytes
    } else {
        wrapped(&bytes).with_context(|| format!("{} cannot be made a component", module.display()))?
    };
    if !component.windows(MANIFEST_SECTION.len()).any(|window| window == MANIFEST_SECTION) {
        bail!(
            "{} carries no manifest: its crate must call `exed_sdk::executor!` or `exed_sdk::policy!`",
            module.display()
        );
    }
    Ok(component)
}

/// The component around a core module. The adapter from preview 1 is left out where nothing imports it.
fn wrapped(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)?
        .adapter(PREVIEW1, wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)?
        .encode()
}

//! Components for the tests, built from source as their authors would.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use tests::process::{checked, target_dir, workspace_dir};

/// A plugin of the repository that the server does not carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Guest {
    /// Breaks every rule.
    Hostile,
    /// Sends commands and files.
    Courier,
    /// The example of a third-party plugin.
    DiskUsage,
    /// The example of a plugin that imports WASI.
    WasiProbe,
}

impl Guest {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hostile => "hostile",
            Self::Courier => "courier",
            Self::DiskUsage => "disk-usage",
            Self::WasiProbe => "wasi-probe",
        }
    }

    fn folder(self) -> std::path::PathBuf {
        let parent = match self {
            Self::Hostile | Self::Courier => "tests/fixtures/plugins",
            Self::DiskUsage | Self::WasiProbe => "examples/plugins",
        };
        workspace_dir().join(parent).join(self.name())
    }

    /// Its component, built once by this process with `cargo xtask build --plugin`.
    pub(super) fn component(self) -> Vec<u8> {
        static BUILT: Mutex<BTreeMap<Guest, Vec<u8>>> = Mutex::new(BTreeMap::new());
        let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        built.entry(self).or_insert_with(|| build(&self.folder(), self)).clone()
    }

    /// Its manifest, changed as a manifest beside the component may be.
    pub(super) fn manifest(self, from: &str, to: &str) -> String {
        let manifest = fs::read_to_string(self.folder().join("plugin.toml")).expect("the manifest");
        assert!(manifest.contains(from), "{from:?} is not in the manifest: {manifest}");
        manifest.replace(from, to)
    }
}

fn build(folder: &Path, guest: Guest) -> Vec<u8> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace_dir()).args(["xtask", "build", "--yes", "--plugin"]).arg(folder);
    if guest == Guest::WasiProbe {
        cargo.arg("--wasi");
    }
    let output = cargo.stdin(Stdio::null()).output().expect("cargo starts");
    checked("cargo xtask build --plugin", &output).expect("the plugin is built");
    fs::read(target_dir().join("plugins").join(format!("{}.wasm", guest.name()))).expect("its component")
}

/// A component that the server under test carries, as `cargo xtask build` has left it beside the server.
pub(super) fn first_party(name: &str) -> Vec<u8> {
    let program = tests::harness::program().expect("the server's program");
    let target = program.ancestors().nth(2).expect("a build folder");
    let file = target.join("components").join(format!("{name}.wasm"));
    fs::read(&file).unwrap_or_else(|error| {
        panic!("{}: {error}; build it with `cargo xtask build`", file.display());
    })
}

/// A component with a text in it replaced by one of the same length wherever it occurs. Names and manifests
/// stand in a component as they are, so this is what another build would have left there.
pub(super) fn patched(component: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "lengths stand beside the text");
    let mut bytes = component.to_vec();
    let mut found = 0;
    let mut at = 0;
    while let Some(rest) = bytes.get_mut(at..at + from.len()) {
        if rest == from.as_bytes() {
            rest.copy_from_slice(to.as_bytes());
            found += 1;
        }
        at += 1;
    }
    assert!(found > 0, "{from:?} is not in the component");
    bytes
}

/// The same plugin in another version of the same length.
pub(super) fn in_version(component: &[u8], from: &str, to: &str) -> Vec<u8> {
    patched(component, &format!("version = \"{from}\""), &format!("version = \"{to}\""))
}

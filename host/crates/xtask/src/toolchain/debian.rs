//! Debian's compiler with the sources of its standard library.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::GuestKind;
use crate::{command, packages};

/// Compiler and library sources of one version, and a linker for WebAssembly.
const PACKAGES: [&str; 3] = ["rustc-web", "rust-web-src", "lld-19"];

/// The C library that WASI's standard library stands on.
const WASI_PACKAGE: &str = "wasi-libc";

/// Where Debian puts the compiler.
const RUSTC: &str = "/usr/bin/rustc";

/// Where Debian puts the C library.
const WASI_LIBRARIES: &str = "/usr/lib/wasm32-wasi";

/// A compiler that can build the standard library.
#[derive(Clone, Debug)]
pub(crate) struct Compiler {
    /// What `rustc --version` says, without the date.
    pub(crate) version: String,
    linker: PathBuf,
}

/// Finds it, installing packages where some are missing.
pub(super) fn find(kind: GuestKind, yes: bool) -> anyhow::Result<Compiler> {
    let mut needed = PACKAGES.to_vec();
    if kind == GuestKind::Wasi {
        needed.push(WASI_PACKAGE);
    }
    if complete(kind).is_none() {
        packages::ensure(&needed, "compile plugins to WebAssembly", yes).with_context(|| {
            format!("guests cannot be compiled: `rustup target add {}` did not work either", kind.target())
        })?;
    }
    match complete(kind) {
        Some(compiler) => Ok(compiler),
        None => bail!(
            "{} are installed, but {RUSTC}, its library sources, wasm-ld or the C library are not where they belong",
            needed.join(", ")
        ),
    }
}

/// The compiler, if everything it needs is there.
fn complete(kind: GuestKind) -> Option<Compiler> {
    let version = command::output_of(Command::new(RUSTC).arg("--version"))?;
    let sysroot = command::output_of(Command::new(RUSTC).args(["--print", "sysroot"]))?;
    let sources = Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml");
    let linker = ["wasm-ld", "wasm-ld-19"].into_iter().find_map(command::which)?;
    let has_library = match kind {
        GuestKind::Bare => true,
        GuestKind::Wasi => Path::new(WASI_LIBRARIES).join("libc.a").is_file(),
    };
    let short: Vec<&str> = version.split_whitespace().take(2).collect();
    (sources.is_file() && has_library).then(|| Compiler { version: short.join(" "), linker })
}

impl Compiler {
    /// Makes a `cargo build` use it. Building the standard library is an unstable option of cargo, hence
    /// the bootstrap switch; the guests themselves use stable Rust only.
    pub(super) fn apply(&self, kind: GuestKind, command: &mut Command) {
        let variable = kind.debian_target().to_uppercase().replace('-', "_");
        let flags = match kind {
            GuestKind::Bare => "-Clinker-flavor=wasm-ld".to_owned(),
            GuestKind::Wasi => {
                format!("-Clinker-flavor=wasm-ld -Clink-self-contained=no -L{WASI_LIBRARIES}")
            }
        };
        command
            .arg("-Zbuild-std=std,panic_abort")
            .env("RUSTC", RUSTC)
            .env("RUSTC_BOOTSTRAP", "1")
            .env(format!("CARGO_TARGET_{variable}_LINKER"), &self.linker)
            .env(format!("CARGO_TARGET_{variable}_RUSTFLAGS"), flags);
    }
}

//! How guests are compiled on this machine.
//!
//! 1. The Rust toolchain in use has the standard library for the target: use it.
//! 2. `rustup target add` can fetch it: let it, then use it.
//! 3. Debian's packages carry a compiler with the library's sources: build the library with the guests.

mod debian;

use std::path::PathBuf;
use std::process::Command;

use crate::command;

/// What a guest may import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GuestKind {
    /// Nothing but what its world names.
    Bare,
    /// WASI 0.2 as well.
    Wasi,
}

impl GuestKind {
    /// The target that a complete toolchain has for it.
    fn target(self) -> &'static str {
        match self {
            Self::Bare => "wasm32-unknown-unknown",
            Self::Wasi => "wasm32-wasip2",
        }
    }

    /// The target that Debian's packages can build the standard library for.
    fn debian_target(self) -> &'static str {
        match self {
            Self::Bare => "wasm32-unknown-unknown",
            Self::Wasi => "wasm32-wasip1",
        }
    }
}

/// One of the ways, for one kind of guests.
#[derive(Clone, Debug)]
pub(crate) struct GuestToolchain {
    kind: GuestKind,
    debian: Option<debian::Compiler>,
}

impl GuestToolchain {
    /// Finds a way, and prints which one. `yes` installs packages without asking.
    ///
    /// # Errors
    /// Why the last way is not open either.
    pub(crate) fn find(kind: GuestKind, yes: bool) -> anyhow::Result<Self> {
        let target = kind.target();
        if installed(target) {
            println!("Guests: the Rust toolchain has {target}");
            return Ok(Self { kind, debian: None });
        }
        if command::which("rustup").is_some() && add_target(target) && installed(target) {
            println!("Guests: rustup has added {target} to the Rust toolchain");
            return Ok(Self { kind, debian: None });
        }
        let compiler = debian::find(kind, yes)?;
        println!(
            "Guests: {target} is not to be had from rustup; Debian's {} builds the standard library for {}",
            compiler.version,
            kind.debian_target()
        );
        Ok(Self { kind, debian: Some(compiler) })
    }

    /// The target that it compiles for.
    pub(crate) fn target(&self) -> &'static str {
        match self.debian {
            None => self.kind.target(),
            Some(_) => self.kind.debian_target(),
        }
    }

    /// A `cargo build` for guests, without packages and target directory.
    pub(crate) fn cargo_build(&self) -> Command {
        let mut command = command::cargo();
        command.args(["build", "--profile", "guest", "--target", self.target()]);
        if let Some(compiler) = &self.debian {
            compiler.apply(self.kind, &mut command);
        }
        command
    }
}

/// Whether the toolchain in use has the standard library for a target. Its folder alone says nothing: a
/// download that was broken off leaves one behind.
fn installed(target: &str) -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let Some(sysroot) = command::output_of(Command::new(rustc).args(["--print", "sysroot"])) else {
        return false;
    };
    let folder = PathBuf::from(sysroot).join("lib/rustlib").join(target).join("lib");
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries.filter_map(Result::ok).any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    })
}

/// Asks rustup for a target. Its own messages are not shown: that it cannot is normal where only package
/// registries can be reached, and the next way says what it needs.
fn add_target(target: &str) -> bool {
    println!("Guests: asking rustup for {target}");
    command::output_of(Command::new("rustup").args(["target", "add", target])).is_some()
}

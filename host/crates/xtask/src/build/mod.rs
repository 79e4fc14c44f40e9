//! `cargo xtask build`: plugins first, then the binaries that carry them.

mod component;
mod digest;
mod guests;

use std::path::PathBuf;

use crate::command;
use crate::toolchain::GuestKind;
use crate::workspace::Workspace;

/// Options of `build`.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// Build optimized binaries; plugins always are.
    #[arg(long)]
    pub(crate) release: bool,
    /// Build the plugins only.
    #[arg(long)]
    pub(crate) guests_only: bool,
    /// Build the plugin in this folder instead of the first-party ones, and nothing else.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) plugin: Option<PathBuf>,
    /// Build that plugin so that it may import WASI 0.2.
    #[arg(long, requires = "plugin")]
    pub(crate) wasi: bool,
    /// Install missing system packages without asking.
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// What a build has left.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// The finished components.
    pub(crate) components: Vec<PathBuf>,
    /// The folder of the binaries `exed` and `exectl`; none if only plugins were built.
    pub(crate) binaries: Option<PathBuf>,
}

/// Builds.
pub(crate) fn run(options: &Options) -> anyhow::Result<Built> {
    let workspace = Workspace::find()?;
    if let Some(folder) = &options.plugin {
        let kind = if options.wasi { GuestKind::Wasi } else { GuestKind::Bare };
        let component = guests::build_one(&workspace, folder, kind, options.yes)?;
        return Ok(Built { components: vec![component], binaries: None });
    }
    let components = guests::build_all(&workspace, options.yes)?;
    if options.guests_only {
        return Ok(Built { components, binaries: None });
    }
    let mut cargo = command::cargo();
    cargo.current_dir(&workspace.root).args(["build", "--bin", "exed", "--bin", "exectl"]);
    if options.release {
        cargo.arg("--release");
    }
    command::run(&mut cargo)?;
    let folder = workspace.target.join(if options.release { "release" } else { "debug" });
    println!("Binaries: {}", folder.join("exed").display());
    println!("          {}", folder.join("exectl").display());
    Ok(Built { components, binaries: Some(folder) })
}

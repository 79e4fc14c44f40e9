//! Lists the components that the binary carries.
//!
//! They are the `*.wasm` files of the folder named by `EXED_COMPONENTS`, or else of `components` in the
//! target directory, where `cargo xtask build` puts them. Without any, the binary carries none: a plain
//! `cargo check` needs no guests.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=EXED_COMPONENTS");
    let folder = match env::var_os("EXED_COMPONENTS") {
        Some(folder) => Some(PathBuf::from(folder)),
        None => default_folder(&out),
    };
    let mut list = String::from("&[\n");
    if let Some(folder) = folder {
        println!("cargo::rerun-if-changed={}", folder.display());
        for file in components(&folder)? {
            let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let _ = writeln!(list, "    ({name:?}, include_bytes!({:?})),", file.display().to_string());
        }
    }
    list.push_str("]\n");
    fs::write(out.join("components.rs"), list)
}

/// `components` in the target directory, which is the nearest folder above that cargo has tagged as its
/// own. It is created, because a missing path would make cargo run this script at every build.
fn default_folder(out: &Path) -> Option<PathBuf> {
    let target = out.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file())?;
    let folder = target.join("components");
    fs::create_dir_all(&folder).ok()?;
    Some(folder)
}

/// The components of a folder, by name.
fn components(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let read = |error: io::Error| {
        io::Error::new(
            error.kind(),
            format!("EXED_COMPONENTS={}: {error}; run `cargo xtask build`", folder.display()),
        )
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(fs::canonicalize(path)?);
        }
    }
    files.sort();
    Ok(files)
}

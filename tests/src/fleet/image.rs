//! The file system that all hosts of a fleet share, built once and kept in the user's cache.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};

use super::text;
use crate::process::{require_tools, run};

/// What is installed besides Debian's minimal base.
const PACKAGES: &str =
    "openssh-server,sysvinit-core,systemd,dbus,nginx,cron,procps,iproute2,iputils-ping,sudo,less,psmisc";
const SUITE: &str = "bookworm";
/// Makes the installed system ready to be shared.
const CUSTOMIZE: &str = include_str!("image.sh");

/// The image's folder. Builds it when there is none of this recipe, under a lock, so that test processes
/// that start together build it once.
pub(super) fn ensure() -> anyhow::Result<PathBuf> {
    let cache = cache_dir()?;
    fs::create_dir_all(&cache).with_context(|| format!("creating {}", cache.display()))?;
    let image = cache.join(format!("{SUITE}-{:016x}", recipe()));
    let lock = File::create(cache.join("lock")).context("creating the lock of the fleet's image")?;
    flock(&lock, FlockOperation::LockExclusive).context("locking the fleet's image")?;
    if !image.is_dir() {
        build(&cache, &image)?;
    }
    Ok(image)
}

fn build(cache: &Path, image: &Path) -> anyhow::Result<()> {
    require_tools(&[("mmdebstrap", "mmdebstrap")])?;
    let build = tempfile::Builder::new().prefix("build-").tempdir_in(cache)?;
    let script = build.path().join("image.sh");
    fs::write(&script, CUSTOMIZE)?;
    let root = build.path().join("root");
    run(
        "mmdebstrap",
        [
            "--quiet",
            "--mode=root",
            "--variant=minbase",
            "--format=directory",
            &format!("--include={PACKAGES}"),
            &format!("--customize-hook=sh {} \"$1\"", text(&script)?),
            SUITE,
            text(&root)?,
        ],
    )
    .context("building the image of the fleet's hosts; it needs Debian's package archive")?;
    fs::rename(&root, image).context("putting the image of the fleet's hosts in place")
}

/// Changes with everything that the image is made from.
fn recipe() -> u64 {
    let mut hasher = DefaultHasher::new();
    (PACKAGES, SUITE, CUSTOMIZE).hash(&mut hasher);
    hasher.finish()
}

/// `$XDG_CACHE_HOME/exed/fleet-image`, or the same below `~/.cache`: all checkouts of a user share it.
fn cache_dir() -> anyhow::Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?)
            .join(".cache"),
    };
    Ok(base.join("exed").join("fleet-image"))
}

//! Digests of source trees, so that an unchanged guest costs nothing.

use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

/// SHA-256 over names and contents of every file below `paths`, lower-case hex.
pub(super) fn of(paths: &[PathBuf]) -> anyhow::Result<String> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let content = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        hash.update(file.as_os_str().as_encoded_bytes());
        hash.update([0]);
        hash.update(content.len().to_le_bytes());
        hash.update(&content);
    }
    Ok(hex::encode(hash.finalize()))
}

/// SHA-256 of bytes, lower-case hex.
pub(super) fn of_bytes(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Files below `path`, without what cargo builds there and what is hidden.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        if name != "target" && !name.as_encoded_bytes().starts_with(b".") {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn names_and_contents_count_and_build_output_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().to_owned()];
        std::fs::write(folder.path().join("a"), "1").unwrap();
        let first = of(&paths).unwrap();
        std::fs::create_dir(folder.path().join("target")).unwrap();
        std::fs::write(folder.path().join("target/x"), "1").unwrap();
        assert_eq!(of(&paths).unwrap(), first);
        std::fs::write(folder.path().join("a"), "2").unwrap();
        let changed = of(&paths).unwrap();
        assert_ne!(changed, first);
        std::fs::rename(folder.path().join("a"), folder.path().join("b")).unwrap();
        assert_ne!(of(&paths).unwrap(), changed);
    }
}

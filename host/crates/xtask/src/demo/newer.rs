//! A newer version of a plugin for the upgrade: the same program with a higher version in its manifest.

use anyhow::{Context, bail};

/// Before the manifest in a component.
const SECTION: &[u8] = b"exed:manifest";

/// Before the version in a manifest.
const KEY: &[u8] = b"\nversion = \"";

/// The component with the next higher version of the same length, and that version.
///
/// The manifest is a custom section deep inside, whose length is counted by everything around it; a version
/// of the same length leaves all of that as it is.
pub(super) fn newer(component: &[u8]) -> anyhow::Result<(Vec<u8>, String)> {
    let section = find(component, SECTION, 0).context("the component carries no manifest")?;
    let start = find(component, KEY, section).context("its manifest names no version")? + KEY.len();
    let end = find(component, b"\"", start).context("its manifest names no version")?;
    let version = component.get(start..end).unwrap_or_default();
    let version = std::str::from_utf8(version).context("its version is no text")?;
    let higher = higher(version)?;
    let mut changed = component.to_vec();
    changed.splice(start..end, higher.bytes());
    Ok((changed, higher))
}

fn find(bytes: &[u8], what: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(what.len()).position(|window| window == what).map(|at| from + at)
}

/// The next minor version, or the next patch or major one, whichever is as long.
fn higher(version: &str) -> anyhow::Result<String> {
    let parts: Result<Vec<u64>, _> = version.split('.').map(str::parse).collect();
    let Ok([major, minor, patch]) = parts.as_deref() else {
        bail!("{version} is not a version such as 1.2.3");
    };
    let candidates = [
        format!("{major}.{}.{patch}", minor + 1),
        format!("{major}.{minor}.{}", patch + 1),
        format!("{}.{minor}.{patch}", major + 1),
    ];
    let fitting = candidates.into_iter().find(|candidate| candidate.len() == version.len());
    fitting.with_context(|| format!("no version above {version} is as long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_version_changes() {
        let component = b"..\nversion = \"7.7.7\"..exed:manifestname = \"a\"\nversion = \"0.9.3\"\n...";
        let (changed, version) = newer(component).unwrap();
        assert_eq!(version, "0.9.4");
        let text = String::from_utf8(changed).unwrap();
        assert_eq!(text, "..\nversion = \"7.7.7\"..exed:manifestname = \"a\"\nversion = \"0.9.4\"\n...");
    }

    #[test]
    fn a_higher_version_is_as_long() {
        assert_eq!(higher("0.1.0").unwrap(), "0.2.0");
        assert_eq!(higher("1.9.9").unwrap(), "2.9.9");
        assert!(higher("9.9.9").is_err());
        assert!(higher("1.0.0-rc.1").is_err());
        assert!(newer(b"nothing").is_err());
    }
}

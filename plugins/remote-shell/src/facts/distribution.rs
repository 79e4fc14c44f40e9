//! Which operating system it is.

use super::{Facts, Raw, set};

const OS_RELEASE: &str = "/etc/os-release";

/// `ID` of os-release, Ansible's name, Ansible's family.
const NAMES: [(&str, &str, &str); 32] = [
    ("debian", "Debian", "Debian"),
    ("ubuntu", "Ubuntu", "Debian"),
    ("raspbian", "Raspbian", "Debian"),
    ("linuxmint", "Linux Mint", "Debian"),
    ("kali", "Kali", "Debian"),
    ("devuan", "Devuan", "Debian"),
    ("pop", "Pop!_OS", "Debian"),
    ("parrot", "Parrot", "Debian"),
    ("neon", "KDE neon", "Debian"),
    ("deepin", "Deepin", "Debian"),
    ("fedora", "Fedora", "RedHat"),
    ("rhel", "RedHat", "RedHat"),
    ("centos", "CentOS", "RedHat"),
    ("rocky", "Rocky", "RedHat"),
    ("almalinux", "AlmaLinux", "RedHat"),
    ("ol", "OracleLinux", "RedHat"),
    ("amzn", "Amazon", "RedHat"),
    ("cloudlinux", "CloudLinux", "RedHat"),
    ("openeuler", "openEuler", "RedHat"),
    ("tencentos", "TencentOS", "RedHat"),
    ("opensuse-leap", "openSUSE Leap", "Suse"),
    ("opensuse-tumbleweed", "openSUSE Tumbleweed", "Suse"),
    ("opensuse-microos", "openSUSE MicroOS", "Suse"),
    ("sles", "SLES", "Suse"),
    ("sled", "SLED", "Suse"),
    ("alpine", "Alpine", "Alpine"),
    ("arch", "Archlinux", "Archlinux"),
    ("manjaro", "Manjaro", "Archlinux"),
    ("gentoo", "Gentoo", "Gentoo"),
    ("altlinux", "Altlinux", "Altlinux"),
    ("clear-linux-os", "Clear Linux OS", "ClearLinux"),
    ("slackware", "Slackware", "Slackware"),
];

/// Names, versions and family.
pub(super) fn collect(raw: &Raw<'_>, facts: &mut Facts) {
    let field = |key: &str| raw.value(OS_RELEASE, key, '=').map(unquote);
    let id = field("ID").unwrap_or_default();
    let (name, family) = match NAMES.iter().find(|(known, _, _)| *known == id) {
        Some((_, name, family)) => ((*name).to_owned(), (*family).to_owned()),
        None => unknown(&field("NAME").unwrap_or_else(|| "Linux".to_owned()), field("ID_LIKE").as_deref()),
    };
    let version = version(raw, &id, field("VERSION_ID").as_deref());
    let mut parts = version.split('.');
    set(facts, "distribution_major_version", parts.next().unwrap_or_default());
    if let Some(minor) = parts.next() {
        set(facts, "distribution_minor_version", minor);
    }
    let release =
        field("VERSION_CODENAME").or_else(|| codename(&field("VERSION")?)).unwrap_or_else(|| "NA".to_owned());
    set(facts, "distribution_release", release);
    set(facts, "distribution_version", version);
    set(facts, "distribution", name);
    set(facts, "os_family", family);
    if !raw.file(OS_RELEASE).is_empty() {
        set(facts, "distribution_file_path", OS_RELEASE);
    }
}

/// Debian's os-release knows only the major version.
fn version(raw: &Raw<'_>, id: &str, version_id: Option<&str>) -> String {
    let point_release = (id == "debian").then(|| raw.first_line("/etc/debian_version")).flatten();
    match (point_release, version_id) {
        (Some(release), Some(major)) if release.split('.').next() == Some(major) => release.to_owned(),
        (_, Some(version)) => version.to_owned(),
        // Rolling releases have none; Debian's testing has a name with a slash in its file.
        (Some(release), None) if release.starts_with(|c: char| c.is_ascii_digit()) => release.to_owned(),
        (_, None) => "NA".to_owned(),
    }
}

/// A distribution that is not in the table: its own name, and the family of what it says it is like.
fn unknown(name: &str, like: Option<&str>) -> (String, String) {
    let family = like.unwrap_or_default().split_whitespace().find_map(|id| {
        NAMES.iter().find(|(known, _, _)| *known == id).map(|(_, _, family)| (*family).to_owned())
    });
    (name.to_owned(), family.unwrap_or_else(|| name.to_owned()))
}

/// `9.3 (Blue Onyx)` has its name in brackets.
fn codename(version: &str) -> Option<String> {
    let (_, rest) = version.split_once('(')?;
    let (name, _) = rest.split_once(')')?;
    Some(name.to_owned())
}

/// A value of os-release without its quotes.
fn unquote(value: &str) -> String {
    let value = value.trim();
    let inner = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.unwrap_or(value).replace("\\\"", "\"").replace("\\$", "$").replace("\\`", "`").replace("\\\\", "\\")
}

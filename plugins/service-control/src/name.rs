//! Names of services.

/// The longest name: systemd's own limit for a unit.
const MAX_BYTES: usize = 255;

/// Why a name is refused. A name becomes an argument and part of a path, so it consists of what real
/// service names consist of and can be neither an option nor another path.
pub(crate) fn problem(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | ':' | '+');
    if name.is_empty() {
        Some("must not be empty".to_owned())
    } else if name.len() > MAX_BYTES {
        Some(format!("has {} bytes; at most {MAX_BYTES} are possible", name.len()))
    } else if let Some(other) = name.chars().find(|c| !allowed(*c)) {
        Some(format!("contains {other:?}; accepted are letters, digits and . _ - @ : +"))
    } else if !name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
        Some("must begin with a letter, a digit or an underscore".to_owned())
    } else if name.contains("..") {
        Some("must not contain two dots in a row".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn accepts_real_names() {
        for name in ["nginx", "postgresql@15-main", "pf9-hostagent.service", "php8.2-fpm", "dbus-:1.2", "g++"]
        {
            assert_eq!(problem(name), None, "{name}");
        }
    }

    #[test]
    fn refuses_options_paths_and_tricks() {
        let long = "a".repeat(256);
        for name in [
            "",
            "-h",
            "--now",
            "../etc/passwd",
            "a/b",
            "a..b",
            ".hidden",
            "a b",
            "a;b",
            "a\nb",
            "a\0b",
            "nginx*",
            "ngin\u{445}",
            "$(id)",
            "`id`",
            "a\\x2d",
            long.as_str(),
        ] {
            assert!(problem(name).is_some(), "{name:?}");
        }
    }
}

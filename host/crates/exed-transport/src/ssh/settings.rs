//! The directives that concern us, collected in order of precedence: the first value wins.

use std::time::Duration;

use super::config::Directive;
use super::options::HostKeyPolicy;

/// What a host's variables, its arguments and the configuration files say together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Settings {
    pub(super) host_name: Option<String>,
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) identity_files: Vec<String>,
    pub(super) identities_only: Option<bool>,
    /// `none` stays as it is written.
    pub(super) identity_agent: Option<String>,
    /// `none` stays as it is written.
    pub(super) proxy_jump: Option<String>,
    pub(super) proxy_command: Option<String>,
    pub(super) known_hosts: Option<Vec<String>>,
    pub(super) policy: Option<HostKeyPolicy>,
    pub(super) connect_timeout: Option<Duration>,
    /// Zero means never.
    pub(super) alive_interval: Option<Duration>,
}

impl Settings {
    /// Takes a directive in, unless an earlier one has set the same. Keywords that mean nothing here are
    /// ignored; a value that cannot be read is an error that says what is accepted.
    pub(super) fn apply(&mut self, directive: &Directive) -> Result<(), String> {
        let (keyword, values) = directive;
        let value = values.first().map(String::as_str).unwrap_or_default();
        match keyword.as_str() {
            "hostname" => set(&mut self.host_name, value.to_owned()),
            "user" => set(&mut self.user, value.to_owned()),
            "port" => set(&mut self.port, port(value)?),
            "identityfile" if value.eq_ignore_ascii_case("none") => {}
            "identityfile" => self.identity_files.push(value.to_owned()),
            "identitiesonly" => set(&mut self.identities_only, flag(keyword, value)?),
            "identityagent" => set(&mut self.identity_agent, value.to_owned()),
            // Whichever of the two stands first decides.
            "proxyjump" if self.proxy_command.is_none() => set(&mut self.proxy_jump, value.to_owned()),
            "proxycommand" if self.proxy_jump.is_none() => set(&mut self.proxy_command, values.join(" ")),
            "userknownhostsfile" => set(&mut self.known_hosts, values.clone()),
            "stricthostkeychecking" => set(&mut self.policy, policy(value)?),
            "connecttimeout" => set(&mut self.connect_timeout, seconds(keyword, value)?),
            "serveraliveinterval" => set(&mut self.alive_interval, seconds(keyword, value)?),
            _ => {}
        }
        Ok(())
    }
}

fn set<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}

/// A port number.
pub(super) fn port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("port {text:?} is not a number from 1 to 65535")),
        Ok(port) => Ok(port),
    }
}

fn flag(keyword: &str, text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(format!("{keyword} {text:?} is neither yes nor no")),
    }
}

/// `ask` is strict: nobody sits at a terminal.
fn policy(text: &str) -> Result<HostKeyPolicy, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "ask" => Ok(HostKeyPolicy::Strict),
        "accept-new" => Ok(HostKeyPolicy::AcceptNew),
        "no" | "off" | "false" => Ok(HostKeyPolicy::Off),
        _ => Err(format!("StrictHostKeyChecking {text:?} is not one of yes, accept-new, no")),
    }
}

/// Seconds, or OpenSSH's `1m30s`.
fn seconds(keyword: &str, text: &str) -> Result<Duration, String> {
    let wrong = || format!("{keyword} {text:?} is not a number of seconds");
    let mut total = 0_u64;
    let mut number = String::new();
    for letter in text.chars() {
        let unit = match letter.to_ascii_lowercase() {
            '0'..='9' => {
                number.push(letter);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(wrong()),
        };
        let count: u64 = std::mem::take(&mut number).parse().map_err(|_| wrong())?;
        total = total.saturating_add(count.saturating_mul(unit));
    }
    if !number.is_empty() || text.is_empty() {
        total = total.saturating_add(number.parse().map_err(|_| wrong())?);
    }
    Ok(Duration::from_secs(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Result<Settings, String> {
        let mut settings = Settings::default();
        for line in lines {
            settings.apply(&super::super::config::directive(line)?.unwrap())?;
        }
        Ok(settings)
    }

    #[test]
    fn the_first_value_wins_and_identity_files_add_up() {
        let settings = of(&["Port 22", "Port 23", "IdentityFile a", "IdentityFile b"]).unwrap();
        assert_eq!(settings.port, Some(22));
        assert_eq!(settings.identity_files, ["a", "b"]);
    }

    #[test]
    fn jump_and_command_exclude_each_other() {
        let settings = of(&["ProxyJump none", "ProxyCommand nc %h %p"]).unwrap();
        assert_eq!((settings.proxy_jump.as_deref(), settings.proxy_command), (Some("none"), None));
    }

    #[test]
    fn wrong_values_say_what_is_accepted() {
        for (line, part) in [
            ("Port 0", "1 to 65535"),
            ("Port http", "1 to 65535"),
            ("StrictHostKeyChecking maybe", "accept-new"),
            ("ConnectTimeout soon", "seconds"),
            ("IdentitiesOnly perhaps", "neither yes nor no"),
        ] {
            let error = of(&[line]).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn times_may_have_units() {
        assert_eq!(seconds("x", "1m30s").unwrap(), Duration::from_secs(90));
        assert_eq!(seconds("x", "7").unwrap(), Duration::from_secs(7));
        assert!(seconds("x", "").is_err() && seconds("x", "s").is_err());
    }
}

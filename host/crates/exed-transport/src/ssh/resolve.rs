//! From a host of the inventory to a target: Ansible's variables first, then the configuration files.

use std::path::PathBuf;
use std::time::Duration;

use exed_domain::Host;

use super::arguments;
use super::config::{Directive, SshConfig, expand_home};
use super::options::{HostKeyPolicy, SshOptions};
use super::settings::{Settings, port};
use super::target::{Secret, Target};

/// A chain of jump hosts longer than this is a loop in the configuration.
const MAX_JUMPS: usize = 8;

/// The target of a host. The error says which variable or file is wrong, and what is accepted.
pub(super) fn target(host: &Host, options: &SshOptions, config: &SshConfig) -> Result<Target, String> {
    let first = |names: &[&str]| {
        names.iter().find_map(|name| host.var_text(name)).filter(|text| !text.trim().is_empty())
    };
    let name = first(&["ansible_host", "ansible_ssh_host"]).unwrap_or_else(|| host.name.as_str().to_owned());
    let mut directives = Vec::new();
    let mut take = |keyword: &str, value: Option<String>| {
        directives.extend(value.map(|value| (keyword.to_owned(), vec![value])));
    };
    take("port", first(&["ansible_port", "ansible_ssh_port"]));
    take("user", first(&["ansible_user", "ansible_ssh_user"]));
    take("identityfile", first(&["ansible_ssh_private_key_file", "ansible_private_key_file"]));
    take("connecttimeout", first(&["ansible_ssh_timeout", "ansible_timeout"]));
    let checking =
        host.var_bool("ansible_ssh_host_key_checking").or_else(|| host.var_bool("ansible_host_key_checking"));
    take("stricthostkeychecking", (checking == Some(false)).then(|| "no".to_owned()));
    for variable in ["ansible_ssh_common_args", "ansible_ssh_extra_args"] {
        if let Some(line) = first(&[variable]) {
            directives.extend(arguments::parse(&line).map_err(|problem| format!("{variable}: {problem}"))?);
        }
    }
    let mut target = resolve(&name, &directives, options, config, 0)?;
    target.password = ["ansible_password", "ansible_ssh_pass", "ansible_ssh_password"]
        .iter()
        .find_map(|name| host.var_text(name))
        .map(Secret);
    Ok(target)
}

/// The target of a name, with directives that precede those of the files.
fn resolve(
    name: &str,
    own: &[Directive],
    options: &SshOptions,
    config: &SshConfig,
    depth: usize,
) -> Result<Target, String> {
    let mut settings = Settings::default();
    for directive in own {
        settings.apply(directive)?;
    }
    // What the operator of the server has set precedes the files, but not what the host itself says.
    settings.policy = settings.policy.or(options.host_key_policy);
    for directive in &config.directives(name) {
        settings.apply(directive)?;
    }
    build(name, &settings, options, config, depth)
}

fn build(
    name: &str,
    settings: &Settings,
    options: &SshOptions,
    config: &SshConfig,
    depth: usize,
) -> Result<Target, String> {
    refuse_command(settings.proxy_command.as_deref())?;
    let port = settings.port.unwrap_or(22);
    let user = settings.user.clone().unwrap_or_else(|| options.default_user.clone());
    let mut tokens = Tokens { name, address: name, port, user: &user, options };
    let address = settings.host_name.as_deref().map_or_else(|| name.to_owned(), |text| tokens.expand(text));
    tokens.address = &address;
    let path = |text: &String| expand_home(&tokens.expand(text), &options.home);
    let known_hosts = match &settings.known_hosts {
        Some(files) => files.iter().filter(|file| !file.eq_ignore_ascii_case("none")).map(path).collect(),
        None => options.known_hosts.clone(),
    };
    let agent = match settings.identity_agent.as_deref() {
        Some("none") => None,
        None | Some("SSH_AUTH_SOCK" | "$SSH_AUTH_SOCK") => options.agent_socket.clone(),
        Some(text) => Some(expand_home(&tokens.expand(text), &options.home)),
    };
    let identities: Vec<PathBuf> = settings.identity_files.iter().map(path).collect();
    let jump = jump(settings.proxy_jump.as_deref().map(|text| tokens.expand(text)), options, config, depth)?;
    let alive = settings.alive_interval.unwrap_or(options.keepalive);
    Ok(Target {
        port,
        jump,
        identities,
        identities_only: settings.identities_only.unwrap_or(false),
        agent,
        password: None,
        policy: settings.policy.unwrap_or(HostKeyPolicy::Strict),
        known_hosts,
        connect_timeout: settings
            .connect_timeout
            .filter(|time| !time.is_zero())
            .unwrap_or(options.connect_timeout),
        keepalive: (alive > Duration::ZERO).then_some(alive),
        address,
        user,
    })
}

fn refuse_command(command: Option<&str>) -> Result<(), String> {
    match command {
        Some(command) if !command.eq_ignore_ascii_case("none") => {
            Err("ProxyCommand is not supported, because no program runs between the server and a host; \
             use ProxyJump (-J), which does the same for SSH jump hosts"
                .to_owned())
        }
        Some(_) | None => Ok(()),
    }
}

/// The last machine of a chain `first,second,…`, whose own jump is the one before it. The first of them
/// follows its own configuration.
fn jump(
    chain: Option<String>,
    options: &SshOptions,
    config: &SshConfig,
    depth: usize,
) -> Result<Option<Box<Target>>, String> {
    let Some(chain) = chain.filter(|chain| !chain.eq_ignore_ascii_case("none")) else {
        return Ok(None);
    };
    if depth >= MAX_JUMPS {
        return Err(format!("ProxyJump {chain}: more than {MAX_JUMPS} jump hosts in a row; is it a loop?"));
    }
    let (before, last) = match chain.rsplit_once(',') {
        Some((before, last)) => (Some(before), last),
        None => (None, chain.as_str()),
    };
    let (name, mut directives) =
        destination(last).map_err(|problem| format!("ProxyJump {chain}: {problem}"))?;
    directives.extend(before.map(|before| ("proxyjump".to_owned(), vec![before.to_owned()])));
    resolve(&name, &directives, options, config, depth + 1).map(|target| Some(Box::new(target)))
}

/// `[ssh://][user@]host[:port]`, IPv6 in brackets.
fn destination(text: &str) -> Result<(String, Vec<Directive>), String> {
    let text = text.trim();
    let text = text.strip_prefix("ssh://").unwrap_or(text);
    let (user, rest) = match text.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, text),
    };
    let (host, number) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, after)) => (host, after.strip_prefix(':')),
        None => match rest.rsplit_once(':') {
            Some((host, number)) if !host.contains(':') => (host, Some(number)),
            Some(_) | None => (rest, None),
        },
    };
    if host.is_empty() {
        return Err(format!("{text:?} names no host; [user@]host[:port] is accepted"));
    }
    let mut directives = Vec::new();
    directives.extend(user.map(|user| ("user".to_owned(), vec![user.to_owned()])));
    if let Some(number) = number {
        directives.push(("port".to_owned(), vec![port(number)?.to_string()]));
    }
    Ok((host.to_owned(), directives))
}

/// The percent tokens: `%h` address, `%n` name as asked, `%p` port, `%r` remote user, `%u` local user,
/// `%d` home, `%%`.
struct Tokens<'a> {
    name: &'a str,
    address: &'a str,
    port: u16,
    user: &'a str,
    options: &'a SshOptions,
}

impl Tokens<'_> {
    fn expand(&self, text: &str) -> String {
        let mut expanded = String::with_capacity(text.len());
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                expanded.push(letter);
                continue;
            }
            match letters.next() {
                Some('h') => expanded.push_str(self.address),
                Some('n') => expanded.push_str(self.name),
                Some('p') => expanded.push_str(&self.port.to_string()),
                Some('r') => expanded.push_str(self.user),
                Some('u') => expanded.push_str(&self.options.default_user),
                Some('d') => expanded.push_str(&self.options.home.to_string_lossy()),
                Some('%') | None => expanded.push('%'),
                Some(other) => expanded.extend(['%', other]),
            }
        }
        expanded
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;

use super::*;

/// The configuration of an EXEd installation, every option of its documentation used.
const EXED: &str = r#"
[api]
listen = "127.0.0.1"
listen_port = 16809
pid_file = /run/exe.pid

[runner]
executor = ansible
concurrency = 8
redis_url = redis://:secret@127.0.0.1:6379
broker_url = amqp://guest:guest@localhost:5672//

[log]
log_level = info
error_log = /var/log/exe/error.log
access_log = /var/log/exe/access.log

[ansible]
workdir = /srv/exe
inventory = hosts
playbooks = playbooks
sshkey = keys/id_rsa
"#;

fn exed(text: &str) -> Result<Config, String> {
    exed_ini::parse(Path::new("exe.conf"), text).map_err(|error| error.to_string())
}

fn native(text: &str) -> Result<Config, String> {
    native::parse(Path::new("/etc/exed/exed.toml"), text).map_err(|error| error.to_string())
}

#[test]
fn an_exed_installation_starts_unchanged() {
    let config = exed(EXED).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:16809");
    assert_eq!(config.pid_file, Some("/run/exe.pid".into()));
    assert_eq!(config.jobs.at_once, Some(8));
    assert_eq!(config.log.level, LevelFilter::INFO);
    assert_eq!(config.log.access_log, Some("/var/log/exe/access.log".into()));
    assert_eq!(config.inventory, [PathBuf::from("/srv/exe/hosts")]);
    assert_eq!(config.ssh.key, Some("/srv/exe/keys/id_rsa".into()));
    assert_eq!(config.unused.len(), 3, "{:?}", config.unused);
    assert!(!format!("{config:?}").contains("secret"), "an unused URL is not kept");
}

#[test]
fn what_is_absent_follows_the_documentation() {
    let config = exed("[api]\nlisten_addr = 127.0.0.1\n[runner]\nconcurrency = 0\n").unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:16808");
    assert_eq!((config.jobs.at_once, config.jobs.hosts_at_once), (None, 500));
    assert_eq!(config.log.level, LevelFilter::DEBUG);
    assert!(config.pid_file.is_none() && config.inventory.is_empty());
    assert_eq!(config.jobs.sync_wait, Duration::from_secs(60));
}

#[test]
fn mistakes_in_an_ini_file_name_line_option_and_what_is_accepted() {
    let refused = |text: &str| exed(text).unwrap_err();
    assert_eq!(
        refused("[api]\n\nlisten_port = many\n"),
        "exe.conf:3: [api] listen_port: \"many\" is not a port; accepted are 0 to 65535"
    );
    assert!(refused("[runner]\nexecutor = salt\n").contains("exe.conf:2: [runner] executor: \"salt\""));
    assert!(refused("[log]\nlog_level = loud\n").contains("accepted are trace, debug, info"));
}

#[test]
fn every_native_setting_is_read() {
    let text = include_str!("../../../examples/exed.toml");
    let active: String = text
        .lines()
        .map(|line| line.strip_prefix("#: ").unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    let config = native(&active).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:16808");
    assert_eq!(config.data, PathBuf::from("/var/lib/exed"));
    assert_eq!(config.inventory, [PathBuf::from("/etc/exed/inventory")]);
    assert_eq!(config.policies["execute"], ["command-allowlist"]);
    assert_eq!(config.plugins.operations["ping"].to_string(), "remote-shell@^0.1");
    assert_eq!(config.ssh.host_keys, Some(HostKeyPolicy::AcceptNew));
    assert_eq!(config.jobs.keep_jobs, Duration::from_secs(90 * 24 * 3600));
}

#[test]
fn the_examples_are_valid_as_they_stand() {
    native(include_str!("../../../examples/exed.toml")).unwrap();
    exed(include_str!("../../../examples/exe.conf")).unwrap();
}

#[test]
fn an_unknown_key_is_an_error_that_names_its_line_and_the_known_ones() {
    let error = native("listen = \"127.0.0.1\"\n\n[jobs]\nat_onze = 3\n").unwrap_err();
    assert!(error.starts_with("/etc/exed/exed.toml:4: [jobs] at_onze: unknown field `at_onze`"), "{error}");
    assert!(error.contains("`at_once`"), "{error}");
    assert!(native("[ssh]\nhost_keys = \"maybe\"\n").unwrap_err().contains("accept-new"));
    assert!(
        native("[jobs]\nhosts_at_once = 0\n").unwrap_err().contains("jobs.hosts_at_once: 0 is too small")
    );
}

#[test]
fn errors_do_not_repeat_the_line_they_stand_in() {
    let error = native("[plugins.config.p]\ntoken = \"hunter2\" oops\n").unwrap_err();
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn only_loopback_is_accepted() {
    for address in ["0.0.0.0", "192.0.2.1", "::"] {
        let error = native(&format!("listen = \"{address}\"")).unwrap_err();
        assert!(error.contains("listen: ") && error.contains("not a loopback address"), "{error}");
        assert!(exed(&format!("[api]\nlisten = {address}\n")).is_err());
    }
    assert!(native("listen = \"::1\"").unwrap().listen.is_ipv6());
    assert_eq!(native("listen = \"localhost\"").unwrap().listen.to_string(), "127.0.0.1:16808");
}

#[test]
fn paths_are_relative_to_the_file() {
    let config = native("data = \"state\"\n[log]\nerror_log = \"error.log\"\n").unwrap();
    assert_eq!(config.data, PathBuf::from("/etc/exed/state"));
    assert_eq!(config.plugins.folder, PathBuf::from("/etc/exed/state/plugins"));
    assert_eq!(config.log.error_log, Some("/etc/exed/error.log".into()));
}

#[test]
fn a_plugins_settings_are_never_printed() {
    let config = native("[plugins.config.p]\ntoken = \"hunter2\"\n").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

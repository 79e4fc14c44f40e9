//! What is allowed, what is refused, and a corpus of attempts to get around it.

use exed_sdk::{Policy, PolicyAction, Subject, Value, Verdict, json};
use proptest::prelude::*;

use super::CommandAllowlist;

const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn configured(config: Value) -> Result<CommandAllowlist, String> {
    CommandAllowlist::configure(serde_json::from_value(config).map_err(|error| error.to_string())?)
}

/// The list of a deployed agent.
fn deployed() -> CommandAllowlist {
    configured(json!({
        "patterns": [
            r"^sudo service pf9-[-\w]+ (stop|start|status|restart)$",
            r"^sudo /etc/init\.d/pf9-[-\w]+ (stop|start|status|restart)$",
            r"^rm -rf /var/cache/pf9apps/\*$",
        ],
        "globs": ["/var/cache/pf9apps/*"],
        "scripts": [format!("service@{DIGEST}")],
        "files": {"read": [r"^/var/log/pf9/[-\w.]+$"]},
    }))
    .unwrap()
}

fn allowed(policy: &CommandAllowlist, action: &PolicyAction) -> bool {
    policy.evaluate(&Subject::default(), action) == Verdict::Allow
}

fn argv<W: AsRef<str>>(words: &[W]) -> PolicyAction {
    PolicyAction::Argv(words.iter().map(|word| word.as_ref().to_owned()).collect())
}

#[test]
fn allows_what_is_listed() {
    let policy = deployed();
    for words in [
        vec!["sudo", "service", "pf9-hostagent", "restart"],
        vec!["sudo", "/etc/init.d/pf9-comms", "status"],
        vec!["rm", "-rf", "/var/cache/pf9apps/*"],
    ] {
        assert!(allowed(&policy, &argv(&words)), "{words:?}");
    }
    let script = |name: &str, digest: &str| PolicyAction::Script {
        name: name.to_owned(),
        digest: digest.to_owned(),
        args: vec!["any thing; at all".to_owned()],
        read_only: false,
    };
    assert!(allowed(&policy, &script("service", DIGEST)));
    assert!(!allowed(&policy, &script("other", DIGEST)));
    assert!(!allowed(&policy, &script("service", &DIGEST.replace('0', "1"))));
    assert!(allowed(&policy, &PolicyAction::ReadFile("/var/log/pf9/agent.log".to_owned())));
}

#[test]
fn evasions_are_denied() {
    let policy = deployed();
    let commands: Vec<Vec<&str>> = vec![
        vec![],
        vec![""],
        vec!["sudo"],
        vec!["sudo", "service", "pf9-x;", "rm", "-rf", "/"],
        vec!["sudo", "service", "pf9-x; rm -rf /", "start"],
        vec!["sudo", "service", "pf9-x", "start;", "id"],
        vec!["sudo", "service", "pf9-x", "start", "&&", "id"],
        vec!["sudo", "service", "pf9-x", "start", "extra"],
        vec!["sudo", "service", "pf9-x", "start\nid"],
        vec!["sudo", "service", "pf9-x", "start\n"],
        vec!["sudo", "service", "pf9-x", "start\r"],
        vec!["sudo", "service", "pf9-x", "start\0"],
        vec!["sudo", "service", "pf9-x", "start", ""],
        vec!["", "sudo", "service", "pf9-x", "start"],
        vec!["sudo", "service", "pf9-x start"],
        vec!["sudo service", "pf9-x", "start"],
        vec!["sudo service pf9-x start"],
        vec!["sudo", "service", "pf9-$(id)", "start"],
        vec!["sudo", "service", "pf9-`id`", "start"],
        vec!["sudo", "service", "pf9-x", "start", "#"],
        vec!["sudo", "service", "pf9-../../x", "start"],
        vec!["sudo", "service", "pf9-", "start"],
        vec!["sudo", "service", "pf9-\u{430}", "start"],
        vec!["sudo", "service", "pf9-x\u{200b}", "start"],
        vec!["sudo", "service", "pf9-x\u{a0}start"],
        vec!["sudo", "service", "pf9-x\u{2028}start"],
        vec!["sudo", "service", "pf9-x", "\u{ff53}tart"],
        vec!["sudo", "service", "pf9-x", "start\u{1b}[2K"],
        vec!["sudo", "service", "pf9-*", "start"],
        vec!["sudo", "-u", "root", "service", "pf9-x", "start"],
        vec!["SUDO", "service", "pf9-x", "start"],
        vec!["./sudo", "service", "pf9-x", "start"],
        vec!["env", "sudo", "service", "pf9-x", "start"],
        vec!["sh", "-c", "sudo service pf9-x start"],
        vec!["rm", "-rf", "/var/cache/pf9apps/../*"],
        vec!["rm", "-rf", "/var/cache/pf9apps/*", "/var/cache/pf9apps/*"],
        vec!["rm", "-rf", "/var/cache/pf9apps/**"],
        vec!["rm", "-rf", "/var/cache/pf9apps/", "*"],
        vec!["rm", "-rf", "/var/cache/pf9apps/*/"],
        vec!["rm", "-rf", "/"],
        vec!["rm", "-rf", "/*"],
        vec!["rm", "-rf", "--no-preserve-root", "/var/cache/pf9apps/*"],
        vec!["sudo", "/etc/init.d/pf9-x/../../../bin/sh", "start"],
        vec!["sudo", "/etc/initXd/pf9-x", "start"],
    ];
    for words in commands {
        assert!(!allowed(&policy, &argv(&words)), "{words:?}");
    }
    for line in ["sudo service pf9-x start", "true", ""] {
        assert!(!allowed(&policy, &PolicyAction::Shell(line.to_owned())), "{line}");
    }
    for path in [
        "/etc/shadow",
        "/var/log/pf9/../../shadow",
        "/var/log/pf9/",
        "var/log/pf9/a",
        "/var/log/pf9/a\n",
        "/var/log/pf9//a",
        "/var/log/pf9/./a",
        "/var/log/pf9/..",
        "",
    ] {
        assert!(!allowed(&policy, &PolicyAction::ReadFile(path.to_owned())), "{path}");
        let probe = PolicyAction::Probe { kind: "read".to_owned(), subject: path.to_owned() };
        assert!(!allowed(&policy, &probe), "{path}");
        let write = PolicyAction::WriteFile { path: path.to_owned(), mode: 0o644, size: None };
        assert!(!allowed(&policy, &write), "{path}");
    }
}

#[test]
fn probes_are_a_switch() {
    let probe = |kind: &str| PolicyAction::Probe { kind: kind.to_owned(), subject: "/etc".to_owned() };
    let (on, off) = (configured(json!({})).unwrap(), configured(json!({"probes": false})).unwrap());
    for kind in ["stat", "checksum", "list", "which", "lookup"] {
        assert!(allowed(&on, &probe(kind)), "{kind}");
        assert!(!allowed(&off, &probe(kind)), "{kind}");
    }
    assert!(!allowed(&on, &probe("read")) && !allowed(&on, &probe("execute")));
}

#[test]
fn mistakes_in_the_configuration_are_refused() {
    for (config, part) in [
        (json!({"patterns": ["^true$", "ls"]}), "patterns[1] `ls`: must begin with ^ and end with $"),
        (json!({"patterns": ["^ls"]}), "must begin with ^"),
        (json!({"patterns": ["ls$"]}), "must begin with ^"),
        (json!({"patterns": [r"^price \$"]}), "must begin with ^"),
        (json!({"patterns": [""]}), "must begin with ^"),
        (json!({"patterns": ["^a$)|(?:.*$"]}), "patterns[0]"),
        (json!({"patterns": ["^(a$"]}), "patterns[0]"),
        (json!({"patterns": ["^a(?x) #$"]}), "patterns[0]"),
        (json!({"globs": ["*"]}), "globs[0] `*`"),
        (json!({"globs": ["/*"]}), "globs[0]"),
        (json!({"globs": ["/var/../*"]}), "globs[0]"),
        (json!({"globs": ["/var/*/*"]}), "globs[0]"),
        (json!({"scripts": ["facts"]}), "scripts[0] `facts`"),
        (json!({"scripts": [format!("@{DIGEST}")]}), "scripts[0]"),
        (json!({"scripts": [DIGEST.to_uppercase()]}), "scripts[0]"),
        (json!({"files": {"read": ["/etc/.*"]}}), "files.read[0]"),
        (json!({"pattern": []}), "unknown field `pattern`"),
    ] {
        let error = configured(config.clone()).unwrap_err();
        assert!(error.contains(part), "{config}: {error}");
    }
}

#[test]
fn every_alternative_is_anchored() {
    let policy = configured(json!({"patterns": ["^ls|id$"]})).unwrap();
    assert!(allowed(&policy, &argv(&["ls"])) && allowed(&policy, &argv(&["id"])));
    assert!(!allowed(&policy, &argv(&["ls", "-l"])) && !allowed(&policy, &argv(&["sudo", "id"])));
}

/// What the deployed list means, said without regular expressions.
fn meant(words: &[String]) -> bool {
    let service = |name: &str| {
        name.strip_prefix("pf9-").is_some_and(|rest| {
            !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        })
    };
    let verb = |verb: &str| ["stop", "start", "status", "restart"].contains(&verb);
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["sudo", "service", name, action] => service(name) && verb(action),
        ["sudo", path, action] => path.strip_prefix("/etc/init.d/").is_some_and(service) && verb(action),
        ["rm", "-rf", "/var/cache/pf9apps/*"] => true,
        _ => false,
    }
}

/// Words that are often right, so that near misses are common.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec![
            "sudo", "service", "pf9-a", "pf9-b_c", "start", "stop", "/etc/init.d/pf9-a", "rm", "-rf",
            "/var/cache/pf9apps/*", "",
        ]).prop_map(str::to_owned),
        1 => "pf9-[-a-z0-9_;$`\n /.*]{0,6}",
        1 => any::<String>(),
    ]
}

proptest! {
    #[test]
    fn exactly_what_is_meant_is_allowed(words in prop::collection::vec(word(), 0..6)) {
        prop_assert_eq!(allowed(&deployed(), &argv(&words)), meant(&words));
    }

    #[test]
    fn one_foreign_character_is_never_harmless(
        foreign in prop::sample::select(" \t\n\r\0\u{b}\u{c}\u{1b}\u{7f};&|<>()$`\\\"'*?[]{}!#~^\u{a0}\u{430}\u{200b}\u{202e}".chars().collect::<Vec<_>>()),
        index in 0usize..4,
        place in any::<prop::sample::Index>(),
    ) {
        let mut words = ["sudo", "service", "pf9-hostagent", "restart"].map(str::to_owned);
        let word = &mut words[index];
        let at = place.index(word.len() + 1);
        word.insert(at, foreign);
        prop_assert!(!allowed(&deployed(), &argv(&words)));
    }

    #[test]
    fn nothing_is_allowed_without_a_list(words in prop::collection::vec(any::<String>(), 0..5), line in any::<String>()) {
        let policy = configured(json!({})).unwrap();
        prop_assert!(!allowed(&policy, &argv(&words)));
        prop_assert!(!allowed(&policy, &PolicyAction::Shell(line.clone())));
        prop_assert!(!allowed(&policy, &PolicyAction::ReadFile(line)));
    }

    #[test]
    fn any_pattern_is_parsed_or_refused(text in any::<String>()) {
        let _ = configured(json!({"patterns": [text]}));
    }
}

use proptest::prelude::*;

use super::*;

const ED25519: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

fn key(seed: u8) -> PublicKey {
    let mut bytes = STANDARD.decode(ED25519).unwrap();
    if let Some(last) = bytes.last_mut() {
        *last = seed;
    }
    PublicKey::from_bytes(&bytes).unwrap()
}

fn text_of(key: &PublicKey) -> String {
    format!("ssh-ed25519 {}", STANDARD.encode(key.to_bytes().unwrap()))
}

fn record(text: &str, address: &str, port: u16) -> HostRecord {
    let mut record = HostRecord::default();
    KnownHosts::parse(text).collect(Path::new("kh"), address, port, &mut record);
    record
}

#[test]
fn names_ports_and_wildcards() {
    let line = format!("a.org,*.b.org,!x.b.org,[c.org]:23 {} comment", text_of(&key(1)));
    for (address, port, known) in [
        ("a.org", 22, true),
        ("A.ORG", 22, true),
        ("w.b.org", 22, true),
        ("x.b.org", 22, false),
        ("c.org", 23, true),
        ("c.org", 22, false),
        ("d.org", 22, false),
    ] {
        let found = record(&line, address, port);
        let expected = if known { Verdict::Trusted } else { Verdict::Unknown };
        assert_eq!(found.judge(&key(1)), expected, "{address}:{port}");
    }
}

#[test]
fn a_changed_key_names_the_line() {
    let text = format!("# comment\n\nweb {}\n", text_of(&key(1)));
    let found = record(&text, "web", 22);
    assert!(matches!(found.judge(&key(2)), Verdict::Changed(recorded) if recorded.line == 3));
}

#[test]
fn a_bare_name_is_enough_to_trust_another_port_but_not_to_refuse_it() {
    let text = format!("web {}\n", text_of(&key(1)));
    assert_eq!(record(&text, "web", 2222).judge(&key(1)), Verdict::Trusted);
    assert_eq!(record(&text, "web", 2222).judge(&key(2)), Verdict::Unknown);
}

#[test]
fn a_revoked_key_is_refused_even_if_it_is_also_trusted() {
    let text = format!("web {0}\n@revoked * {0}\n", text_of(&key(1)));
    assert!(matches!(record(&text, "web", 22).judge(&key(1)), Verdict::Revoked(found) if found.line == 2));
}

#[test]
fn authorities_are_kept_apart() {
    let text = format!("@cert-authority *.org {}\n", text_of(&key(1)));
    let record = record(&text, "web.org", 22);
    assert_eq!(record.authorities.len(), 1);
    assert_eq!(record.judge(&key(1)), Verdict::Unknown);
}

#[test]
fn names_hashed_by_ssh_keygen_are_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    std::fs::write(&file, format!("[web.org]:2222 {}\n", text_of(&key(1)))).unwrap();
    let done = std::process::Command::new("ssh-keygen").args(["-H", "-f"]).arg(&file).output();
    let done = done.expect("ssh-keygen is needed: apt-get install openssh-client");
    assert!(done.status.success());
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("|1|"), "{text}");
    assert_eq!(record(&text, "web.org", 2222).judge(&key(1)), Verdict::Trusted);
    assert_eq!(record(&text, "web.org", 2223).judge(&key(1)), Verdict::Unknown);
}

proptest! {
    #[test]
    fn what_is_written_is_found_again(address in "[a-z][a-z0-9.-]{0,12}", port in 1_u16.., seed in 0_u8..) {
        let text = entry_line(&address, port, &key(seed));
        let found = record(&text, &address, port);
        prop_assert_eq!(found.judge(&key(seed)), Verdict::Trusted);
    }

    #[test]
    fn no_text_panics(text in "[ -~\n]{0,200}", hashed in "\\|1\\|[A-Za-z0-9+/=|]{0,40} x y") {
        let _ignored = record(&text, "web", 22);
        let _ignored = record(&hashed, "web", 22);
    }
}

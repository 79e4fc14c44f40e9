//! Policies allow, deny, and deny whenever something is wrong.

use exed_domain::HostName;
use exed_domain::policy::{Proposal, Subject, Verdict};
use exed_domain::ports::Policies;

use super::fixture::{ALLOW, CONFIGURED, FOR_EVER, Fixture, policy, with_section};
use super::support::{refusal, start};

async fn ask(component: Vec<u8>, policies: &[&str]) -> Vec<Verdict> {
    let started = start(&[component], &[]).await;
    assert_eq!(started.refusals(), []);
    let subject = Subject {
        actor: "ann".into(),
        operation: "execute".into(),
        plugin: "remote-shell".into(),
        host: HostName::from("web1"),
    };
    let names: Vec<_> = policies.iter().map(|name| (*name).to_owned()).collect();
    let proposals = [Proposal::Shell("reboot".into()), Proposal::Argv(vec!["true".into()])];
    let first = started.host.evaluate(&names, &subject, &proposals).await;
    let again = started.host.evaluate(&names, &subject, &proposals).await;
    assert_eq!(first, again, "an instance that failed is not used again");
    first
}

fn reason(verdicts: &[Verdict]) -> &str {
    assert_eq!(verdicts.len(), 2);
    match verdicts {
        [Verdict::Deny { reason, .. }, Verdict::Deny { .. }] => reason,
        other => panic!("both denied, not {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_every_policy_allows_is_allowed() {
    let verdicts = ask(policy("kind", CONFIGURED, ALLOW), &["kind"]).await;
    assert_eq!(verdicts, [Verdict::Allow, Verdict::Allow]);
    assert_eq!(ask(policy("kind", CONFIGURED, ALLOW), &[]).await, [Verdict::Allow, Verdict::Allow]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_denies_single_steps() {
    // The first verdict is `deny` with the text at 41000, "no".
    let deny = format!(
        "(i32.store16 (i32.const 41000) (i32.const 0x6f6e)) (i32.store8 (i32.const 40000) (i32.const 1))
         (i32.store (i32.const 40004) (i32.const 41000)) (i32.store (i32.const 40008) (i32.const 2)) {ALLOW}"
    );
    let verdicts = ask(policy("strict", CONFIGURED, &deny), &["strict"]).await;
    let denied = Verdict::Deny { policy: "strict".into(), reason: "no".into() };
    assert_eq!(verdicts, [denied, Verdict::Allow]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_denies() {
    let missing = ask(policy("kind", CONFIGURED, ALLOW), &["kind", "absent"]).await;
    assert_eq!(reason(&missing), "policy absent is not loaded");
    let looping = ask(policy("slow", CONFIGURED, FOR_EVER), &["slow"]).await;
    assert!(reason(&looping).contains("slow 1.0.0 breached its cpu limit"), "{looping:?}");
    let trapping = ask(policy("broken", CONFIGURED, "(unreachable)"), &["broken"]).await;
    assert!(reason(&trapping).contains("broken 1.0.0 trapped"), "{trapping:?}");
    let silent = "(i32.store (i32.const 3200) (i32.const 40000)) (i32.const 3200)";
    let short = ask(policy("short", CONFIGURED, silent), &["short"]).await;
    assert!(reason(&short).contains("0 verdicts for 2"), "{short:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_configuration_refuses_the_policy() {
    let refuse = "(i32.store8 (i32.const 3100) (i32.const 1)) (i32.store (i32.const 3104) (i32.const 0))
        (i32.store (i32.const 3108) (i32.const 0)) (i32.const 3100)";
    let said = refusal(policy("picky", refuse, ALLOW), &[]).await;
    assert!(said.contains("policy picky 1.0.0 does not accept its configuration"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_may_import_nothing() {
    let bytes = wat::parse_str(
        r#"(component
            (import "wasi:clocks/monotonic-clock@0.2.6" (instance (export "now" (func (result u64)))))
            (instance $i) (export "exed:policy/policy@0.1.0" (instance $i)))"#,
    )
    .unwrap();
    let manifest = Fixture::executor("curious").manifest("policy");
    let said = refusal(with_section(bytes, "exed:manifest", manifest.as_bytes()), &[]).await;
    assert!(said.contains("policy curious 1.0.0 imports wasi:clocks/monotonic-clock@0.2.6"), "{said}");
}

//! What is refused at load, in one sentence.

use super::fixture::{Fixture, with_section};
use super::support::{refusal, start};

#[tokio::test(flavor = "multi_thread")]
async fn another_version_of_the_api_is_refused() {
    for api in ["0.9.0", "2.0.0"] {
        let fixture = Fixture { api, ..Fixture::executor("traveller") };
        let reason = refusal(fixture.build(), &[]).await;
        let (line, _) = api.rsplit_once('.').unwrap();
        let said =
            format!("traveller 1.0.0 needs version ^{line} of the plugin API, and this server has 0.1.0");
        assert_eq!(reason, said);
        // A manifest that lies about it changes nothing.
        let honest = Fixture { api: "0.1.0", ..fixture.clone() }.manifest("executor");
        let lying = with_section(fixture.bare(), "exed:manifest", honest.as_bytes());
        let reason = refusal(lying, &[]).await;
        assert!(reason.contains(&format!("exports exed:executor/executor@{api}")), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_import_is_refused() {
    let fixture = Fixture {
        imports: vec![("acme:rocket/engine", "launch", 0)],
        packages: vec!["package acme:rocket@0.2.6;\ninterface engine { launch: func(); }"],
        ..Fixture::executor("rocket")
    };
    let reason = refusal(fixture.build(), &[]).await;
    assert!(reason.contains("rocket 1.0.0 needs acme:rocket/engine@0.2.6"), "{reason}");
    assert!(reason.contains("exed:transport/steps"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_files_are_refused() {
    let whole = Fixture::executor("whole").build();
    let mut truncated = whole.clone();
    truncated.truncate(whole.len() / 2);
    assert!(refusal(truncated, &[]).await.contains("broken"));
    assert!(refusal(b"ELF, if anything".to_vec(), &[]).await.contains("not a WebAssembly component"));
    assert!(refusal(Vec::new(), &[]).await.contains("not a WebAssembly component"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_does_not_fit_is_refused() {
    let fixture = Fixture::executor("odd");
    assert!(refusal(fixture.bare(), &[]).await.contains("there is none; embed it"));
    let kind = with_section(fixture.bare(), "exed:manifest", fixture.manifest("policy").as_bytes());
    assert!(refusal(kind, &[]).await.contains("kind is \"policy\", but the component exports exed:executor"));
    let syntax = with_section(fixture.bare(), "exed:manifest", b"name = ");
    assert!(refusal(syntax, &[]).await.contains("the manifest is wrong: line 1"));
    let declared = Fixture { more: "[[scripts]]\nname = \"facts\"".into(), ..fixture.clone() };
    assert!(refusal(declared.build(), &[]).await.contains("no section exed:script:facts"));
    let hidden = Fixture { sections: vec![("exed:script:rm".into(), b"rm".to_vec())], ..fixture };
    assert!(refusal(hidden.build(), &[]).await.contains("the manifest declares no such script"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_beside_the_component_wins() {
    let fixture = Fixture::executor("inside");
    let started = start(&[], &[]).await;
    let beside = Fixture { name: "beside", ..fixture.clone() }.manifest("executor");
    std::fs::write(started.folder.path().join("a.toml"), beside).unwrap();
    std::fs::write(started.folder.path().join("a.wasm"), fixture.build()).unwrap();
    crate::folder::scan(&started.host.inner, crate::folder::Conflicts::Refused).await;
    let (plugins, refusals) = exed_domain::ports::PluginAdmin::list(&*started.host);
    assert_eq!(refusals, []);
    assert_eq!(plugins[0].used.name, "beside");
}

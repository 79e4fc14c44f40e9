//! How jobs enter.

use exed_domain::job::OnConflict;
use exed_domain::job::event::EventKind;
use exed_domain::job::state::{JobState, TargetState};
use exed_domain::ports::store::Submission;
use serde_json::json;

use super::support::*;

pub(crate) async fn stores_everything(store: Store) {
    let mut new = keyed(queueing(&["b", "a", "c"]), "k", "f");
    new.args = json!({"z": 1, "a": [true, null, 1.5], "text": "ß"});
    new.patterns = vec!["web*".to_owned(), "!db".to_owned()];
    new.options.timeout = Some(std::time::Duration::from_millis(1_500));
    new.options.hosts_at_once = Some(u32::MAX);
    new.options.plugin = Some("ansible-deploy@^1.2".parse().expect("a requirement"));
    let created = submit(&store, new.clone()).await;
    assert_eq!(created, job(&store, new.id).await);
    assert_eq!(created.args.to_string(), new.args.to_string(), "the order of keys stays");
    assert_eq!((created.operation, created.args), (new.operation, new.args));
    assert_eq!((created.patterns, created.hosts), (new.patterns, new.hosts.clone()));
    assert_eq!((created.requester, created.options), (new.requester, new.options));
    assert_eq!((created.mutex, created.submitted_at), (new.mutex, new.submitted_at));
    assert_eq!((created.state, created.error, created.lease), (JobState::Queued, None, None));
    assert_eq!((created.plugin, created.started_at, created.finished_at), (None, None, None));
    assert_eq!(store.by_alias(created.alias).await.unwrap(), Some(new.id));
    let events = all_events(&store, new.id).await;
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0].kind, events[0].time), (&EventKind::Submitted, new.submitted_at));
    let targets = store.targets(new.id).await.unwrap();
    assert_eq!(targets.iter().map(|target| target.host.clone()).collect::<Vec<_>>(), new.hosts);
    assert!(targets.iter().all(|target| target.state == TargetState::Pending));
}

pub(crate) async fn defaults_and_zero_hosts(store: Store) {
    for mut new in [ping(&[]), rejecting(&[]), queueing(&[])] {
        new.patterns = Vec::new();
        let created = submit(&store, new).await;
        assert_eq!(created.hosts, Vec::new());
        assert_eq!(store.targets(created.id).await.unwrap(), Vec::new());
    }
    assert_eq!(claim(&store, 2_000, 9).await.len(), 3);
    assert_eq!(store.job(exed_domain::JobId::new()).await.unwrap(), None);
    assert_eq!(store.by_alias(exed_domain::JobAlias(99)).await.unwrap(), None);
    assert_eq!(store.targets(exed_domain::JobId::new()).await.unwrap(), Vec::new());
}

pub(crate) async fn same_key_same_request(store: Store) {
    let first = submit(&store, keyed(rejecting(&["a"]), "k", "f")).await;
    // Also while its own hosts are held by the first one.
    let again = store.submit(keyed(rejecting(&["a"]), "k", "f")).await.unwrap();
    assert_eq!(again, Submission::Existing(first.clone()));
    run_one(&store, 2_000).await;
    let ended = store.submit(keyed(rejecting(&["a"]), "k", "f")).await.unwrap();
    assert_eq!(ended, Submission::Existing(job(&store, first.id).await));
    assert_eq!(store.jobs(page(9)).await.unwrap().len(), 1);
    store.delete(first.id).await.unwrap();
    submit(&store, keyed(rejecting(&["a"]), "k", "g")).await;
}

pub(crate) async fn same_key_other_request(store: Store) {
    let first = submit(&store, keyed(ping(&["a"]), "k", "f")).await;
    let other = store.submit(keyed(ping(&["b"]), "k", "g")).await.unwrap();
    assert_eq!(other, Submission::KeyReused(first.id));
    assert_eq!(store.jobs(page(9)).await.unwrap().len(), 1);
}

pub(crate) async fn same_key_other_requester(store: Store) {
    let first = submit(&store, keyed(ping(&["a"]), "k", "f")).await;
    let mut other = keyed(ping(&["a"]), "k", "f");
    other.requester = "bob".to_owned();
    assert_ne!(submit(&store, other).await.id, first.id);
}

pub(crate) async fn concurrent_same_key(store: Store) {
    let submissions: Vec<_> = (0..32)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.submit(keyed(rejecting(&["a"]), "k", "f")).await.unwrap() })
        })
        .collect();
    let mut created = 0;
    for submission in submissions {
        match submission.await.unwrap() {
            Submission::Created(_) => created += 1,
            Submission::Existing(_) => {}
            other @ (Submission::KeyReused(_) | Submission::HostsBusy(_)) => panic!("{other:?}"),
        }
    }
    assert_eq!(created, 1);
    assert_eq!(store.jobs(page(99)).await.unwrap().len(), 1);
}

pub(crate) async fn conflicts_are_all_or_nothing(store: Store) {
    submit(&store, rejecting(&["b", "d"])).await;
    let refused = store.submit(keyed(rejecting(&["a", "b", "c", "d"]), "k", "f")).await.unwrap();
    assert_eq!(refused, Submission::HostsBusy(hosts(&["b", "d"])));
    assert_eq!(store.jobs(page(9)).await.unwrap().len(), 1);
    // Nothing of the refused job is left: neither its other hosts nor its key.
    submit(&store, keyed(rejecting(&["a", "c"]), "k", "g")).await;
}

pub(crate) async fn other_mutexes_do_not_conflict(store: Store) {
    submit(&store, rejecting(&["a"])).await;
    let mut release = rejecting(&["a"]);
    release.mutex = Some("release".to_owned());
    submit(&store, release).await;
    submit(&store, ping(&["a"])).await;
    assert_eq!(claim(&store, 2_000, 9).await.len(), 3);
}

pub(crate) async fn five_hundred_hosts(store: Store) {
    let names: Vec<String> = (0..500).rev().map(|number| format!("host{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for new in [rejecting(&names), queueing(&names)] {
        submit(&store, new).await;
    }
    let (claimed, key) = claim_one(&store, 2_000).await;
    assert_eq!(claimed.job.hosts, hosts(&names));
    assert_eq!(claimed.targets.len(), 500);
    let mut events: Vec<_> = names.iter().map(|name| task(name, "ping", json!({"rtc": 0}))).collect();
    events.extend(names.iter().map(|name| host_finished(name, TargetState::Done)));
    store.record(&key, writes(events)).await.unwrap();
    assert!(claim(&store, 2_001, 9).await.is_empty());
    store.record(&key, finish(exed_domain::job::state::Ending::AllDone, 2_002)).await.unwrap();
    let targets = store.targets(claimed.job.id).await.unwrap();
    assert!(targets.iter().all(|target| target.state == TargetState::Done && target.results.len() == 1));
    assert_eq!(claim(&store, 2_003, 9).await.len(), 1);
    assert_gapless(&all_events(&store, claimed.job.id).await);
}

pub(crate) async fn strange_text_survives(store: Store) {
    let strange = "ü\u{0}\u{1f600}'\"; DROP TABLE jobs; --\n\u{202e}";
    let mut new = keyed(rejecting(&[strange, "plain"]), strange, strange);
    for text in [&mut new.operation, &mut new.requester] {
        strange.clone_into(text);
    }
    new.mutex = Some(strange.to_owned());
    new.patterns = vec![strange.to_owned(), String::new()];
    new.args = json!({strange: strange});
    let created = submit(&store, new.clone()).await;
    assert_eq!(created, job(&store, new.id).await);
    let (_, key) = claim_one(&store, 2_000).await;
    let told = vec![log(strange), task(strange, strange, json!({strange: [strange]}))];
    store.record(&key, writes(told.clone())).await.unwrap();
    let events = all_events(&store, new.id).await;
    assert_eq!(
        events[2..].iter().map(|event| &event.kind).collect::<Vec<_>>(),
        [&told[0].kind, &told[1].kind]
    );
    assert_eq!(store.targets(new.id).await.unwrap()[0].results[0].name, strange);
    new.id = exed_domain::JobId::new();
    new.options.on_conflict = OnConflict::Queue;
    new.args = json!(null);
    assert_eq!(store.submit(new).await.unwrap(), Submission::Existing(job(&store, created.id).await));
}

pub(crate) async fn very_large_values(store: Store) {
    let large = "0123456789abcdef".repeat(1 << 18);
    let mut new = ping(&["a"]);
    new.args = json!({"blob": large});
    let created = submit(&store, new).await;
    let (claimed, key) = claim_one(&store, 2_000).await;
    assert_eq!(claimed.job.args, created.args);
    let told = vec![task("a", "facts", json!({"stdout": large})), task("a", "end", json!(1))];
    store.record(&key, writes(told)).await.unwrap();
    let results = store.targets(created.id).await.unwrap().remove(0).results;
    assert_eq!(results[0].data, json!({"stdout": large}));
    assert_eq!(all_events(&store, created.id).await.len(), 4);
}

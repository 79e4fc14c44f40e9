//! What workers write, and how it is read again.

use bytes::Bytes;
use exed_domain::job::event::EventKind;
use exed_domain::job::state::{Ending, JobState, TargetState};
use exed_domain::plugin::PluginUse;
use exed_domain::ports::store::JobWrites;
use exed_domain::step::OutputStream;
use exed_domain::{EventSeq, OperateState, TaskResult};
use serde_json::json;

use super::support::*;

pub(crate) async fn numbered_without_gaps(store: Store) {
    let new = submit(&store, ping(&["a"])).await;
    let (_, key) = claim_one(&store, 2_000).await;
    assert_eq!(store.record(&key, JobWrites::default()).await.unwrap(), EventSeq(2));
    let last = store.record(&key, writes(vec![log("1"), log("2"), log("3")])).await.unwrap();
    assert_eq!(last, EventSeq(5));
    let mut end = finish(Ending::AllDone, 3_000);
    end.events = vec![log("4")];
    assert_eq!(store.record(&key, end).await.unwrap(), EventSeq(7));
    let events = all_events(&store, new.id).await;
    assert_eq!(events.len(), 7);
    assert_gapless(&events);
    assert_eq!(events[6].kind, EventKind::Finished { state: JobState::Done, error: None });
}

pub(crate) async fn numbered_under_concurrency(store: Store) {
    let mut jobs = Vec::new();
    for _ in 0..4 {
        submit(&store, ping(&["a"])).await;
        jobs.push(claim_one(&store, 2_000).await.1);
    }
    let writers: Vec<_> = (0..64)
        .map(|number| {
            let (store, key) = (store.clone(), jobs[number % 4].clone());
            tokio::spawn(async move {
                for line in 0..5 {
                    let told = vec![log(&format!("{number}.{line}a")), log(&format!("{number}.{line}b"))];
                    store.record(&key, writes(told)).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    for key in jobs {
        let events = all_events(&store, key.job).await;
        assert_gapless(&events);
        assert_eq!(events.len(), 2 + 16 * 10);
    }
}

pub(crate) async fn paged(store: Store) {
    let new = submit(&store, ping(&["a"])).await;
    let (_, key) = claim_one(&store, 2_000).await;
    store.record(&key, writes((0..20).map(|line| log(&line.to_string())).collect())).await.unwrap();
    let all = all_events(&store, new.id).await;
    let mut seen = Vec::new();
    loop {
        let after = seen.last().map_or(EventSeq(0), |event: &exed_domain::job::event::Event| event.seq);
        let events = store.events(new.id, after, 7).await.unwrap();
        if events.is_empty() {
            break;
        }
        assert!(events.len() <= 7);
        seen.extend(events);
    }
    assert_eq!(seen, all);
    assert!(store.events(new.id, EventSeq(22), 7).await.unwrap().is_empty());
    assert!(store.events(new.id, EventSeq(0), 0).await.unwrap().is_empty());
    assert!(store.events(exed_domain::JobId::new(), EventSeq(0), 7).await.unwrap().is_empty());
}

pub(crate) async fn targets_follow_events(store: Store) {
    let new = submit(&store, ping(&["a", "b", "c"])).await;
    let (_, key) = claim_one(&store, 2_000).await;
    let failed = EventKind::HostFinished {
        state: TargetState::Unreachable,
        message: Some("no route to host".to_owned()),
    };
    let told = vec![
        event(Some("a"), EventKind::HostStarted),
        event(Some("b"), EventKind::HostStarted),
        task("a", "one", json!({"rtc": 0})),
        task("b", "other", json!(null)),
        task("a", "two", json!([1, 2])),
        event(Some("b"), failed),
        // The first ending stays.
        host_finished("b", TargetState::Done),
        event(Some("b"), EventKind::HostStarted),
    ];
    store.record(&key, writes(told)).await.unwrap();
    let targets = store.targets(new.id).await.unwrap();
    assert_eq!((targets[0].state, targets[0].message.as_deref()), (TargetState::Running, None));
    let names: Vec<_> = targets[0].results.iter().map(|result| result.name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(targets[0].results[1].data, json!([1, 2]));
    assert_eq!(targets[1].state, TargetState::Unreachable);
    assert_eq!(targets[1].message.as_deref(), Some("no route to host"));
    assert_eq!(targets[1].results.len(), 1);
    assert_eq!((targets[2].state, targets[2].results.len()), (TargetState::Pending, 0));
    // The next owner finds what the first one has left.
    let (again, _) = claim_one(&store, 2_000_000).await;
    assert_eq!(again.targets, targets);
}

pub(crate) async fn a_host_begun_again_begins_anew(store: Store) {
    let new = submit(&store, ping(&["a"])).await;
    let (_, first) = claim_one(&store, 2_000).await;
    let told = vec![event(Some("a"), EventKind::HostStarted), task("a", "one", json!(1))];
    store.record(&first, writes(told)).await.unwrap();
    let (again, second) = claim_one(&store, 2_000_000).await;
    assert_eq!(again.targets[0].results.len(), 1);
    let told = vec![event(Some("a"), EventKind::HostStarted), task("a", "one", json!(2))];
    store.record(&second, writes(told)).await.unwrap();
    let targets = store.targets(new.id).await.unwrap();
    let data: Vec<_> = targets[0].results.iter().map(|result| &result.data).collect();
    assert_eq!(data, [&json!(2)]);
    // The events still tell both.
    let events = all_events(&store, new.id).await;
    let tasks = events.iter().filter(|event| matches!(event.kind, EventKind::Task(_))).count();
    assert_eq!(tasks, 2);
}

fn output(data: Bytes) -> EventKind {
    EventKind::Output { task: "execute".to_owned(), stream: OutputStream::Stderr, data }
}

pub(crate) async fn binary_output(store: Store) {
    let new = submit(&store, ping(&["a"])).await;
    let (_, key) = claim_one(&store, 2_000).await;
    let outputs: Vec<Bytes> =
        vec![(0..=255_u8).collect(), Bytes::new(), vec![0_u8; 1 << 20].into(), Bytes::from_static(&[0xc3])];
    let told = outputs.iter().map(|data| event(Some("a"), output(data.clone()))).collect();
    store.record(&key, writes(told)).await.unwrap();
    let events = all_events(&store, new.id).await;
    for (stored, data) in events[2..].iter().zip(outputs) {
        assert_eq!(stored.kind, output(data));
    }
}

pub(crate) async fn every_kind_comes_back(store: Store) {
    let new = submit(&store, ping(&["a"])).await;
    let (_, key) = claim_one(&store, 2_000).await;
    let mut told = vec![
        event(None, EventKind::Submitted),
        event(None, EventKind::Claimed { attempt: i64::MAX }),
        event(Some("a"), EventKind::HostStarted),
        event(Some("not a target"), EventKind::HostStarted),
        log("text"),
        event(None, EventKind::CancelRequested { requester: "bob".to_owned() }),
        event(None, EventKind::Finished { state: JobState::Failed, error: Some("why".to_owned()) }),
    ];
    for (state, message) in OperateState::ALL.into_iter().zip([None, Some("why"), Some(""), None, None]) {
        let message = message.map(str::to_owned);
        let result = TaskResult { name: "t".to_owned(), state, data: json!({"a": 1}), message };
        told.push(event(Some("a"), EventKind::Task(result.clone())));
        told.push(event(None, EventKind::Task(result)));
    }
    for state in TargetState::ALL {
        told.push(event(Some("a"), EventKind::HostFinished { state, message: Some("m".to_owned()) }));
    }
    store.record(&key, writes(told.clone())).await.unwrap();
    let events = all_events(&store, new.id).await;
    assert_eq!(events.len(), 2 + told.len());
    for (stored, told) in events[2..].iter().zip(told) {
        assert_eq!((stored.time, &stored.host, &stored.kind), (told.time, &told.host, &told.kind));
    }
}

pub(crate) async fn plugin_is_noted(store: Store) {
    let new = submit(&store, ping(&["a"])).await;
    let (_, key) = claim_one(&store, 2_000).await;
    let plugin = PluginUse {
        name: "remote-shell".to_owned(),
        version: "1.2.3-rc.1+build".parse().unwrap(),
        digest: "00ff".to_owned(),
        api: "1.0.0".parse().unwrap(),
        grants: vec!["log".to_owned(), "transport".to_owned()],
    };
    let noted = JobWrites { plugin: Some(plugin.clone()), ..JobWrites::default() };
    store.record(&key, noted).await.unwrap();
    assert_eq!(job(&store, new.id).await.plugin, Some(plugin.clone()));
    store.record(&key, writes(vec![log("more")])).await.unwrap();
    assert_eq!(job(&store, new.id).await.plugin, Some(plugin));
}

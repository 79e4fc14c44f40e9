//! Probes, files and transfers.

use std::os::unix::fs::PermissionsExt as _;

use bytes::Bytes;
use exed_domain::ports::StepTransport as _;
use exed_domain::ports::transport::TransferRequest;
use exed_domain::step::{Action, Become, Probe, ProbeAnswer, PutFile, StepError};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::fixture::{Fixture, step};

async fn ask(fixture: &Fixture, probe: Probe) -> Result<ProbeAnswer, StepError> {
    let output = fixture.run(&fixture.key(), step("probe", Action::Probe(probe))).await?;
    Ok(output.answer.expect("a probe has an answer"))
}

pub(super) async fn probes_answer(fixture: &Fixture) {
    let odd = fixture.path("it's\n\"odd\" \\ name");
    std::fs::write(&odd, "hello").expect("a file");
    std::fs::set_permissions(&odd, std::fs::Permissions::from_mode(0o604)).expect("a mode");
    let link = fixture.path("link");
    std::os::unix::fs::symlink(&odd, &link).expect("a link");

    let stat = |path: &str, follow| Probe::Stat { path: path.to_owned(), follow };
    let ProbeAnswer::Value(Value::Object(object)) = ask(fixture, stat(&odd, false)).await.expect("a stat")
    else {
        panic!("stat answers with an object");
    };
    assert_eq!(
        (&object["kind"], &object["size"], &object["mode"]),
        (&json!("file"), &json!(5), &json!("0604"))
    );
    let ProbeAnswer::Value(value) = ask(fixture, stat(&link, false)).await.expect("a stat") else {
        panic!("absent")
    };
    assert_eq!((&value["kind"], &value["target"]), (&json!("link"), &json!(odd)));
    let ProbeAnswer::Value(value) = ask(fixture, stat(&link, true)).await.expect("a stat") else {
        panic!("absent")
    };
    assert_eq!((&value["kind"], value.get("target")), (&json!("file"), None));
    assert_eq!(ask(fixture, stat(&fixture.path("no"), false)).await, Ok(ProbeAnswer::Absent));

    let digest = hex::encode(Sha256::digest(b"hello"));
    let checksum = |path: &str| Probe::Checksum { path: path.to_owned() };
    assert_eq!(ask(fixture, checksum(&odd)).await, Ok(ProbeAnswer::Value(json!(digest))));
    assert_eq!(ask(fixture, checksum(&fixture.path("no"))).await, Ok(ProbeAnswer::Absent));
    assert!(ask(fixture, checksum(&fixture.path(""))).await.is_err());

    let read = |limit| Probe::Read { path: odd.clone(), limit };
    assert_eq!(ask(fixture, read(5)).await, Ok(ProbeAnswer::Content(Bytes::from_static(b"hello"))));
    let error = ask(fixture, read(4)).await.expect_err("it is longer");
    assert!(error.to_string().contains("5 bytes"), "{error}");

    let list = |path: String| Probe::List { path };
    let names = ask(fixture, list(fixture.path(""))).await;
    assert_eq!(names, Ok(ProbeAnswer::Value(json!(["it's\n\"odd\" \\ name", "link"]))));
    assert_eq!(ask(fixture, list(fixture.path("no"))).await, Ok(ProbeAnswer::Absent));

    let which = |program: &str| Probe::Which { program: program.to_owned() };
    let ProbeAnswer::Value(Value::String(path)) = ask(fixture, which("sh")).await.expect("which") else {
        panic!("sh is on the path");
    };
    assert!(path.starts_with('/') && path.ends_with("/sh"));
    assert_eq!(ask(fixture, which("no-such-program")).await, Ok(ProbeAnswer::Absent));

    let lookup = |key: &str| Probe::Lookup { database: "passwd".to_owned(), key: key.to_owned() };
    let ProbeAnswer::Value(fields) = ask(fixture, lookup("root")).await.expect("lookup") else {
        panic!("absent")
    };
    assert_eq!(
        (&fields[0], &fields[2], fields.as_array().map(Vec::len)),
        (&json!("root"), &json!("0"), Some(7))
    );
    assert_eq!(ask(fixture, lookup("no-such-user")).await, Ok(ProbeAnswer::Absent));
}

pub(super) async fn files_are_put(fixture: &Fixture) {
    let path = fixture.path("file");
    let content: Vec<u8> = (0..1_000_000_u32).map(|number| (number % 251) as u8).collect();
    let put = |path: &str, mode| {
        let content = content.clone().into();
        step("put", Action::PutFile(PutFile { path: path.to_owned(), mode, content }))
    };
    let key = fixture.key();
    fixture.run(&key, put(&path, 0o4750)).await.expect("it is written");
    assert_eq!(std::fs::read(&path).expect("a file"), content);
    let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o7777, 0o4750);
    let error = fixture.run(&key, put(&fixture.path("no/file"), 0o644)).await.expect_err("no such folder");
    assert!(error.to_string().contains("no/"), "{error}");
    fixture.run(&key, put(&fixture.path(""), 0o644)).await.expect_err("a folder is there");
    assert_eq!(std::fs::read_dir(fixture.folder.path()).expect("a folder").count(), 1, "nothing is left");
}

pub(super) async fn transfers_are_whole(fixture: &Fixture) {
    const PIECES: usize = 1024;
    let piece = Bytes::from((0..131_072_u32).map(|number| (number % 253) as u8).collect::<Vec<_>>());
    let path = fixture.path("big");
    let key = fixture.key();
    let upload = TransferRequest::Upload { path: path.clone(), mode: 0o600, user: Become::Inherit };
    let mut transfer =
        fixture.transport.transfer(&fixture.host, &key, upload.clone()).await.expect("it opens");
    let mut hash = Sha256::new();
    for _ in 0..PIECES {
        hash.update(&piece);
        transfer.write(piece.clone()).await.expect("it is taken");
    }
    let digest = hex::encode(hash.finalize());
    assert_eq!(transfer.close().await, Ok(digest.clone()));
    assert_eq!(std::fs::metadata(&path).expect("a file").len(), (PIECES * piece.len()) as u64);

    let download = TransferRequest::Download { path: path.clone(), user: Become::Inherit };
    let mut transfer = fixture.transport.transfer(&fixture.host, &key, download).await.expect("it opens");
    let mut size = 0;
    loop {
        let data = transfer.read(50_000).await.expect("it is given");
        assert!(data.len() <= 50_000);
        if data.is_empty() {
            break;
        }
        size += data.len();
    }
    assert_eq!((size, transfer.close().await), (PIECES * piece.len(), Ok(digest)));
    std::fs::remove_file(&path).expect("it is there");

    let mut dropped = fixture.transport.transfer(&fixture.host, &key, upload).await.expect("it opens");
    dropped.write(piece).await.expect("it is taken");
    drop(dropped);
    super::fixture::eventually("nothing is left of a dropped upload", || {
        std::fs::read_dir(fixture.folder.path()).is_ok_and(|entries| entries.count() == 0)
    })
    .await;
    let missing = TransferRequest::Download { path, user: Become::Inherit };
    let mut transfer = fixture.transport.transfer(&fixture.host, &key, missing).await.expect("it opens");
    let error = transfer.read(10).await.expect_err("it is not there");
    assert!(error.to_string().contains("is not there"), "{error}");
}

//! A file that is broken, incompatible, or asks for too much is refused in one sentence; what works stays.

use serde_json::json;

use super::component::{Guest, first_party, patched};
use super::site::{active, install, put, refused, server_granting, submit};
use crate::world::{json as body, server};

#[test]
fn each_refused_file_has_its_sentence() {
    let server = server("");
    let (hostile, shell) = (Guest::Hostile.component(), first_party("remote-shell"));
    put(&server, "stranger.wasm", &hostile);
    for (file, version) in [("older.wasm", "0.9"), ("newer.wasm", "2.0")] {
        put(&server, file, &built_for(&hostile, version));
    }
    let lying = patched(&hostile, "@0.1.0", "@2.0.0");
    put(&server, "lying.wasm", &lying);
    let fewer = Guest::Hostile.manifest("\"transport\", \"events\"", "\"events\"");
    put(&server, "sly.toml", fewer.as_bytes());
    put(&server, "sly.wasm", &hostile);
    put(&server, "half.wasm", hostile.get(..hostile.len() / 2).expect("half of it"));
    put(&server, "text.wasm", b"not a component at all");
    put(&server, "remote-shell.wasm", shell.get(..shell.len() / 2).expect("half of it"));

    for (file, said) in [
        ("stranger.wasm", "hostile 1.0.0 asks for \"events\" and \"transport\", which was not granted"),
        ("stranger.wasm", "hostile = [\"events\", \"transport\"] in the table [plugins.grants]"),
        ("older.wasm", "hostile 1.0.0 needs version ^0.9 of the plugin API, and this server has 0.1.0"),
        ("newer.wasm", "hostile 1.0.0 needs version ^2.0 of the plugin API, and this server has 0.1.0"),
        ("lying.wasm", "hostile 1.0.0 exports exed:executor/executor@2.0.0"),
        ("sly.wasm", "does not declare the capability \"transport\""),
        ("half.wasm", "the file is broken"),
        ("text.wasm", "not a WebAssembly component"),
        ("remote-shell.wasm", "the file is broken"),
    ] {
        let reason = refused(&server, file);
        assert!(reason.contains(said), "{file}: {reason}");
        assert!(!reason.contains('\n'), "one sentence: {reason}");
    }
    assert!(active(&server, "hostile").is_none());
    let shell = active(&server, "remote-shell").expect("the working version stays");
    assert_eq!(shell["file"], json!(null), "{shell}");
    assert_eq!(body(server.get("/ping?target=host01"), 200)["host01"]["status"], 0);
}

#[test]
fn the_api_refuses_the_same_and_the_working_version_stays() {
    let server = server_granting(&[Guest::Courier], "");
    let courier = Guest::Courier.component();
    assert_eq!(install(&server, courier.clone()).expect("it is installed"), "1.0.0");
    for (component, said) in [
        (built_for(&courier, "0.9"), "needs version ^0.9 of the plugin API"),
        (courier.get(..1000).expect("a part").to_vec(), "the file is broken"),
        (Guest::Hostile.component(), "which was not granted"),
    ] {
        let error = install(&server, component).expect_err("it is refused").to_string();
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(active(&server, "courier").expect("it stays")["file"], "courier.wasm");
    assert_eq!(std::fs::read(server.plugins().join("courier.wasm")).unwrap(), courier);
    let id = submit(&server, "words", "host01", &json!({"words": ["true"]}));
    assert_eq!(super::site::finished(&server, &id)["state"], "done");
}

/// The component as a build against another version of the plugin API leaves it.
fn built_for(component: &[u8], version: &str) -> Vec<u8> {
    let world = patched(component, "@0.1.0", &format!("@{version}.0"));
    patched(&world, "api = \"^0.1\"", &format!("api = \"^{version}\""))
}

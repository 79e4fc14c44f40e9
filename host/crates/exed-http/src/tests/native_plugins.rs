//! Plugins, operations and the document of the native API.

use http::Method;
use serde_json::{Value, json};

use super::world::{World, request};

const WASM: (&str, &str) = ("content-type", "application/wasm");

#[tokio::test]
async fn plugins_are_listed_with_refusals() {
    let world = World::new();
    let list = world.get("/api/v1/plugins").await.json();
    assert_eq!(list["items"][0]["name"], "simulated");
    assert_eq!(list["items"][0]["file"], "simulated.wasm");
    assert_eq!(list["refusals"], json!([{"file": "broken.wasm", "reason": "not a component"}]));
    let one = world.get("/api/v1/plugins/simulated").await.json();
    assert_eq!(one["items"][0]["version"], "1.2.3");
    world.get("/api/v1/plugins/absent").await.problem(404, "not-found");
    let operations = world.get("/api/v1/operations").await.json();
    assert_eq!(operations["items"][0]["name"], "ping");
    assert_eq!(operations["items"][0]["plugin"]["name"], "simulated");
}

#[tokio::test]
async fn plugins_are_installed_rolled_back_and_removed() {
    let world = World::new();
    let post =
        |headers: &[(&str, &str)], body: &str| world.send(request("POST", "/api/v1/plugins", headers, body));
    let answer = post(&[WASM], "\0asm").await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("location"), "/api/v1/plugins/simulated");
    post(&[WASM], "text").await.problem(400, "invalid");
    post(&[WASM], "").await.problem(400, "invalid");
    post(&[("content-type", "text/plain")], "\0asm").await.problem(415, "media-type");
    let answer = world.post("/api/v1/plugins/simulated/rollback", &json!({})).await;
    assert_eq!(answer.status, 200);
    world.post("/api/v1/plugins/absent/rollback", &json!({})).await.problem(404, "not-found");
    assert_eq!(world.delete("/api/v1/plugins/simulated").await.status, 204);
    world.delete("/api/v1/plugins/embedded").await.problem(409, "conflict");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let world = World::new();
    world.get("/api/v1/nothing").await.problem(404, "no-such-path");
    let answer = world.delete("/api/v1/hosts").await;
    answer.problem(405, "no-such-method");
    assert_eq!(answer.header("allow"), "GET,HEAD");
    let headers = [("sec-fetch-site", "cross-site")];
    world.send(request("GET", "/api/v1/hosts", &headers, "")).await.problem(403, "other-site");
}

#[tokio::test]
async fn every_documented_operation_is_routed() {
    let world = World::new();
    let document = world.get("/api/v1/openapi.json").await.json();
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = path.replace("{id}", "999").replace("{name}", "absent");
        for method in methods.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = world.send(request(method.as_str(), &path, &[], "")).await;
            let kind = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default()["type"].to_string();
            assert!(!kind.contains("no-such-"), "{method} {path} is documented and not routed");
            operations += 1;
        }
    }
    assert_eq!(operations, 14);
}

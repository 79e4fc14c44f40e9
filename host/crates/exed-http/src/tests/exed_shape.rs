//! Targets, releases, unknown paths, wrong methods, broken bodies.

use axum::body::Body;
use serde_json::json;

use super::world::{World, request};
use crate::HttpOptions;

#[tokio::test]
async fn targets_are_matched_by_pattern() {
    let world = World::new();
    assert_eq!(world.get("/target").await.json(), json!(["web1", "web2", "db1", "dead1"]));
    assert_eq!(world.get("/targets?pattern=web*").await.json(), json!(["web1", "web2"]));
    assert_eq!(world.get("/target?pattern=nowhere").await.json(), json!([]));
    let answer = world.get("/target?pattern=~(").await;
    assert_eq!(answer.status, 400);
    assert!(answer.json()["message"].as_str().unwrap().starts_with("pattern: "), "{}", answer.text());
}

#[tokio::test]
async fn releases_list_type_and_plugin() {
    let world = World::new();
    assert_eq!(world.get("/release").await.json(), json!([{"type": "common", "name": "simulated"}]));
    let without = World::with(HttpOptions::default(), false);
    assert_eq!(without.get("/release").await.json(), json!([]));
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_have_the_same_shape() {
    let world = World::new();
    world.get("/nothing").await.refused(404, "no such path /nothing");
    let answer = world.get("/deploy").await;
    answer.refused(405, "/deploy has no method GET");
    assert_eq!(answer.header("allow"), "POST");
    let answer = world.delete("/ping").await;
    answer.refused(405, "/ping has no method DELETE");
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
}

#[tokio::test]
async fn broken_bodies_are_refused_with_their_position() {
    let world = World::new();
    let post = |body: &str| world.send(request("POST", "/ping", &[], body));
    post("{\"targets\": [\"web1\",]}").await.refused(400, "body: trailing comma at line 1 column 21");
    let message = "body: invalid type: sequence, expected a JSON object at line 1 column 0";
    post("[]").await.refused(400, message);
    assert_eq!(post("").await.status, 400);
    assert_eq!(post("{\"targets\": [\"web1\"]}").await.status, 201, "any content type is accepted");
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let world = World::with(HttpOptions { body_limit: 64, ..HttpOptions::default() }, true);
    let long = json!({"targets": ["web1"], "cmd": "x".repeat(100)});
    let message = "body: larger than 64 bytes, which is the most that is accepted";
    world.post("/execute", &long).await.refused(413, message);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_run_commands() {
    let world = World::new();
    let headers = [("host", "127.0.0.1:16808"), ("origin", "https://evil.example")];
    let answer = world.send(request("GET", "/execute?target=web1&cmd=id", &headers, "")).await;
    answer.refused(403, "requests from pages of other web sites are refused");
    assert_eq!(world.get("/jobs").await.json(), json!([]));
}

#[tokio::test]
async fn every_answer_carries_a_request_id() {
    let world = World::new();
    let given = world.send(request("GET", "/jobs", &[("x-request-id", "abc-1")], "")).await;
    assert_eq!(given.header("x-request-id"), "abc-1");
    let answer = world.send(http::Request::get("/nothing").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("x-request-id").len(), 32);
}

#[tokio::test]
async fn metrics_count_by_facade_route_and_status() {
    let world = World::new();
    world.get("/jobs/nonsense").await;
    world.get("/api/v1/hosts").await;
    let answer = world.get("/metrics").await;
    let text = answer.text();
    for expected in [
        "exed_http_requests_total{facade=\"exed\",operation=\"/jobs/{jid}\",status=\"404\"} 1",
        "exed_http_requests_total{facade=\"native\",operation=\"/api/v1/hosts\",status=\"200\"} 1",
        "exed_jobs_queued 0",
        "exed_jobs_running 0",
        "process_resident_memory_bytes ",
        "process_cpu_seconds_total ",
        "exed_http_request_duration_seconds_bucket",
        "# EOF",
    ] {
        assert!(text.contains(expected), "{expected} is missing in\n{text}");
    }
}

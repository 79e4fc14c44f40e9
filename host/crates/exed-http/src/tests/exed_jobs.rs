//! Jobs of EXEd's dialect: lists, results, follow, delete.

use std::time::Duration;

use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::world::{World, request};

#[tokio::test]
async fn jobs_are_listed_newest_first_in_pages() {
    let world = World::new();
    let mut jids = Vec::new();
    for _ in 0..3 {
        jids.insert(0, world.submitted("/ping", &json!({"targets": ["web1"]})).await);
    }
    assert_eq!(world.get("/jobs").await.json(), json!(jids));
    let page = world.get("/jobs?limit=2").await;
    assert_eq!(page.json(), json!(jids[..2]));
    assert!(page.header("link").contains(&format!("after={}", jids[1])));
    let rest = world.get(&format!("/jobs?limit=2&after={}&detail=True", jids[1])).await;
    assert_eq!(rest.header("link"), "");
    assert_eq!(rest.json()[0]["taskid"], jids[2]);
    assert_eq!(rest.json()[0]["return_data"], json!({}));
    world.get("/jobs?limit=0").await.refused(400, "limit: must be from 1 to 1000, not 0");
    world.get("/jobs?limit=x").await.refused(400, "limit: must be an integer, not \"x\"");
    world.get("/jobs?after=x").await.refused(400, "after: must be the jid of a job, and there is no job x");
    let message = "detail: must be a boolean (1, true, yes, 0, false or no), not \"maybe\"";
    world.get("/jobs?detail=maybe").await.refused(400, message);
}

#[tokio::test]
async fn a_job_that_is_not_there_is_named() {
    let world = World::new();
    let absent = "c4f6acd3-4dda-44d0-8f99-76b4587e55d0";
    for path in [format!("/jobs/{absent}"), format!("/jobs/{absent}?follow=1")] {
        world.get(&path).await.refused(404, &format!("no such jid {absent}"));
    }
    world.get("/jobs/nonsense").await.refused(404, "no such jid nonsense");
    world.delete(&format!("/jobs/{absent}")).await.refused(404, &format!("no such jid {absent}"));
}

#[tokio::test]
async fn only_a_job_that_has_ended_is_deleted() {
    let world = World::new();
    let jid = world.submitted("/execute", &json!({"targets": ["web1"], "cmd": "wait"})).await;
    let path = format!("/jobs/{jid}");
    world.delete(&path).await.refused(400, "cannot delete a running job");
    world.fleet.release();
    world.ended(&jid).await;
    let answer = world.delete(&path).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    world.get(&path).await.refused(404, &format!("no such jid {jid}"));
}

#[tokio::test]
async fn a_failed_host_fails_the_job() {
    let world = World::new();
    let jid = world.submitted("/ping", &json!({"targets": ["web1", "dead1"]})).await;
    let lines = world.ended(&jid).await;
    assert!(lines.iter().any(|line| line["dead1"]["status"] == 3), "{lines:?}");
    let job = world.get(&format!("/jobs/{jid}?outputs=1")).await.json();
    assert_eq!(job["state"], 2);
    assert_ne!(job["error"], "");
    assert_eq!(job["return_data"]["web1"], json!([{"status": 0, "state": 0}]));
    assert_eq!(job["return_data"]["dead1"][0]["status"], 3);
}

#[tokio::test]
async fn following_loses_nothing_between_loading_and_the_end() {
    let world = World::new();
    let body = json!({"targets": ["web1", "db1"], "cmd": "wait"});
    let jid = world.submitted("/execute", &body).await;
    let path = format!("/jobs/{jid}?follow=1");
    let response = world.router.clone().oneshot(request("GET", &path, &[], "")).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let first: Value = serde_json::from_slice(&first).unwrap();
    assert_eq!((&first["taskid"], &first["state"]), (&json!(jid), &json!(1)));
    // Everything happens while nobody reads the stream.
    world.fleet.release();
    let finished = world.ended(&jid).await;
    let rest = tokio::time::timeout(Duration::from_secs(30), body.collect()).await.unwrap().unwrap();
    let text = String::from_utf8(rest.to_bytes().to_vec()).unwrap();
    let live: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(live, finished[1..], "live and replayed tell the same");
    let hosts: Vec<&String> = live.iter().flat_map(|line| line.as_object().unwrap().keys()).collect();
    assert_eq!(hosts.len(), 2);
    assert!(hosts.iter().any(|host| *host == "web1") && hosts.iter().any(|host| *host == "db1"));
}

#[tokio::test]
async fn draining_ends_a_follow_stream() {
    let world = World::new();
    let jid = world.submitted("/execute", &json!({"targets": ["web1"], "cmd": "wait"})).await;
    let path = format!("/jobs/{jid}?follow=1");
    let response = world.router.clone().oneshot(request("GET", &path, &[], "")).await.unwrap();
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    assert!(world.get("/metrics").await.text().contains("exed_follow_streams 1\n"));
    world.options.drain.cancel();
    tokio::time::timeout(Duration::from_secs(30), body.collect()).await.unwrap().unwrap();
    assert_eq!(world.get("/readyz").await.status, 503);
    assert_eq!(world.get("/healthz").await.status, 200);
    assert!(world.get("/metrics").await.text().contains("exed_follow_streams 0\n"));
    world.fleet.release();
}

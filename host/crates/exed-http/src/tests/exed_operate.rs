//! The operations of EXEd's dialect.

use std::time::Duration;

use serde_json::json;

use super::world::World;
use crate::HttpOptions;

#[tokio::test]
async fn synchronous_calls_answer_per_host() {
    let world = World::new();
    let answer = world.get("/ping?target=web1").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({"web1": {"status": 0, "state": 0}}));
    let answer = world.get("/ping?target=web*").await.json();
    let fine = json!({"status": 0, "state": 0});
    assert_eq!(answer, json!({"web1": fine, "web2": fine}));
    let answer = world.get("/facter?target=db1").await.json();
    assert_eq!(
        answer,
        json!({"db1": {"status": 0, "state": 0, "facter": {"hostname": "db1"}}}).with_changed()
    );
    let answer = world.get("/execute?target=web1&cmd=echo%20hi").await.json();
    let expected = json!({"status": 4, "state": 4, "rtc": 0, "stdout": "web1: echo hi\n", "stderr": ""});
    assert_eq!(answer, json!({"web1": expected}));
    let answer = world.get("/service?target=web1&name=nginx&state=2&graceful=1").await.json();
    assert_eq!(answer, json!({"web1": {"status": 4, "state": 4}}));
}

/// The simulated plugin reports every operation but ping as changed.
trait WithChanged {
    fn with_changed(self) -> Self;
}

impl WithChanged for serde_json::Value {
    fn with_changed(mut self) -> Self {
        for host in self.as_object_mut().unwrap().values_mut() {
            host["status"] = json!(4);
            host["state"] = json!(4);
        }
        self
    }
}

#[tokio::test]
async fn failures_of_hosts_are_results_not_errors() {
    let world = World::new();
    let answer = world.get("/execute?target=web1&cmd=fail").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["web1"]["status"], 2);
    assert_eq!(answer.json()["web1"]["rtc"], 1);
    let answer = world.get("/ping?target=dead1").await.json();
    assert_eq!(answer["dead1"]["status"], 3);
    assert!(answer["dead1"]["message"].as_str().unwrap().contains("no route to host"), "{answer}");
}

#[tokio::test]
async fn a_synchronous_call_names_what_is_wrong() {
    let world = World::new();
    world.get("/ping").await.refused(400, "target: is required");
    world.get("/ping?target=").await.refused(400, "target: must not be empty");
    world.get("/ping?target=a&target=b").await.refused(400, "target: is given more than once");
    world.get("/ping?target=nowhere").await.refused(404, "no hosts match that target");
    world.get("/execute?target=web1").await.refused(400, "cmd: is required");
    world.get("/execute?target=web1&cmd=%ff").await.refused(400, "cmd: is not UTF-8 after percent-decoding");
    world.get("/execute?target=web1&cmd=refused").await.refused(400, "cmd: is not accepted by the plugin");
    world.get("/service?target=web1&name=x").await.refused(400, "state: is required");
    world.get("/service?target=web1&state=1").await.refused(400, "name: is required");
    let message = "state: must be 0 (started), 1 (stopped) or 2 (restarted), not 3";
    world.get("/service?target=web1&name=x&state=3").await.refused(400, message);
    let message = "state: must be an integer, not \"up\"";
    world.get("/service?target=web1&name=x&state=up").await.refused(400, message);
    let message = "graceful: must be a boolean (1, true, yes, 0, false or no), not \"2\"";
    world.get("/service?target=web1&name=x&state=2&graceful=2").await.refused(400, message);
}

#[tokio::test]
async fn a_call_that_takes_too_long_names_its_job_which_goes_on() {
    let options = HttpOptions { sync_limit: Duration::from_millis(50), ..HttpOptions::default() };
    let world = World::with(options, true);
    let answer = world.get("/execute?target=web1&cmd=wait").await;
    assert_eq!(answer.status, 500);
    let jid = world.get("/jobs").await.json()[0].as_str().unwrap().to_owned();
    assert!(answer.json()["message"].as_str().unwrap().contains(&jid), "{}", answer.text());
    assert_eq!(world.get(&format!("/jobs/{jid}")).await.json()["state"], 1);
    world.fleet.release();
    world.ended(&jid).await;
    assert_eq!(world.get(&format!("/jobs/{jid}")).await.json()["state"], 0);
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_stop_the_job() {
    let world = World::new();
    let waiting = world.get("/execute?target=web1&cmd=wait");
    let gone = tokio::time::timeout(Duration::from_millis(200), waiting).await;
    assert!(gone.is_err(), "the call was still waiting");
    let jid = world.get("/jobs").await.json()[0].as_str().unwrap().to_owned();
    world.fleet.release();
    world.ended(&jid).await;
    assert_eq!(world.get(&format!("/jobs/{jid}")).await.json()["state"], 0);
}

#[tokio::test]
async fn every_operation_is_submitted_and_shown_in_its_shape() {
    let world = World::new();
    let targets = json!(["web1", "web2"]);
    let cases = [
        ("/ping", json!({}), "ping", json!({})),
        ("/facter", json!({}), "facter", json!({})),
        ("/execute", json!({"cmd": "id"}), "execute", json!({"command": "id"})),
        (
            "/service",
            json!({"name": "ntp", "state": 2, "graceful": true}),
            "service",
            json!({"name": "ntp", "start": false, "restart": true, "graceful": true}),
        ),
        (
            "/deploy",
            json!({"role": "nginx", "partial": "reconfig", "extra_vars": {"a": [1]}}),
            "deploy",
            json!({"role": "nginx", "extra_vars": {"a": [1]}, "partial": "reconfig"}),
        ),
        (
            "/release",
            json!({"appname": "shop", "apptype": "common", "revision": "1cc5", "rollback": false}),
            "release",
            json!({
                "appname": "shop", "apptype": "common", "revision": "1cc5", "rollback": false,
                "extra_opts": {},
            }),
        ),
    ];
    for (path, mut body, operate, args) in cases {
        body["targets"] = targets.clone();
        let jid = world.submitted(path, &body).await;
        world.ended(&jid).await;
        let job = world.get(&format!("/jobs/{jid}?outputs=yes")).await.json();
        assert_eq!(job["operate"], operate);
        assert_eq!(job["operate_args"], args);
        assert_eq!(job["targets"], targets);
        assert_eq!(job["state"], 0, "{job}");
        assert_eq!(job["taskid"], jid);
        assert_eq!(job["error"], "");
        assert!(job["startat"].as_i64().unwrap() > 1_600_000_000);
        let results = job["return_data"]["web2"].as_array().unwrap();
        assert_eq!(results.len(), 1, "{job}");
        let nested = matches!(operate, "deploy" | "release");
        assert_eq!(results[0].get("return_data").is_some(), nested, "{job}");
    }
}

#[tokio::test]
async fn a_submission_names_what_is_wrong() {
    let world = World::new();
    let at = |path: &'static str, body| {
        let world = &world;
        async move { world.post(path, &body).await }
    };
    at("/ping", json!({})).await.refused(400, "targets: is required");
    at("/ping", json!({"targets": []}))
        .await
        .refused(400, "targets: must be a non-empty array of strings, but it is empty");
    at("/execute", json!({"targets": ["web1"], "cmd": 7})).await.refused(400, "cmd: must be a string, not 7");
    let message = "state: must be an integer, not \"2\"";
    at("/service", json!({"targets": ["web1"], "name": "x", "state": "2"})).await.refused(400, message);
    at("/deploy", json!({"targets": ["web1"]})).await.refused(400, "role: is required");
    let message = "extra_vars: must be an object, not \"x\"";
    at("/deploy", json!({"targets": ["a"], "role": "r", "extra_vars": "x"})).await.refused(400, message);
    let release = json!({"targets": ["web1"], "appname": "a", "apptype": "war", "revision": "1"});
    let message = "apptype: no release plugin handles \"war\"; loaded are: common";
    at("/release", release.clone()).await.refused(400, message);
    let without = World::with(HttpOptions::default(), false);
    let message = "apptype: no release plugin handles \"war\"; no release plugin is loaded";
    without.post("/release", &release).await.refused(400, message);
}

#[tokio::test]
async fn an_accepted_job_that_matches_nothing_fails_with_the_reason() {
    let world = World::new();
    let jid = world.submitted("/ping", &json!({"targets": ["nowhere"]})).await;
    world.ended(&jid).await;
    let job = world.get(&format!("/jobs/{jid}")).await.json();
    assert_eq!(job["state"], 2);
    assert_eq!(job["targets"], json!(["nowhere"]));
    assert!(job["error"].as_str().unwrap().contains("no hosts match"), "{job}");
}

#[tokio::test]
async fn a_second_deploy_on_a_held_host_is_a_conflict_unless_it_queues() {
    let world = World::new();
    let body = json!({"targets": ["web1"], "role": "wait"});
    let first = world.submitted("/deploy", &body).await;
    let second = json!({"targets": ["web*"], "role": "other"});
    let message = "operate conflict, job already exists on some host(s)";
    world.post("/deploy", &second).await.refused(409, message);
    let queued = json!({"targets": ["web1"], "role": "other", "on_conflict": "queue"});
    let queued = world.submitted("/deploy", &queued).await;
    world.fleet.release();
    world.ended(&first).await;
    world.ended(&queued).await;
    world.submitted("/deploy", &second).await;
}

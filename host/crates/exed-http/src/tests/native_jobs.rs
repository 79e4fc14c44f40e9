//! Hosts and jobs of the native API.

use serde_json::{Value, json};

use super::world::{Answer, World, request};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn ended(world: &World, id: &str) -> Vec<Value> {
    events(&world.get(&format!("/api/v1/jobs/{id}/events")).await)
}

/// The data of server-sent events, after checking that id and name agree with it.
fn events(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let text = answer.text();
    let blocks = text.split("\n\n").filter(|block| block.contains("data: "));
    let parse = |block: &str| {
        let field =
            |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
        let data: Value = serde_json::from_str(&field("data:")).unwrap();
        assert_eq!(field("id:"), data["seq"].to_string());
        assert_eq!(field("event:"), data["kind"].as_str().unwrap());
        data
    };
    blocks.map(parse).collect()
}

fn execute(command: &str, targets: &[&str]) -> Value {
    json!({"operation": "execute", "args": {"command": command}, "targets": targets})
}

#[tokio::test]
async fn hosts_are_listed_in_pages_without_their_variables() {
    let world = World::new();
    let page = world.get("/api/v1/hosts?limit=3").await;
    assert!(!page.text().contains("hunter2"));
    let page = page.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 3);
    assert_eq!(page["items"][0]["address"], "192.0.2.7");
    assert_eq!((&page["next"], &page["total"]), (&json!("db1"), &json!(4)));
    assert_eq!(page["inventory"]["warnings"][0], "hosts:3: doubtful");
    let rest = world.get("/api/v1/hosts?limit=3&after=db1").await.json();
    assert_eq!((&rest["items"][0]["name"], &rest["next"]), (&json!("dead1"), &Value::Null));
    assert_eq!(world.get("/api/v1/hosts?pattern=web*").await.json()["total"], 2);
    assert_eq!(world.get("/api/v1/hosts/web1").await.json()["name"], "web1");
    world.get("/api/v1/hosts/nowhere").await.problem(404, "not-found");
    world.get("/api/v1/hosts?after=nowhere").await.problem(400, "invalid");
    let problem = world.get("/api/v1/hosts?patern=web*").await.problem(400, "invalid");
    assert_eq!(problem["errors"][0]["field"], "patern");
}

#[tokio::test]
async fn a_job_is_submitted_followed_and_shown() {
    let world = World::new();
    let answer = world.post("/api/v1/jobs", &execute("id", &["web*"])).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let job = answer.json();
    let id = job["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), format!("/api/v1/jobs/{id}"));
    assert_eq!(job["hosts"], json!(["web1", "web2"]));
    assert_eq!(job["options"]["on_conflict"], "reject");
    let told = ended(&world, id).await;
    assert_eq!(told[0]["kind"], "submitted");
    assert_eq!(told.last().unwrap()["kind"], "finished");
    assert!(told.iter().any(|event| event["kind"] == "output" && event["text"] == "web1: id\n"));
    let detail = world.get(&format!("/api/v1/jobs/{id}")).await.json();
    assert_eq!(detail["state"], "done");
    assert_eq!(detail["runs"][1]["results"][0]["data"]["rtc"], 0);
    assert!(detail["finished_at"].as_str().unwrap().ends_with('Z'));
    let by_alias = world.get(&format!("/api/v1/jobs/{}", job["alias"])).await.json();
    assert_eq!(by_alias["id"], id);
}

#[tokio::test]
async fn a_stream_resumes_after_any_event() {
    let world = World::new();
    let job = world.post("/api/v1/jobs", &execute("id", &["web*"])).await.json();
    let path = format!("/api/v1/jobs/{}/events", job["id"].as_str().unwrap());
    let all = events(&world.get(&path).await);
    for (index, event) in all.iter().enumerate() {
        let after = event["seq"].to_string();
        let headers = [("last-event-id", after.as_str())];
        let rest = world.send(request("GET", &path, &headers, "")).await;
        assert_eq!(events(&rest), all[index + 1..]);
        let rest = world.get(&format!("{path}?after={after}")).await;
        assert_eq!(events(&rest), all[index + 1..]);
    }
    let bad = world.send(request("GET", &path, &[("last-event-id", "x")], "")).await;
    bad.problem(400, "invalid");
}

#[tokio::test]
async fn events_are_also_pages() {
    let world = World::new();
    let job = world.post("/api/v1/jobs", &execute("id", &["web*"])).await.json();
    let path = format!("/api/v1/jobs/{}/events", job["id"].as_str().unwrap());
    let all = events(&world.get(&path).await);
    let accept = [("accept", "application/json")];
    let mut paged: Vec<Value> = Vec::new();
    let mut after = json!(0);
    while !after.is_null() {
        let page = format!("{path}?limit=2&after={after}");
        let page = world.send(request("GET", &page, &accept, "")).await.json();
        paged.extend(page["items"].as_array().unwrap().clone());
        after = page["next"].clone();
    }
    assert_eq!(paged, all);
}

#[tokio::test]
async fn a_repetition_with_the_same_key_is_the_same_job() {
    let world = World::new();
    let submit = |body: Value| {
        let headers = [JSON, ("idempotency-key", "k-1")];
        world.send(request("POST", "/api/v1/jobs", &headers, &body.to_string()))
    };
    let first = submit(execute("id", &["web1"])).await;
    let again = submit(execute("id", &["web1"])).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 200));
    assert_eq!(first.json()["id"], again.json()["id"]);
    submit(execute("other", &["web1"])).await.problem(409, "conflict");
}

#[tokio::test]
async fn a_refused_submission_is_a_problem() {
    let world = World::new();
    let post = |body: Value| {
        let world = &world;
        async move { world.post("/api/v1/jobs", &body).await }
    };
    post(execute("id", &["nowhere"])).await.problem(422, "no-hosts");
    post(json!({"operation": "dance", "targets": ["web1"]})).await.problem(422, "unsupported");
    let problem = post(execute("refused", &["web1"])).await.problem(400, "invalid");
    assert_eq!(problem["errors"][0]["field"], "command");
    post(execute("id", &[])).await.problem(400, "invalid");
    post(json!({"operation": "ping", "targets": ["web1"], "args": []})).await.problem(400, "invalid");
    post(json!({"operation": "ping", "targets": ["web1"], "colour": 1})).await.problem(400, "invalid");
    let options = json!({"operation": "ping", "targets": ["web1"], "options": {"timeout_seconds": 0}});
    let problem = post(options).await.problem(400, "invalid");
    assert_eq!(problem["errors"][0]["field"], "options.timeout_seconds");
    let options = json!({"operation": "ping", "targets": ["web1"], "options": {"plugin": "x@y"}});
    post(options).await.problem(400, "invalid");
    let text = world.send(request("POST", "/api/v1/jobs", &[], "{}")).await;
    text.problem(415, "media-type");
    let problem = world.send(request("POST", "/api/v1/jobs", &[JSON], "{")).await.problem(400, "invalid");
    assert!(problem["detail"].as_str().unwrap().contains("line 1 column"), "{problem}");
}

#[tokio::test]
async fn jobs_are_listed_filtered_and_paged() {
    let world = World::new();
    for command in ["a", "b", "fail"] {
        let job = world.post("/api/v1/jobs", &execute(command, &["web1"])).await.json();
        ended(&world, job["id"].as_str().unwrap()).await;
    }
    let page = world.get("/api/v1/jobs?limit=2").await.json();
    assert_eq!(page["items"][0]["args"]["command"], "fail");
    let next = page["next"].as_str().unwrap();
    let rest = world.get(&format!("/api/v1/jobs?limit=2&after={next}")).await.json();
    assert_eq!((&rest["items"][0]["args"]["command"], &rest["next"]), (&json!("a"), &Value::Null));
    let failed = world.get("/api/v1/jobs?state=failed,canceled").await.json();
    assert_eq!(failed["items"].as_array().unwrap().len(), 1);
    let none = world.get("/api/v1/jobs?operation=deploy").await.json();
    assert_eq!(none["items"], json!([]));
    world.get("/api/v1/jobs?state=asleep").await.problem(400, "invalid");
    world.get("/api/v1/jobs?limit=1001").await.problem(400, "invalid");
    world.get("/api/v1/jobs?after=x").await.problem(400, "invalid");
}

#[tokio::test]
async fn a_job_is_canceled_and_deleted() {
    let world = World::new();
    let job = world.post("/api/v1/jobs", &execute("wait", &["web1"])).await.json();
    let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    world.delete(&path).await.problem(409, "conflict");
    let answer = world.post(&format!("{path}/cancel"), &json!({})).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let told = ended(&world, job["id"].as_str().unwrap()).await;
    assert_eq!(told.last().unwrap()["state"], "canceled", "{told:?}");
    world.post(&format!("{path}/cancel"), &json!({})).await.problem(409, "conflict");
    assert_eq!(world.delete(&path).await.status, 204);
    world.get(&path).await.problem(404, "not-found");
    world.get(&format!("{path}/events")).await.problem(404, "not-found");
    world.get("/api/v1/jobs/nonsense").await.problem(404, "not-found");
    world.get("/api/v1/jobs/999").await.problem(404, "not-found");
}

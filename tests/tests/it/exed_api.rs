//! The EXEd dialect against real hosts: every endpoint, with good and with bad input, over raw HTTP.

use serde_json::{Value, json};
use tests::harness::Server;

use super::world::{HOSTS, encoded, ended, json as body, on, server};

fn jid(answer: &Value) -> String {
    answer["jid"].as_str().expect("a jid").to_owned()
}

#[test]
fn targets_are_matched() {
    let server = server("");
    let all = body(server.get("/target"), 200);
    assert_eq!(all.as_array().map(Vec::len), Some(HOSTS));
    assert_eq!(all, body(server.get("/targets?pattern=*"), 200));
    assert_eq!(body(server.get("/target?pattern=host0[12]"), 200), json!(["host01", "host02"]));
    assert_eq!(
        body(server.get("/target?pattern=fleet:!host01"), 200).as_array().map(Vec::len),
        Some(HOSTS - 1)
    );
    assert_eq!(body(server.get("/target?pattern=nobody"), 200), json!([]));
    let bad = body(server.get("/target?pattern=~("), 400);
    assert!(bad["message"].as_str().is_some_and(|text| text.contains("pattern")), "{bad}");
}

#[test]
fn ping_and_facter_in_both_modes() {
    let server = server("");
    let pong = body(server.get("/ping?target=*"), 200);
    assert_eq!(pong.as_object().map(serde_json::Map::len), Some(HOSTS));
    assert_eq!(pong["host03"]["status"], 0);
    let facts = body(server.get("/facter?target=host01"), 200);
    assert_eq!(facts["host01"]["status"], 0);
    assert_eq!(facts["host01"]["state"], 0);
    let known = &facts["host01"]["facter"];
    assert_eq!(known["ansible_hostname"], "host01", "{known}");
    assert_eq!(known["ansible_os_family"], "Debian");
    assert_eq!(known["ansible_kernel"].as_str(), Some(on("host01", "uname -r").trim()));
    for operation in ["ping", "facter"] {
        let answer =
            body(server.post(&format!("/{operation}"), &json!({"targets": ["host01", "host02"]})), 201);
        let job = ended(&server, &jid(&answer));
        assert_eq!(job["state"], 0, "{job}");
        assert_eq!(job["operate"], operation);
        assert_eq!(job["targets"], json!(["host01", "host02"]));
        assert_eq!(job["return_data"]["host02"][0]["status"], 0, "{job}");
    }
    server.check_leftovers().unwrap();
}

#[test]
fn commands_run_as_they_are() {
    let server = server("");
    let line = "printf 'out $HOME\\n'; printf err >&2; exit 3";
    let answer = body(server.get(&format!("/execute?target=host01&cmd={}", encoded(line))), 200);
    let result = &answer["host01"];
    assert_eq!(result["rtc"], 3, "{answer}");
    assert_eq!(result["status"], 2);
    assert_eq!(result["stdout"], "out $HOME\n");
    assert_eq!(result["stderr"], "err");
    let answer = body(server.get(&format!("/execute?target=*&cmd={}", encoded("hostname"))), 200);
    for host in ["host01", "host06"] {
        assert_eq!(answer[host]["stdout"].as_str().map(str::trim), Some(host));
        assert_eq!(answer[host]["status"], 4);
    }
    let posted = json!({"targets": ["host0[1-3]"], "cmd": "echo $((6*7))"});
    let job = ended(&server, &jid(&body(server.post("/execute", &posted), 201)));
    assert_eq!(job["state"], 0, "{job}");
    assert_eq!(job["operate_args"], json!({"command": "echo $((6*7))"}));
    assert_eq!(job["return_data"]["host03"][0]["stdout"], "42\n");
    server.check_leftovers().unwrap();
}

#[test]
fn services_change_and_say_so() {
    let server = server("");
    let call = |state: u8, more: &str| {
        let answer = body(server.get(&format!("/service?target=host02&name=nginx&state={state}{more}")), 200);
        answer["host02"]["status"].clone()
    };
    assert_eq!(call(1, ""), 0, "it was not running");
    assert_eq!(call(0, ""), 4);
    assert_eq!(call(0, ""), 0);
    let before = on("host02", "cat /run/nginx.pid");
    assert_eq!(call(2, ""), 4);
    let after = on("host02", "cat /run/nginx.pid");
    assert_ne!(before, after, "a restart makes a new process");
    assert_eq!(call(2, "&graceful=yes"), 4);
    assert_eq!(on("host02", "cat /run/nginx.pid"), after, "a reload keeps it");
    assert_eq!(call(1, ""), 4);
    let missing = body(server.get("/service?target=host02&name=nosuchd&state=0"), 200);
    assert_eq!(missing["host02"]["status"], 2, "{missing}");
}

#[test]
fn bad_input_is_named_and_changes_nothing() {
    let server = server("");
    for (path, word) in [
        ("/ping", "target"),
        ("/ping?target=", "target"),
        ("/execute?target=host01", "cmd"),
        ("/service?target=host01&name=nginx", "state"),
        ("/service?target=host01&name=nginx&state=7", "state"),
        ("/service?target=host01&state=0", "name"),
        ("/service?target=host01&name=nginx&state=2&graceful=maybe", "graceful"),
        ("/jobs?detail=perhaps", "detail"),
    ] {
        let answer = body(server.get(path), 400);
        assert!(answer["message"].as_str().is_some_and(|text| text.contains(word)), "{path}: {answer}");
    }
    let nobody = body(server.get("/ping?target=nobody"), 404);
    assert_eq!(nobody, json!({"message": "no hosts match that target"}));
    let malformed = body(server.get("/jobs/not-a-uuid"), 404);
    assert_eq!(malformed, json!({"message": "no such jid not-a-uuid"}));
    let unknown = "eb1f4035-d62b-497f-9e3f-543e8e6f15f3";
    for answer in [server.get(&format!("/jobs/{unknown}")), server.delete(&format!("/jobs/{unknown}"))] {
        assert_eq!(body(answer, 404), json!({"message": format!("no such jid {unknown}")}));
    }
    for (path, sent, word) in [
        ("/ping", json!({}), "targets"),
        ("/ping", json!({"targets": []}), "targets"),
        ("/ping", json!({"targets": "host01"}), "targets"),
        ("/execute", json!({"targets": ["host01"]}), "cmd"),
        ("/service", json!({"targets": ["host01"], "name": 5, "state": 0}), "name"),
        ("/deploy", json!({"targets": ["host01"]}), "role"),
        ("/release", json!({"targets": ["host01"], "apptype": "common", "revision": "1"}), "appname"),
    ] {
        let answer = body(server.post(path, &sent), 400);
        assert!(
            answer["message"].as_str().is_some_and(|text| text.contains(word)),
            "{path} {sent}: {answer}"
        );
    }
    assert_eq!(body(server.get("/jobs"), 200), json!([]), "nothing was submitted");
}

#[test]
fn deploy_and_release_say_that_nothing_offers_them() {
    let server = server("");
    assert_eq!(body(server.get("/release"), 200), json!([]));
    let deploy = server.post("/deploy", &json!({"targets": ["host01"], "role": "nginx"})).unwrap();
    assert!(deploy.text().contains("deploy"), "{}", deploy.text());
    assert!((400..600).contains(&deploy.status));
    let release = json!({"targets": ["host01"], "appname": "a", "apptype": "common", "revision": "1"});
    let answer = body(server.post("/release", &release), 400);
    assert!(answer["message"].as_str().is_some_and(|text| text.contains("common")), "{answer}");
}

#[test]
fn jobs_are_listed_followed_and_deleted() {
    let server = server("");
    let first = jid(&body(server.post("/ping", &json!({"targets": ["host01"]})), 201));
    ended(&server, &first);
    let gate = format!("/tmp/gate-{first}");
    let line = format!("echo one; while [ ! -e {gate} ]; do sleep 0.05; done; echo two");
    let posted = json!({"targets": ["host01", "host02"], "cmd": line});
    let second = jid(&body(server.post("/execute", &posted), 201));
    assert_eq!(body(server.get("/jobs"), 200), json!([second, first]));
    assert_eq!(body(server.get("/jobs?limit=1"), 200), json!([second]));
    let detail = body(server.get("/jobs?detail=true"), 200);
    assert_eq!(detail[0]["taskid"].as_str(), Some(second.as_str()), "{detail}");
    assert_eq!(detail[0]["state"], 1);
    let running = body(server.delete(&format!("/jobs/{second}")), 400);
    assert_eq!(running, json!({"message": "cannot delete a running job"}));
    let stream = std::thread::scope(|scope| {
        let follower = scope.spawn(|| server.get(&format!("/jobs/{second}?outputs=1&follow=1")));
        for host in ["host01", "host02"] {
            on(host, &format!("touch {gate}"));
        }
        follower.join().expect("no panic").expect("a complete stream")
    });
    let lines: Vec<Value> = stream.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["operate"], "execute", "first the job: {}", stream.text());
    for host in ["host01", "host02"] {
        let results: Vec<_> = lines.iter().filter_map(|line| line[host]["rtc"].as_i64()).collect();
        assert_eq!(results, [0], "{host}: {}", stream.text());
    }
    let again = server.get(&format!("/jobs/{second}?outputs=1&follow=1")).unwrap();
    assert!(again.text().contains("\"rtc\":0"), "a finished job is replayed: {}", again.text());
    assert_eq!(server.delete(&format!("/jobs/{second}")).unwrap().status, 204);
    body(server.get(&format!("/jobs/{second}")), 404);
}

#[test]
fn an_unreachable_host_is_told_apart() {
    let inventory = "[inventory]\npaths = [\"dead.ini\"]\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dead.ini");
    std::fs::write(&file, "dead ansible_host=127.0.0.1 ansible_port=1\n").unwrap();
    let toml = inventory.replace("dead.ini", file.to_str().unwrap());
    let options = tests::harness::ServerOptions { toml, ..Default::default() };
    let server = Server::start(options).unwrap();
    let answer = body(server.get("/ping?target=dead"), 200);
    assert_eq!(answer["dead"]["status"], 3, "{answer}");
    assert!(answer["dead"]["message"].as_str().is_some_and(|text| text.contains("127.0.0.1")), "{answer}");
}

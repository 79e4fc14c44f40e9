//! The server killed at any moment: no job lost, no command run twice, no mutex left, every stream whole.

use serde_json::{Value, json};

use super::world::{HOSTS, ended, json as body, on, server};

/// Kills after this many milliseconds, spread over everything a job goes through.
const KILL_AFTER_MS: [u64; 10] = [0, 5, 15, 30, 50, 80, 120, 200, 400, 800];

#[test]
fn a_raw_command_runs_exactly_once() {
    let mut server = server("");
    let mut counted = 0;
    for (round, after) in KILL_AFTER_MS.into_iter().enumerate() {
        let log = format!("/tmp/once-{round}-{}", std::process::id());
        let line = format!("echo x >> {log}; sleep 0.3; echo done");
        let answer = body(server.post("/execute", &json!({"targets": ["*"], "cmd": line})), 201);
        let jid = answer["jid"].as_str().expect("a jid").to_owned();
        std::thread::sleep(std::time::Duration::from_millis(after));
        server.kill().expect("the server runs");
        server.restart().expect("the server starts again");
        let job = ended(&server, &jid);
        for number in 1..=HOSTS {
            let host = format!("host{number:02}");
            let times = on(&host, &format!("cat {log}")).lines().count();
            assert_eq!(times, 1, "round {round}, {host}: {job}");
            let results = job["return_data"][&host].as_array().cloned().unwrap_or_default();
            assert_eq!(results.len(), 1, "round {round}, {host}: {job}");
            assert_eq!(results[0]["rtc"], 0, "round {round}, {host}: {job}");
            assert_eq!(results[0]["stdout"], "done\n", "round {round}, {host}");
            counted += 1;
        }
        let stream = server.get(&format!("/jobs/{jid}?outputs=1&follow=1")).expect("a complete stream");
        let told = stream.text().lines().filter(|line| line.contains("\"rtc\":0")).count();
        assert!(told >= HOSTS, "round {round}: {}", stream.text());
    }
    assert_eq!(counted, KILL_AFTER_MS.len() * HOSTS);
    server.check_leftovers().unwrap();
}

#[test]
fn sequences_have_no_gaps_after_a_kill() {
    let mut server = server("");
    let mark = format!("/tmp/seq-{}", std::process::id());
    let line = format!("echo x > {mark}; for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; sleep 0.1; done");
    let answer = body(server.post("/execute", &json!({"targets": ["*"], "cmd": line})), 201);
    let jid = answer["jid"].as_str().expect("a jid").to_owned();
    super::world::until("the command to run", || {
        !on("host06", &format!("cat {mark} 2>/dev/null || true")).is_empty()
    });
    server.kill().unwrap();
    server.restart().unwrap();
    let job = ended(&server, &jid);
    assert_eq!(job["state"], 0, "{job}");
    let seqs = event_numbers(&server, &jid);
    let expected: Vec<i64> = (1..=seqs.len() as i64).collect();
    assert!(seqs.len() > 2 * HOSTS, "{seqs:?}");
    assert_eq!(seqs, expected);
}

fn event_numbers(server: &tests::harness::Server, jid: &str) -> Vec<i64> {
    let stream = server.get(&format!("/api/v1/jobs/{jid}/events")).expect("a complete stream");
    let ids = stream.text();
    ids.lines().filter_map(|line| line.strip_prefix("id:")).filter_map(|id| id.trim().parse().ok()).collect()
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let server = server("");
    let output = std::process::Command::new(tests::harness::program().unwrap())
        .arg("-c")
        .arg(server.configuration())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("exed"), "{said}");
    let pong: Value = body(server.get("/ping?target=host01"), 200);
    assert_eq!(pong["host01"]["status"], 0, "the first one goes on");
}

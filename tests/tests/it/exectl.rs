//! `exectl` as a user's process, against a real server over the fleet: what it prints, and its exit codes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tests::harness::Server;

use super::world::{HOSTS, on, server, until};

/// The program: `EXECTL_BIN`, or the one beside the server.
fn program() -> PathBuf {
    let beside = || tests::harness::program().expect("the server's program").with_file_name("exectl");
    let program = std::env::var_os("EXECTL_BIN").map_or_else(beside, PathBuf::from);
    assert!(program.is_file(), "{} is not there; build it with `cargo xtask build`", program.display());
    program
}

fn command(server: &Server, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).env("EXED_SERVER", server.url()).stdin(Stdio::null());
    command
}

fn exectl(server: &Server, arguments: &[&str]) -> Output {
    command(server, arguments).output().expect("exectl starts")
}

/// The standard output of a call that must end with this code.
#[track_caller]
fn said(server: &Server, code: i32, arguments: &[&str]) -> String {
    let output = exectl(server, arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let problems = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "exectl {arguments:?}: {text}\n{problems}");
    text
}

/// The standard error of a call that must end with this code.
#[track_caller]
fn complained(server: &Server, code: i32, arguments: &[&str]) -> String {
    let output = exectl(server, arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "exectl {arguments:?}: {text}");
    text
}

#[track_caller]
fn json(server: &Server, arguments: &[&str]) -> Value {
    serde_json::from_str(&said(server, 0, arguments)).expect("JSON and nothing else")
}

/// The first words of a table's rows, without its head.
fn first_column(table: &str) -> Vec<&str> {
    table.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn hosts_are_listed_by_pattern() {
    let server = server("");
    let all = said(&server, 0, &["hosts"]);
    assert_eq!(first_column(&all).len(), HOSTS, "{all}");
    assert_eq!(first_column(&said(&server, 0, &["hosts", "host0[1-3]:!host02"])), ["host01", "host03"]);
    assert_eq!(json(&server, &["hosts", "host02", "--json"])[0]["name"], "host02");
    let unknown = complained(&server, 1, &["hosts", "nobody"]);
    assert!(unknown.contains("nobody"), "{unknown}");
}

#[test]
fn output_comes_while_the_command_runs() {
    let server = server("");
    let go = format!("/tmp/exectl-go-{}", std::process::id());
    let line = format!("echo first; until [ -e {go} ]; do sleep 0.05; done; echo second");
    let arguments = ["run", "host01", "--", &line];
    let mut child = command(&server, &arguments).stdout(Stdio::piped()).spawn().expect("exectl starts");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert_eq!(output.next().expect("a line").unwrap(), "host01 | first");
    on("host01", &format!("touch {go}"));
    assert_eq!(output.next().expect("a line").unwrap(), "host01 | second");
    assert!(child.wait().unwrap().success());
    server.check_leftovers().unwrap();
}

#[test]
fn the_exit_code_tells_what_became_of_the_job() {
    let server = server("");
    assert_eq!(said(&server, 0, &["run", "host02", "--", "echo fine"]), "host02 | fine\n");
    let failed = said(&server, 1, &["run", "host02", "--", "echo bad >&2; exit 3"]);
    assert!(failed.contains("host02 | bad") && failed.contains("exit code 3"), "{failed}");
    let nobody = complained(&server, 2, &["ping", "nobody"]);
    assert!(nobody.contains("no hosts match"), "{nobody}");
    let late = complained(&server, 1, &["run", "host02", "--timeout", "1", "--", "sleep 60"]);
    assert!(late.contains("1 s"), "{late}");
    server.check_leftovers().unwrap();
}

#[test]
fn ping_and_facts_reach_every_host() {
    let server = server("");
    let pinged = said(&server, 0, &["ping", "all"]);
    for number in 1..=HOSTS {
        assert!(pinged.contains(&format!("host{number:02} |")), "{pinged}");
    }
    let facts = json(&server, &["facts", "all", "--json"]);
    assert_eq!(facts.as_object().expect("an object").len(), HOSTS);
    assert_eq!(facts["host03"]["ansible_hostname"], "host03");
}

#[test]
fn a_service_is_changed_once() {
    let server = server("");
    let state = |state: &str| said(&server, 0, &["service", "host06", "cron", state]);
    state("stopped");
    let (first, second) = (state("started"), state("started"));
    assert!(first.contains("changed") && !second.contains("changed"), "{first}{second}");
    assert!(!on("host06", "pgrep -x cron").is_empty());
}

#[test]
fn a_job_is_shown_followed_and_deleted() {
    let server = server("");
    let id = said(&server, 0, &["run", "host01:host02", "--detach", "--", "echo kept"]);
    let id = id.trim();
    let replayed = said(&server, 0, &["follow", id]);
    assert!(replayed.contains("host01 | kept") && replayed.contains("host02 | kept"), "{replayed}");
    let shown = said(&server, 0, &["job", id]);
    assert!(shown.contains("state      done") && shown.contains("      kept"), "{shown}");
    let listed = json(&server, &["jobs", "--state", "done", "--operation", "execute", "--json"]);
    assert_eq!(listed["items"][0]["id"], id);
    let table = said(&server, 0, &["jobs"]);
    assert!(table.contains(id) && table.contains("command=echo kept"), "{table}");
    let last = said(&server, 0, &["follow", id, "--json"]).lines().last().map(serde_json::from_str::<Value>);
    assert_eq!(last.expect("an event").expect("JSON")["kind"], "finished");
    said(&server, 0, &["delete", id]);
    let gone = complained(&server, 2, &["job", id]);
    assert!(gone.contains(id), "{gone}");
}

#[test]
fn a_canceled_job_ends_on_its_hosts() {
    let server = server("");
    let id = said(&server, 0, &["run", "host04", "--detach", "--", "sleep 4711"]);
    let id = id.trim();
    until("the command", || !on("host04", "pgrep -xf 'sleep 4711'").is_empty());
    let busy = complained(&server, 2, &["delete", id]);
    assert!(busy.contains("cancel") || busy.contains("running"), "{busy}");
    said(&server, 0, &["cancel", id]);
    let ended = complained(&server, 1, &["follow", id]);
    assert!(ended.contains("canceled"), "{ended}");
    assert_eq!(on("host04", "pgrep -xf 'sleep 4711'"), "");
    server.check_leftovers().unwrap();
}

#[test]
fn an_interrupted_follower_lets_the_job_go_on() {
    let server = server("");
    let arguments = ["run", "host05", "--", "echo begun; sleep 1; echo over"];
    let mut command = command(&server, &arguments);
    let mut child: Child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("exectl starts");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert_eq!(output.next().expect("a line").unwrap(), "host05 | begun");
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{told}");
    let id = told.split_once("exectl follow ").expect("how to follow it").1.trim();
    assert_eq!(said(&server, 0, &["follow", id]), "host05 | begun\nhost05 | over\n");
}

#[test]
fn plugins_are_installed_rolled_back_and_removed() {
    let server = server("");
    let carried = json(&server, &["plugins", "--json"]);
    let names: Vec<_> = carried["items"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
    assert_eq!(names, ["command-allowlist", "remote-shell", "service-control"]);
    let operations = said(&server, 0, &["operations"]);
    assert_eq!(first_column(&operations), ["execute", "facter", "ping", "service"]);

    let file = newer();
    let path = file.path().to_str().unwrap();
    assert_eq!(said(&server, 0, &["plugins", "install", path]), "remote-shell 0.9.0 is active\n");
    let plugin = |options: &[&str]| {
        let mut arguments = vec!["run", "host01", "--detach"];
        arguments.extend(options);
        arguments.extend(["--", "true"]);
        let id = said(&server, 0, &arguments);
        said(&server, 0, &["follow", id.trim()]);
        json(&server, &["job", id.trim(), "--json"])["plugin"]["version"].clone()
    };
    assert_eq!(plugin(&[]), "0.9.0");
    assert_eq!(plugin(&["--plugin", "remote-shell@<0.9"]), "0.1.0");
    assert_eq!(said(&server, 0, &["plugins", "rollback", "remote-shell"]), "remote-shell 0.1.0 is active\n");
    assert_eq!(plugin(&[]), "0.1.0");
    said(&server, 0, &["plugins", "remove", "remote-shell"]);
    let carried = complained(&server, 2, &["plugins", "remove", "remote-shell"]);
    assert!(carried.contains("carried"), "{carried}");
    let broken = complained(&server, 2, &["plugins", "install", program().to_str().unwrap()]);
    assert!(broken.contains("component"), "{broken}");
}

/// `remote-shell`, as a build of its version 0.9.0 would be: a version of the same length in its manifest.
fn newer() -> tempfile::NamedTempFile {
    let program = tests::harness::program().unwrap();
    let built = program.ancestors().nth(2).expect("a build folder").join("components/remote-shell.wasm");
    let mut bytes = std::fs::read(&built).expect("the component; build it with `cargo xtask build`");
    let (from, to) = (b"\nversion = \"0.1.0\"", b"\nversion = \"0.9.0\"");
    let find = |what: &[u8], after: usize| {
        bytes.windows(what.len()).skip(after).position(|window| window == what).map(|at| after + at)
    };
    let section = find(b"exed:manifest", 0).expect("a manifest in the component");
    let at = find(from, section).expect("a version in the manifest");
    bytes.splice(at..at + from.len(), *to);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&bytes).unwrap();
    file
}

#[test]
fn what_needs_no_server_works_without_one() {
    let nobody = |arguments: &[&str]| {
        Command::new(program()).args(arguments).env("EXED_SERVER", "http://127.0.0.1:1").output().unwrap()
    };
    let script = nobody(&["completion", "bash"]);
    assert!(script.status.success() && String::from_utf8_lossy(&script.stdout).contains("_exectl()"));
    let refused = nobody(&["hosts"]);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(2) && told.contains("no exed server answers"), "{told}");
}

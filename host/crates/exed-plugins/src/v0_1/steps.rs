//! Steps as a guest sends them, checked and turned into the domain's. A problem names the field.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use exed_domain::step::{Action, Become, Probe, PutFile, Repeat, ScriptCall, Step};
use exed_plugin_api::v0_1::executor::exed::transport::steps as wit;

use crate::state::Script;

/// The largest content of a put-file step.
const LARGEST_FILE: usize = 1 << 20;
/// What is kept of each output stream if the step does not say.
const USUAL_OUTPUT: u64 = 1 << 20;
/// What is kept of each output stream at most.
const MOST_OUTPUT: u64 = 16 << 20;
const LONGEST_STEP_PATH: usize = 512;

/// The bytes that a step passes to the host.
pub(crate) fn weight(step: &wit::Step) -> usize {
    let texts = |list: &[String]| list.iter().map(String::len).sum::<usize>();
    let action = match &step.action {
        wit::Action::Argv(argv) => texts(argv),
        wit::Action::Shell(text) => text.len(),
        wit::Action::Script(call) => texts(&call.args),
        wit::Action::PutFile(file) => file.content.len(),
        wit::Action::Probe(_) => 0,
    };
    let env = step.env.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    step.path.len() + action + step.stdin.len() + env
}

/// A checked step.
///
/// # Errors
/// The field and what is accepted in it.
pub(crate) fn step(step: wit::Step, scripts: &BTreeMap<String, Script>) -> Result<Step, String> {
    if step.path.is_empty() || step.path.len() > LONGEST_STEP_PATH || step.path.chars().any(char::is_control)
    {
        return Err(format!("path: must have 1 to {LONGEST_STEP_PATH} bytes and no control characters"));
    }
    for (name, value) in &step.env {
        check_variable(name, value)?;
    }
    if step.timeout_ms == Some(0) {
        return Err("timeout-ms: must be positive, or absent for the run's own limit".into());
    }
    Ok(Step {
        path: step.path,
        action: action(step.action, scripts)?,
        repeat: match step.repeat {
            wit::Repeat::Repeatable => Repeat::Repeatable,
            wit::Repeat::Once => Repeat::Once,
        },
        stdin: step.stdin.into(),
        env: step.env,
        cwd: step.cwd.map(|path| absolute("cwd", path)).transpose()?,
        user: run_as(step.user)?,
        timeout: step.timeout_ms.map(Duration::from_millis),
        live: step.live,
        output_limit: step.output_limit.unwrap_or(USUAL_OUTPUT).min(MOST_OUTPUT),
    })
}

fn action(action: wit::Action, scripts: &BTreeMap<String, Script>) -> Result<Action, String> {
    Ok(match action {
        wit::Action::Argv(argv) => {
            if argv.first().is_none_or(String::is_empty) {
                return Err("action.argv: must begin with a program".into());
            }
            Action::Argv(without_nul("action.argv", argv)?)
        }
        wit::Action::Shell(text) => {
            if text.contains('\0') {
                return Err("action.shell: must not contain a NUL".into());
            }
            Action::Shell(text)
        }
        wit::Action::Script(call) => Action::Script(script(call, scripts)?),
        wit::Action::PutFile(file) => Action::PutFile(put_file(file)?),
        wit::Action::Probe(question) => Action::Probe(probe(question)?),
    })
}

fn script(call: wit::ScriptCall, scripts: &BTreeMap<String, Script>) -> Result<ScriptCall, String> {
    let Some(script) = scripts.get(&call.name) else {
        let known = scripts.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(format!("action.script.name: {:?} is not embedded; there is [{known}]", call.name));
    };
    Ok(ScriptCall {
        args: without_nul("action.script.args", call.args)?,
        name: call.name,
        digest: script.digest.clone(),
        text: script.text.clone(),
        read_only: script.read_only,
    })
}

fn put_file(file: wit::PutFile) -> Result<PutFile, String> {
    if file.content.len() > LARGEST_FILE {
        return Err(format!(
            "action.put-file.content: {} bytes are more than {LARGEST_FILE}; use transfer.open-upload",
            file.content.len()
        ));
    }
    Ok(PutFile {
        path: absolute("action.put-file.path", file.path)?,
        mode: mode(file.mode).map_err(|problem| format!("action.put-file.{problem}"))?,
        content: Bytes::from(file.content),
    })
}

fn probe(probe: wit::Probe) -> Result<Probe, String> {
    let path = |path| absolute("action.probe.path", path);
    Ok(match probe {
        wit::Probe::Stat(stat) => Probe::Stat { path: path(stat.path)?, follow: stat.follow },
        wit::Probe::Checksum(file) => Probe::Checksum { path: path(file)? },
        wit::Probe::Read(read) => Probe::Read { path: path(read.path)?, limit: read.limit.min(MOST_OUTPUT) },
        wit::Probe::List(folder) => Probe::List { path: path(folder)? },
        wit::Probe::Which(program) => {
            if program.is_empty() || program.contains(['/', '\0', '\n']) {
                return Err("action.probe.which: must be the name of a program, without a slash".into());
            }
            Probe::Which { program }
        }
        wit::Probe::Lookup(lookup) => {
            if !matches!(lookup.database.as_str(), "passwd" | "group" | "hosts" | "services") {
                return Err(format!(
                    "action.probe.lookup.database: {:?} is not accepted; accepted are passwd, group, hosts and services",
                    lookup.database
                ));
            }
            if lookup.key.is_empty() || lookup.key.contains(['\0', '\n']) {
                return Err("action.probe.lookup.key: must be one line and not empty".into());
            }
            Probe::Lookup { database: lookup.database, key: lookup.key }
        }
    })
}

pub(crate) fn run_as(user: wit::RunAs) -> Result<Become, String> {
    Ok(match user {
        wit::RunAs::Inherit => Become::Inherit,
        wit::RunAs::Login => Become::Never,
        wit::RunAs::User(name) => {
            let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, ':' | '/');
            if name.is_empty() || name.len() > 256 || name.starts_with('-') || name.contains(odd) {
                return Err(format!("user: {name:?} is not a user name"));
            }
            Become::User(name)
        }
    })
}

pub(crate) fn mode(mode: u32) -> Result<u32, String> {
    if mode > 0o7777 {
        return Err(format!("mode: {mode:#o} is more than 0o7777"));
    }
    Ok(mode)
}

pub(crate) fn absolute(field: &str, path: String) -> Result<String, String> {
    if !path.starts_with('/') || path.contains('\0') || path.len() > 4096 {
        return Err(format!(
            "{field}: {path:?} must be an absolute path of at most 4096 bytes without a NUL"
        ));
    }
    Ok(path)
}

fn without_nul(field: &str, list: Vec<String>) -> Result<Vec<String>, String> {
    match list.iter().position(|text| text.contains('\0')) {
        Some(index) => Err(format!("{field}[{index}]: must not contain a NUL")),
        None => Ok(list),
    }
}

fn check_variable(name: &str, value: &str) -> Result<(), String> {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if !first || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(format!("env: {name:?} is not the name of a variable"));
    }
    // The value may be a secret, so that it is not shown.
    if value.contains('\0') {
        return Err(format!("env: the value of {name} must not contain a NUL"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(action: wit::Action) -> wit::Step {
        wit::Step {
            path: "1".into(),
            action,
            repeat: wit::Repeat::Repeatable,
            stdin: Vec::new(),
            env: Vec::new(),
            cwd: None,
            user: wit::RunAs::Inherit,
            timeout_ms: None,
            live: false,
            output_limit: Some(u64::MAX),
        }
    }

    fn scripts() -> BTreeMap<String, Script> {
        let script = Script { text: "uname".into(), digest: "d1".into(), read_only: true };
        BTreeMap::from([("facts".to_owned(), script)])
    }

    fn refused(change: impl FnOnce(&mut wit::Step)) -> String {
        let mut candidate = plain(wit::Action::Shell("true".into()));
        change(&mut candidate);
        step(candidate, &scripts()).unwrap_err()
    }

    #[test]
    fn a_script_gets_its_text_from_the_component() {
        let call = wit::ScriptCall { name: "facts".into(), args: vec!["x".into()] };
        let converted = step(plain(wit::Action::Script(call)), &scripts()).unwrap();
        let Action::Script(call) = converted.action else { panic!("a script") };
        assert_eq!((&*call.text, call.digest.as_str(), call.read_only), ("uname", "d1", true));
        assert_eq!(converted.output_limit, MOST_OUTPUT);
    }

    #[test]
    fn what_is_malformed_names_its_field() {
        let script = wit::ScriptCall { name: "other".into(), args: Vec::new() };
        let file = |path: &str, mode| wit::PutFile { path: path.into(), mode, content: Vec::new() };
        let lookup = wit::LookupProbe { database: "shadow".into(), key: "root".into() };
        assert!(refused(|s| s.path.clear()).starts_with("path:"));
        assert!(refused(|s| s.action = wit::Action::Argv(Vec::new())).starts_with("action.argv:"));
        assert!(refused(|s| s.action = wit::Action::Argv(vec!["a\0".into()])).starts_with("action.argv[0]:"));
        assert!(refused(|s| s.action = wit::Action::Script(script)).contains("[facts]"));
        assert!(refused(|s| s.action = wit::Action::PutFile(file("etc", 0))).contains("put-file.path"));
        assert!(
            refused(|s| s.action = wit::Action::PutFile(file("/etc", 0o10000))).contains("put-file.mode")
        );
        assert!(refused(|s| s.action = wit::Action::Probe(wit::Probe::Lookup(lookup))).contains("shadow"));
        assert!(refused(|s| s.env = vec![("A B".into(), String::new())]).starts_with("env:"));
        assert!(!refused(|s| s.env = vec![("A".into(), "hush\0".into())]).contains("hush"));
        assert!(refused(|s| s.cwd = Some("tmp".into())).starts_with("cwd:"));
        assert!(refused(|s| s.user = wit::RunAs::User("-u root".into())).starts_with("user:"));
        assert!(refused(|s| s.timeout_ms = Some(0)).starts_with("timeout-ms:"));
    }
}

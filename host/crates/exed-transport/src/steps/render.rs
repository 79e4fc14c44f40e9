//! Turns a batch into one command line and what is sent to its standard input.
//!
//! There are two forms. A lone step that cannot change the host is executed as it is: the login shell
//! exports the marks and becomes the program, and the channel's own streams and status are the result.
//! Everything else is a script that frames the steps. It travels as an argument of `sh` while it is short
//! and holds nothing that other users of the host must not see in a list of processes; else it is sent to
//! standard input, in braces, so that a script that was cut off does nothing at all.

use bytes::Bytes;
use exed_domain::ports::RunKey;
use exed_domain::step::{Action, Repeat, Step};

use super::escalate::{Escalation, Login};
use super::quote::{printf_format, word, words};
use super::{id, probe};

/// The kernel takes 128 KiB as one argument, and the command line is one for the login shell.
const LINE_LIMIT: usize = 96 * 1024;

/// A batch, ready to be sent.
pub(crate) struct Rendered {
    /// The command line.
    pub(crate) line: String,
    /// What is written to its standard input, which is then closed.
    pub(crate) input: Bytes,
    /// The word that starts every mark; none where the channel's own streams are the step's.
    pub(crate) nonce: Option<String>,
    /// The conversation to hold before anything is written.
    pub(crate) login: Option<Login>,
}

/// Whether a step needs neither record nor fence: it cannot change the host.
pub(crate) fn harmless(step: &Step) -> bool {
    let ping = match &step.action {
        Action::Argv(argv) => {
            step.repeat == Repeat::Repeatable && matches!(argv.as_slice(), [one] if one == "true")
        }
        Action::Shell(_) | Action::Script(_) | Action::PutFile(_) | Action::Probe(_) => false,
    };
    ping || step.action.read_only()
}

/// Whether a step is recorded on the host.
pub(crate) fn recorded(step: &Step) -> bool {
    step.repeat == Repeat::Once && !harmless(step)
}

/// Renders the steps, which all run as the same user.
pub(crate) fn render(
    key: &RunKey,
    steps: &[Step],
    keep_going: bool,
    escalation: Option<&Escalation>,
) -> Rendered {
    let asks = escalation.is_some_and(Escalation::asks);
    if let ([step], false) = (steps, asks)
        && harmless(step)
        && step.env.is_empty()
        && step.cwd.is_none()
    {
        let line = raw_line(key, step, escalation);
        if line.len() <= LINE_LIMIT {
            return Rendered { line, input: step.stdin.clone(), nonce: None, login: None };
        }
    }
    framed(key, steps, keep_going, escalation)
}

fn raw_line(key: &RunKey, step: &Step, escalation: Option<&Escalation>) -> String {
    let marks = id::marks(key, step);
    let inner = format!("export {marks}; exec {}", program(&step.action));
    escalation.map_or(inner.clone(), |as_user| format!("export {marks}; exec {}", as_user.line(&inner)))
}

fn framed(key: &RunKey, steps: &[Step], keep_going: bool, escalation: Option<&Escalation>) -> Rendered {
    let nonce = id::nonce();
    let script = script(key, steps, keep_going, &nonce);
    let export = format!("export EXED_RUN={}", id::run_mark(key));
    if let Some((line, login)) = escalation.and_then(|as_user| as_user.asking_line("exec sh")) {
        let (line, input) = (format!("{export}; exec {line}"), script.into());
        return Rendered { line, input, nonce: Some(nonce), login: Some(login) };
    }
    let wrap = |inner: &str| match escalation {
        None => format!("{export}; {inner}"),
        Some(as_user) => format!("{export}; exec {}", as_user.line(&format!("{export}; {inner}"))),
    };
    let private = steps.iter().any(|step| !step.env.is_empty() || has_input(step));
    if !private {
        let line = wrap(&format!("exec sh -c {}", word(&script)));
        if line.len() <= LINE_LIMIT {
            return Rendered { line, input: Bytes::new(), nonce: Some(nonce), login: None };
        }
    }
    Rendered { line: wrap("exec sh"), input: script.into(), nonce: Some(nonce), login: None }
}

fn script(key: &RunKey, steps: &[Step], keep_going: bool, nonce: &str) -> String {
    let run = id::run_mark(key);
    let mut text =
        format!("{{\nN='{nonce}' RUN={run} TOK={} DAY={}\nexport EXED_RUN={run}\n", key.token.0, id::today());
    text.push_str(include_str!("scripts/framed.sh"));
    if steps.iter().any(|step| matches!(step.action, Action::PutFile(_))) {
        text.push_str(include_str!("scripts/put.sh"));
    }
    if !steps.iter().all(harmless) {
        text.push_str(
            "open_run || { refuse 0 failed \"the folder for records, $B, cannot be used: it must belong to \
             this user and be writable\"; exit 0; }\n",
        );
    }
    for (index, step) in steps.iter().enumerate() {
        step_text(&mut text, key, index, step, nonce);
        text.push_str(if keep_going { "\n" } else { " || exit 0\n" });
    }
    text.push_str("exit 0\n}\n");
    text
}

fn step_text(text: &mut String, key: &RunKey, index: usize, step: &Step, nonce: &str) {
    let step_id = id::step_id(key, &step.path);
    let input = input(step);
    if has_input(step) {
        text.push_str(&format!("i{index}() {{ printf {}; }}\n", printf_format(input)));
    }
    let flag = u8::from(has_input(step));
    let cwd = word(step.cwd.as_deref().unwrap_or_default());
    if recorded(step) {
        let run = supervised(step, index, nonce);
        text.push_str(&format!("w{index}() {{ printf {}; }}\n", printf_format(run.as_bytes())));
        let live = u8::from(step.live);
        let limit = step.output_limit.min(i64::MAX.unsigned_abs());
        text.push_str(&format!("once {index} {step_id} {flag} {cwd} {limit} {live}"));
    } else {
        let body = body(step, "$S ");
        text.push_str(&format!("b{index}() {{\nexport EXED_STEP={step_id}\n{body}}}\n"));
        text.push_str(&format!("plain {index} {step_id} {flag} {cwd}"));
    }
}

/// The file that the process of a recorded step reads: it holds the environment, which must not be seen
/// in a list of processes, and is emptied as soon as it has been read.
fn supervised(step: &Step, index: usize, nonce: &str) -> String {
    let put = if matches!(step.action, Action::PutFile(_)) { include_str!("scripts/put.sh") } else { "" };
    format!(
        "{{\nN='{nonce}' I={index}\n{put}body() {{\n{}}}\n{}}}\n",
        body(step, ""),
        include_str!("scripts/supervise.sh")
    )
}

fn body(step: &Step, session: &str) -> String {
    let mut text = String::new();
    for (name, value) in &step.env {
        text.push_str(&format!("export {name}={}\n", word(value)));
    }
    if let Some(cwd) = &step.cwd {
        text.push_str(&format!("cd {} || exit 126\n", word(cwd)));
    }
    match &step.action {
        Action::PutFile(file) => {
            let suffix = id::nonce();
            let suffix = suffix.trim_start_matches('\u{1e}');
            let mode = format!("{:04o}", file.mode);
            text.push_str(&format!("put {} {mode} {suffix}\n", word(&file.path)));
        }
        action @ (Action::Argv(_) | Action::Shell(_) | Action::Script(_) | Action::Probe(_)) => {
            text.push_str(&format!("exec {session}{}\n", program(action)));
        }
    }
    text
}

/// The words of the program that carries out an action; empty for files, which need none.
fn program(action: &Action) -> String {
    match action {
        Action::Argv(argv) => words(argv.iter().map(String::as_str)),
        Action::Shell(text) => words(["/bin/sh", "-c", text]),
        Action::Script(call) => {
            let name = ["/bin/sh", "-c", &*call.text, call.name.as_str()];
            words(name.into_iter().chain(call.args.iter().map(String::as_str)))
        }
        Action::Probe(probe) => {
            let (text, args) = probe::script(probe);
            let name = ["/bin/sh", "-c", text.as_str(), "probe"];
            words(name.into_iter().chain(args.iter().map(String::as_str)))
        }
        Action::PutFile(_) => String::new(),
    }
}

fn input(step: &Step) -> &[u8] {
    match &step.action {
        Action::PutFile(file) => &file.content,
        Action::Argv(_) | Action::Shell(_) | Action::Script(_) | Action::Probe(_) => &step.stdin,
    }
}

fn has_input(step: &Step) -> bool {
    !input(step).is_empty()
}

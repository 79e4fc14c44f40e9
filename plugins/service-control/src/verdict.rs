//! From what the script saw to the outcome of the task.

use exed_sdk::{Outcome, Output};

use crate::service::Wanted;

/// What precedes the script's findings in its output.
const MARK: &str = "\n@@exed ";

/// Judges the output of the script. Success is believed only if the service is seen in the wanted state;
/// a script of sysvinit that cannot tell its state has at least reported success.
pub(crate) fn of(name: &str, wanted: Wanted, output: &Output) -> Outcome {
    let text = output.stdout_text();
    let Some((words, findings)) = text.rsplit_once(MARK) else {
        let stderr = output.stderr_text();
        return Outcome::failed(format!("the script ended with {}: {}", output.status, stderr.trim()))
            .with("output", text.trim());
    };
    let finding = |key: &str| {
        let mut pairs = findings.split_whitespace().filter_map(|word| word.split_once('='));
        pairs.find(|(left, _)| *left == key).map(|(_, value)| value)
    };
    let outcome = match (finding("load"), finding("code"), finding("after")) {
        (Some("loaded"), Some(code), after) => acted(name, wanted, code, after.unwrap_or("unknown")),
        (Some("loaded"), None, _) => untouched(name, wanted, finding("before").unwrap_or("unknown")),
        (Some("not-found"), _, _) => Outcome::failed(format!("no service is named `{name}`")),
        (Some("masked"), _, _) => Outcome::failed(format!("the service `{name}` is masked")),
        (Some("unanswered"), _, _) => Outcome::failed("systemd does not answer"),
        (Some(other), _, _) => Outcome::failed(format!("the service `{name}` cannot be loaded: {other}")),
        (None, _, _) => Outcome::failed("the host has neither systemd as its first process nor /etc/init.d"),
    };
    let outcome = match finding("manager") {
        Some(manager) if manager != "none" => outcome.with("manager", manager),
        Some(_) | None => outcome,
    };
    let words = words.trim();
    if words.is_empty() { outcome } else { outcome.with("output", words) }
}

/// Nothing was done, because nothing had to be done or could be.
fn untouched(name: &str, wanted: Wanted, before: &str) -> Outcome {
    match (wanted, before) {
        (Wanted::Started, "yes") | (Wanted::Stopped, "no") => Outcome::ok(),
        (Wanted::Reloaded, "no") => {
            Outcome::failed(format!("`{name}` does not run, so that it cannot be reloaded"))
        }
        (_, other) => Outcome::failed(format!("`{name}` was left alone in the state `{other}`")),
    }
}

fn acted(name: &str, wanted: Wanted, code: &str, after: &str) -> Outcome {
    let word = wanted.word();
    if code != "0" {
        return Outcome::failed(format!("`{name}` could not be {word}: exit code {code}"));
    }
    match (wanted, after) {
        (Wanted::Stopped, "no" | "unknown") => Outcome::changed(),
        (Wanted::Stopped, _still) => Outcome::failed(format!("`{name}` still runs after it was stopped")),
        (Wanted::Started | Wanted::Restarted | Wanted::Reloaded, "yes" | "unknown") => Outcome::changed(),
        (Wanted::Started | Wanted::Restarted | Wanted::Reloaded, _not) => {
            Outcome::failed(format!("`{name}` was {word}, but does not run"))
        }
    }
}

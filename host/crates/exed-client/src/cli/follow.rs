//! Events as lines for people: output prefixed by its host, whole lines only.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exed_client::wire::Event;

use super::output::Output;

/// How a followed job has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) state: String,
    pub(super) error: Option<String>,
}

/// Turns events into lines, keeping unfinished ones of each host and stream until they are whole.
#[derive(Default)]
pub(super) struct Renderer {
    unfinished: BTreeMap<(String, String), Vec<u8>>,
    /// The reason of each host's last failed task, which the host's own end repeats.
    told: BTreeMap<String, String>,
}

impl Renderer {
    /// The lines of one event.
    pub(super) fn lines(&mut self, event: &Event, output: &Output) -> Vec<String> {
        let host = event.host.as_deref().unwrap_or_default();
        match event.kind.as_str() {
            "output" => self.output(host, event, output),
            "task" => {
                if let (true, Some(reason)) = (has_failed(event), event.text("message")) {
                    self.told.insert(host.to_owned(), reason.to_owned());
                }
                task(host, event, output).into_iter().collect()
            }
            "log" => vec![prefixed(host, event.text("message").unwrap_or_default(), output)],
            "host_finished" => {
                let mut lines = self.rest(host, output);
                let told = self.told.get(host).map(String::as_str);
                lines.extend(finished(host, event, told, output));
                lines
            }
            _job_or_newer => Vec::new(),
        }
    }

    /// How the job has ended, if this event says so.
    pub(super) fn ending(event: &Event) -> Option<Ending> {
        event.is_last().then(|| Ending {
            state: event.text("state").unwrap_or("unknown").to_owned(),
            error: event.text("error").map(str::to_owned),
        })
    }

    fn output(&mut self, host: &str, event: &Event, output: &Output) -> Vec<String> {
        let bytes = match (event.text("text"), event.text("base64")) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(encoded)) => STANDARD.decode(encoded).unwrap_or_default(),
            (None, None) => Vec::new(),
        };
        let stream = event.text("stream").unwrap_or_default();
        let unfinished = self.unfinished.entry((host.to_owned(), stream.to_owned())).or_default();
        unfinished.extend_from_slice(&bytes);
        let Some(end) = unfinished.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = unfinished.split_off(end + 1);
        let whole = std::mem::replace(unfinished, rest);
        String::from_utf8_lossy(&whole).lines().map(|line| prefixed(host, line, output)).collect()
    }

    /// What a host has written without a final newline.
    fn rest(&mut self, host: &str, output: &Output) -> Vec<String> {
        let of_host = self.unfinished.iter_mut().filter(|((name, _), _)| name == host);
        let texts = of_host.map(|(_, bytes)| std::mem::take(bytes)).filter(|bytes| !bytes.is_empty());
        texts.map(|bytes| prefixed(host, &String::from_utf8_lossy(&bytes), output)).collect()
    }
}

/// Control characters of a host must not steer the terminal; colours are kept on one.
fn prefixed(host: &str, line: &str, output: &Output) -> String {
    let clean: String =
        line.chars().filter(|character| !character.is_control() || *character == '\t').collect();
    let prefix = output.of_host(host, &format!("{host} |"));
    format!("{prefix} {clean}")
}

fn has_failed(event: &Event) -> bool {
    matches!(event.text("state"), Some("failed" | "unreachable"))
}

/// A task's line; commands that succeed have shown their output already.
fn task(host: &str, event: &Event, output: &Output) -> Option<String> {
    let state = event.text("state").unwrap_or_default();
    let name = event.text("task").unwrap_or_default();
    let failed = has_failed(event);
    let data = event.data.get("data");
    let code = data.and_then(|data| data.get("rtc")).and_then(serde_json::Value::as_i64);
    if !failed && code.is_some() {
        return None;
    }
    let code = code.map(|code| format!("exit code {code}"));
    let message = event.text("message").filter(|message| code.as_deref() != Some(*message));
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    let reason = message.map(|message| format!(": {message}")).unwrap_or_default();
    let text = format!("{name} {state}{code}{reason}");
    Some(prefixed(host, &text, output)).map(|line| if failed { output.failed(&line) } else { line })
}

fn finished(host: &str, event: &Event, told: Option<&str>, output: &Output) -> Option<String> {
    let state = event.text("state")?;
    let message = event.text("message");
    if state == "done" || (state == "failed" && (message.is_none() || message == told)) {
        return None;
    }
    let reason = message.map(|message| format!(": {message}")).unwrap_or_default();
    Some(output.failed(&prefixed(host, &format!("{state}{reason}"), output)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(mut data: Value) -> Event {
        data["seq"] = json!(1);
        data["time"] = json!("t");
        data["host"] = json!("web1");
        serde_json::from_value(data).unwrap()
    }

    fn written(text: &str) -> Event {
        event(json!({"kind": "output", "task": "execute", "stream": "stdout", "text": text}))
    }

    #[test]
    fn lines_are_whole_even_when_events_are_not() {
        let (mut renderer, output) = (Renderer::default(), Output::for_test(false));
        assert_eq!(renderer.lines(&written("one\ntw"), &output), ["web1 | one"]);
        let half = event(json!({"kind": "output", "task": "t", "stream": "stdout", "base64": "w6k="}));
        assert!(renderer.lines(&half, &output).is_empty());
        assert_eq!(renderer.lines(&written("o\n"), &output), ["web1 | twéo"]);
        renderer.lines(&written("end"), &output);
        let done = event(json!({"kind": "host_finished", "state": "done", "message": null}));
        assert_eq!(renderer.lines(&done, &output), ["web1 | end"]);
        assert!(renderer.lines(&done, &output).is_empty());
    }

    #[test]
    fn a_host_cannot_steer_the_terminal() {
        let (mut renderer, output) = (Renderer::default(), Output::for_test(false));
        assert_eq!(renderer.lines(&written("a\u{1b}[2Jb\n"), &output), ["web1 | a[2Jb"]);
    }

    #[test]
    fn failures_are_told_with_their_reason() {
        let (mut renderer, output) = (Renderer::default(), Output::for_test(true));
        let failed = event(json!({
            "kind": "task", "task": "execute", "state": "failed", "data": {"rtc": 3}, "message": null,
        }));
        let lines = renderer.lines(&failed, &output);
        assert!(
            lines[0].starts_with("\x1b[31m") && lines[0].contains("execute failed (exit code 3)"),
            "{lines:?}"
        );
        let output = Output::for_test(false);
        let failed = event(json!({
            "kind": "task", "task": "execute", "state": "failed", "data": {"rtc": 3}, "message": "exit code 3",
        }));
        assert_eq!(renderer.lines(&failed, &output), ["web1 | execute failed (exit code 3)"]);
        let ended = event(json!({"kind": "host_finished", "state": "failed", "message": "exit code 3"}));
        assert!(renderer.lines(&ended, &output).is_empty(), "it was told by the task");
        let dead = event(json!({"kind": "host_finished", "state": "unreachable", "message": "no route"}));
        assert_eq!(renderer.lines(&dead, &output), ["web1 | unreachable: no route"]);
    }
}

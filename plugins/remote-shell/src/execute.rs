//! `execute`: a raw command line for the host's shell, with its output.

use exed_sdk::{ExitStatus, Failure, FieldError, Host, Operation, Outcome, Output, Step, Value, json};

/// The longest command line: Linux takes no longer single argument.
const MAX_COMMAND_BYTES: usize = 128 * 1024 - 1;

pub(crate) struct Execute;

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    /// The command line.
    command: String,
}

impl Operation for Execute {
    const NAME: &'static str = "execute";
    const SUMMARY: &'static str = "Runs a command line in the host's shell";
    type Args = Args;

    fn args_schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "command": { "type": "string", "minLength": 1, "maxLength": MAX_COMMAND_BYTES },
            },
            "required": ["command"],
            "additionalProperties": false,
        })
    }

    fn check(args: &Args) -> Result<(), FieldError> {
        let problem = if args.command.trim().is_empty() {
            "must not be empty".to_owned()
        } else if args.command.contains('\0') {
            "must not contain a NUL character".to_owned()
        } else if args.command.len() > MAX_COMMAND_BYTES {
            format!("has {} bytes; at most {MAX_COMMAND_BYTES} are possible", args.command.len())
        } else {
            return Ok(());
        };
        Err(FieldError::new("command", problem))
    }

    fn run(host: &Host, args: Args) -> Result<Outcome, Failure> {
        let output = host.run(Step::shell(args.command).once("command").live())?;
        Ok(outcome(output))
    }
}

/// The result: `rtc` is the exit code, or 128 plus the signal's number as a shell would say it.
fn outcome(output: Output) -> Outcome {
    let (base, rtc, signal) = match output.status {
        ExitStatus::Code(0) => (Outcome::changed(), 0, None),
        ExitStatus::Code(code) => (Outcome::failed(format!("exit code {code}")), code, None),
        ExitStatus::Signal(name) => {
            let rtc = 128 + signal_number(&name);
            (Outcome::failed(format!("ended by signal {name}")), rtc, Some(name))
        }
    };
    let mut outcome = base.with("rtc", rtc);
    if let Some(name) = signal {
        outcome = outcome.with("signal", name);
    }
    outcome = with_text(outcome, "stdout", output.stdout);
    outcome = with_text(outcome, "stderr", output.stderr);
    if output.dropped > 0 {
        outcome = outcome.with("dropped", output.dropped);
    }
    outcome
}

/// Text under `key`; bytes that are no UTF-8 are replaced there, and kept in base64 beside it.
fn with_text(outcome: Outcome, key: &str, bytes: Vec<u8>) -> Outcome {
    match String::from_utf8(bytes) {
        Ok(text) => outcome.with(key, text),
        Err(error) => {
            let bytes = error.as_bytes();
            let encoded = base64(bytes);
            outcome.with(key, String::from_utf8_lossy(bytes).into_owned()).with(format!("{key}_b64"), encoded)
        }
    }
}

/// The standard alphabet with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| (group << 8) | u32::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let index = (group >> (18 - 6 * position)) & 63;
            let symbol = ALPHABET.get(index as usize).copied().unwrap_or(b'=');
            text.push(if position <= chunk.len() { char::from(symbol) } else { '=' });
        }
    }
    text
}

/// Linux's number of a signal; 0 for a name it does not have, so that the code still tells of a signal.
fn signal_number(name: &str) -> i32 {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
        "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
        "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];
    NAMES.iter().zip(1..).find(|(known, _)| **known == name).map_or(0, |(_, number)| number)
}

#[cfg(test)]
mod tests {
    use exed_sdk::testing::{Reply, ScriptedHost, Transcript};
    use exed_sdk::{Outcome, Repeat, RunError, State, Step, StepError, json};

    use super::base64;
    use crate::RemoteShell;

    fn execute(command: &str, reply: Reply) -> Transcript {
        let transcript = ScriptedHost::new("web1")
            .on(Step::shell(command), reply)
            .run::<RemoteShell>("execute", json!({ "command": command }));
        transcript.assert_complete();
        transcript
    }

    #[test]
    fn success_is_a_change_with_its_output() {
        let transcript = execute("echo hi", Reply::exit(0, "hi\n", "warned"));
        let expected = Outcome::changed().with("rtc", 0).with("stdout", "hi\n").with("stderr", "warned");
        assert_eq!(transcript.result().outcome, expected);
        let step = &transcript.sent[0].step;
        assert!(step.live);
        assert_eq!(step.repeat, Repeat::Once("command".to_owned()));
    }

    #[test]
    fn codes_and_signals_are_failures_told_apart() {
        let failed = execute("false", Reply::exit(3, "", "no")).result().outcome.clone();
        assert_eq!((failed.state, &failed.data["rtc"]), (State::Failed, &json!(3)));
        assert_eq!(failed.data.get("signal"), None);
        let killed = execute("kill -9 $$", Reply::signal("KILL")).result().outcome.clone();
        assert_eq!((&killed.data["rtc"], &killed.data["signal"]), (&json!(137), &json!("KILL")));
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_beside_it() {
        let outcome = execute("x", Reply::stdout(b"a\xff")).result().outcome.clone();
        assert_eq!(
            (&outcome.data["stdout"], &outcome.data["stdout_b64"]),
            (&json!("a\u{fffd}"), &json!("Yf8="))
        );
        assert_eq!(outcome.data.get("stderr_b64"), None);
    }

    #[test]
    fn base64_pads() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn an_unknown_fate_is_not_a_failure() {
        let transcript = execute("reboot", Reply::error(StepError::Unknown("connection lost".to_owned())));
        assert_eq!(transcript.outcome, Err(RunError::Unknown("connection lost".to_owned())));
        assert!(transcript.results.is_empty());
    }

    #[test]
    fn refuses_commands_that_cannot_run() {
        for args in [json!({}), json!({"command": " "}), json!({"command": "a\u{0}b"}), json!({"command": 1})]
        {
            let transcript = ScriptedHost::new("web1").run::<RemoteShell>("execute", args.clone());
            let Err(RunError::Failed(message)) = &transcript.outcome else { panic!("{args} was accepted") };
            assert!(message.starts_with("command: "), "{message}");
            assert!(transcript.sent.is_empty());
        }
    }
}

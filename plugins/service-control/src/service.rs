//! `service`: looks first, acts only where something has to change, and believes only what it sees after.

use exed_sdk::{Failure, FieldError, Host, Operation, Outcome, Step, Value, json};

use crate::{name, verdict};

/// The state that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Wanted {
    /// It runs.
    Started,
    /// It does not run.
    Stopped,
    /// It runs, and was started now.
    Restarted,
    /// It runs, and has read its configuration again.
    Reloaded,
}

impl Wanted {
    /// The word that the arguments and the script use.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Restarted => "restarted",
            Self::Reloaded => "reloaded",
        }
    }
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    name: String,
    state: Wanted,
}

pub(crate) struct Service;

impl Operation for Service {
    const NAME: &'static str = "service";
    const SUMMARY: &'static str = "Starts, stops, restarts or reloads a service";
    type Args = Args;

    fn args_schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "name": { "type": "string", "pattern": "^[A-Za-z0-9_][-A-Za-z0-9_.@:+]*$", "maxLength": 255 },
                "state": { "enum": ["started", "stopped", "restarted", "reloaded"] },
            },
            "required": ["name", "state"],
            "additionalProperties": false,
        })
    }

    fn check(args: &Args) -> Result<(), FieldError> {
        name::problem(&args.name).map_or(Ok(()), |problem| Err(FieldError::new("name", problem)))
    }

    fn run(host: &Host, args: Args) -> Result<Outcome, Failure> {
        let Args { name, state } = args;
        let step = Step::script("service").arg(name.as_str()).arg(state.word());
        let output = host.run(step.once("service"))?;
        let outcome = verdict::of(&name, state, &output);
        Ok(outcome.with("name", name).with("state", state.word()))
    }
}

#[cfg(test)]
mod tests {
    use exed_sdk::testing::{Reply, ScriptedHost};
    use exed_sdk::{Outcome, Repeat, RunError, State, Step, json};

    use crate::ServiceControl;

    fn outcome(state: &str, found: &str) -> Outcome {
        let step = Step::script("service").arg("nginx").arg(state);
        let transcript = ScriptedHost::new("web1")
            .on(step, Reply::stdout(found))
            .run::<ServiceControl>("service", json!({"name": "nginx", "state": state}));
        transcript.assert_complete();
        assert_eq!(transcript.sent[0].step.repeat, Repeat::Once("service".to_owned()));
        transcript.result().outcome.clone()
    }

    #[test]
    fn what_is_there_is_ok() {
        let running = outcome("started", "\n@@exed manager=systemd load=loaded before=yes\n");
        assert_eq!((running.state, &running.data["manager"]), (State::Ok, &json!("systemd")));
        assert_eq!(outcome("stopped", "\n@@exed manager=sysvinit load=loaded before=no\n").state, State::Ok);
    }

    #[test]
    fn what_was_done_is_a_change() {
        let done = "\n@@exed manager=sysvinit load=loaded before=yes code=0 after=yes\n";
        for state in ["restarted", "reloaded", "started"] {
            assert_eq!(outcome(state, done).state, State::Changed, "{state}");
        }
        let stopped = "Stopping nginx.\n\n@@exed manager=sysvinit load=loaded before=yes code=0 after=no\n";
        let outcome = outcome("stopped", stopped);
        assert_eq!((outcome.state, &outcome.data["output"]), (State::Changed, &json!("Stopping nginx.")));
    }

    #[test]
    fn only_what_was_seen_is_believed() {
        for (state, found, message) in [
            ("started", "code=0 after=no", "`nginx` was started, but does not run"),
            ("restarted", "code=0 after=changing", "`nginx` was restarted, but does not run"),
            ("stopped", "code=0 after=yes", "`nginx` still runs after it was stopped"),
            ("restarted", "code=1 after=no", "`nginx` could not be restarted: exit code 1"),
        ] {
            let text = format!("words\n\n@@exed manager=systemd load=loaded before=yes {found}\n");
            let outcome = outcome(state, &text);
            assert_eq!(outcome.message.as_deref(), Some(message));
            assert_eq!((outcome.state, &outcome.data["output"]), (State::Failed, &json!("words")));
        }
        assert_eq!(outcome("started", "cut off").state, State::Failed);
    }

    #[test]
    fn says_why_a_service_cannot_be_managed() {
        for (found, message) in [
            ("manager=systemd load=not-found", "no service is named `nginx`"),
            ("manager=systemd load=masked", "the service `nginx` is masked"),
            ("manager=systemd load=error", "the service `nginx` cannot be loaded: error"),
            ("manager=none", "the host has neither systemd as its first process nor /etc/init.d"),
            ("manager=systemd load=loaded before=no", "`nginx` does not run, so that it cannot be reloaded"),
        ] {
            let outcome = outcome("reloaded", &format!("\n@@exed {found}\n"));
            assert_eq!((outcome.state, outcome.message.as_deref()), (State::Failed, Some(message)));
        }
    }

    #[test]
    fn refuses_bad_arguments_before_any_step() {
        for (args, field) in [
            (json!({"name": "../x", "state": "started"}), "name: "),
            (json!({"name": "-x", "state": "started"}), "name: "),
            (json!({"name": "nginx", "state": "graceful"}), "state: "),
            (json!({"name": "nginx"}), "state: "),
            (json!({"state": "started"}), "name: "),
            (json!({"name": "nginx", "state": "started", "force": 1}), "force: "),
        ] {
            let transcript = ScriptedHost::new("web1").run::<ServiceControl>("service", args.clone());
            let Err(RunError::Failed(message)) = &transcript.outcome else { panic!("{args} was accepted") };
            assert!(message.starts_with(field), "{args}: {message}");
            assert!(transcript.sent.is_empty());
        }
    }
}

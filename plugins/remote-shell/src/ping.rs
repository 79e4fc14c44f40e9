//! `ping`: runs the lightest possible command on the host, so that an answer means that commands run.

use exed_sdk::{Failure, Host, NoArgs, Operation, Outcome, Step};

pub(crate) struct Ping;

impl Operation for Ping {
    const NAME: &'static str = "ping";
    const SUMMARY: &'static str = "Runs `true` on the host";
    type Args = NoArgs;

    fn run(host: &Host, _args: NoArgs) -> Result<Outcome, Failure> {
        let output = host.run(Step::argv(["true"]).output_limit(4096))?;
        if output.success() {
            return Ok(Outcome::ok());
        }
        let stderr = output.stderr_text();
        Ok(Outcome::failed(format!("`true` ended with {}: {}", output.status, stderr.trim())))
    }
}

#[cfg(test)]
mod tests {
    use exed_sdk::testing::{Reply, ScriptedHost};
    use exed_sdk::{Outcome, State, Step, StepError, json};

    use crate::RemoteShell;

    fn ping(reply: Reply) -> Outcome {
        let transcript =
            ScriptedHost::new("web1").on(Step::argv(["true"]), reply).run::<RemoteShell>("ping", json!({}));
        transcript.assert_complete();
        transcript.result().outcome.clone()
    }

    #[test]
    fn tells_whether_the_command_ran() {
        assert_eq!(ping(Reply::ok()), Outcome::ok());
        assert_eq!(ping(Reply::exit(127, "", "sh: true: not found")).state, State::Failed);
        let gone = ping(Reply::error(StepError::Unreachable("connection refused".to_owned())));
        assert_eq!((gone.state, gone.message.as_deref()), (State::Unreachable, Some("connection refused")));
        let denied = ping(Reply::error(StepError::Denied("not on the list".to_owned())));
        assert_eq!((denied.state, denied.message.as_deref()), (State::Failed, Some("not on the list")));
    }

    #[test]
    fn takes_no_arguments() {
        let transcript = ScriptedHost::new("web1").run::<RemoteShell>("ping", json!({"deep": true}));
        assert!(transcript.outcome.is_err());
        assert!(transcript.sent.is_empty());
    }
}

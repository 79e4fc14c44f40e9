//! What can be said to `exectl`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Runs operations on a fleet through an exed server.
///
/// PATTERN is a host, a group, a glob (`web*`) or a combination (`web:&prod:!web3`). Exit code: 0 when
/// everything was done, 1 when a job did not succeed on every host, 2 when it could not be asked.
#[derive(Debug, Parser)]
#[command(name = "exectl", version)]
pub(super) struct Arguments {
    /// The server.
    #[arg(
        long,
        global = true,
        env = "EXED_SERVER",
        default_value = "http://127.0.0.1:16808",
        value_name = "URL"
    )]
    pub(super) server: String,
    /// Print JSON: one value, or one event per line while following.
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List hosts.
    Hosts {
        /// Which; all of them if absent.
        pattern: Option<String>,
    },
    /// Run a shell command on hosts, with live output.
    Run {
        pattern: String,
        #[command(flatten)]
        options: JobArguments,
        /// The command; put `--` before it.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Run a command that does nothing on hosts, to see that they answer.
    Ping {
        pattern: String,
        #[command(flatten)]
        options: JobArguments,
    },
    /// Gather facts of hosts.
    Facts {
        pattern: String,
        #[command(flatten)]
        options: JobArguments,
    },
    /// Bring a service into a state.
    Service {
        pattern: String,
        name: String,
        state: ServiceState,
        #[command(flatten)]
        options: JobArguments,
    },
    /// Run any operation on hosts: what `exectl operations` lists, a third-party plugin's too.
    Submit {
        operation: String,
        pattern: String,
        /// Its arguments, a JSON object.
        #[arg(long, value_name = "JSON", default_value = "{}", value_parser = object)]
        args: serde_json::Value,
        #[command(flatten)]
        options: JobArguments,
    },
    /// List jobs, newest first.
    Jobs {
        /// Only these states, separated by commas: queued, running, canceling, done, failed, canceled.
        #[arg(long)]
        state: Option<String>,
        /// Only this operation.
        #[arg(long)]
        operation: Option<String>,
        /// At most this many, up to 1000.
        #[arg(long, default_value_t = 20)]
        limit: usize,
        /// Go on after this page: what the page before named.
        #[arg(long)]
        after: Option<String>,
    },
    /// Show a job with its results.
    Job {
        /// The id or the number.
        id: String,
    },
    /// Follow a job from its beginning to its end.
    Follow {
        /// The id or the number.
        id: String,
    },
    /// Stop a job.
    Cancel {
        /// The id or the number.
        id: String,
    },
    /// Remove a job that has ended.
    Delete {
        /// The id or the number.
        id: String,
    },
    /// List plugins, or change them.
    Plugins {
        #[command(subcommand)]
        change: Option<PluginCommand>,
    },
    /// List the operations that the loaded plugins offer.
    Operations,
    /// Print the completion script of a shell.
    Completion { shell: Shell },
}

#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Install a component, or a newer version of one.
    Install { file: PathBuf },
    /// Make the version before the active one active again.
    Rollback { name: String },
    /// Remove a plugin's file; one that the server carries becomes active again.
    Remove { name: String },
}

/// Options of every job.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct JobArguments {
    /// Submit and print the job's id, without following it.
    #[arg(long)]
    pub(super) detach: bool,
    /// Wall time for the whole job, in seconds.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) timeout: Option<u64>,
    /// How many hosts at once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) hosts_at_once: Option<u32>,
    /// Wait for hosts that another job holds, instead of being refused.
    #[arg(long)]
    pub(super) queue: bool,
    /// Which plugin is to do it: `name` or `name@requirement`.
    #[arg(long)]
    pub(super) plugin: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ServiceState {
    Started,
    Stopped,
    Restarted,
    Reloaded,
}

impl ServiceState {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Restarted => "restarted",
            Self::Reloaded => "reloaded",
        }
    }
}

/// A JSON object.
fn object(text: &str) -> Result<serde_json::Value, String> {
    match serde_json::from_str(text) {
        Ok(value @ serde_json::Value::Object(_)) => Ok(value),
        Ok(_other) => Err("must be a JSON object, such as {\"name\": \"nginx\"}".to_owned()),
        Err(error) => Err(format!("must be a JSON object, such as {{\"name\": \"nginx\"}}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_grammar_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_command_is_what_follows_the_dashes() {
        let arguments = parse("exectl --json run web* --timeout 5 -- ls -l /").unwrap();
        assert!(arguments.json);
        let Command::Run { pattern, options, command } = arguments.command else { panic!("not run") };
        assert_eq!((pattern.as_str(), options.timeout), ("web*", Some(5)));
        assert_eq!(command, ["ls", "-l", "/"]);
    }

    #[test]
    fn arguments_of_any_operation_are_an_object() {
        let line = ["exectl", "submit", "disk-usage", "web", "--args", r#"{"fail_at": 90}"#];
        let Command::Submit { args, .. } = Arguments::try_parse_from(line).unwrap().command else {
            panic!("not submit")
        };
        assert_eq!(args, serde_json::json!({"fail_at": 90}));
        let error = parse("exectl submit disk-usage web --args [1]").unwrap_err().to_string();
        assert!(error.contains("must be a JSON object"), "{error}");
        assert!(parse("exectl submit disk-usage web --args {").is_err());
    }

    #[test]
    fn global_options_stand_anywhere_and_bad_values_are_refused() {
        assert_eq!(parse("exectl jobs --server http://x:1").unwrap().server, "http://x:1");
        assert!(parse("exectl service web nginx up").is_err());
        assert!(parse("exectl ping web --timeout 0").is_err());
        assert!(parse("exectl run web").is_err());
        assert!(parse("exectl plugins install").is_err());
        assert!(parse("exectl plugins").is_ok());
    }
}

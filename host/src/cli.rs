//! The command line. Only what works is here.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};

/// Runs operations on a fleet of hosts: the exed server.
#[derive(Debug, Parser)]
#[command(name = "exed", version, disable_version_flag = true)]
pub(crate) struct Cli {
    /// Configuration: TOML (`*.toml`), or the INI file of an EXEd installation (any other name).
    /// Without it exe.conf, exed.conf and exed.toml are looked for in the working directory; without any of
    /// them the server runs with its defaults.
    #[arg(short = 'c', long = "conf", visible_alias = "exe-conf", value_name = "FILE", global = true)]
    pub(crate) conf: Option<PathBuf>,

    /// Run in the background; returns when the server answers, or fails with what went wrong.
    #[arg(short = 'd', long = "daemon", global = true)]
    pub(crate) daemon: bool,

    /// Set by `--daemon` for the process that stays.
    #[arg(long = "daemon-child", hide = true, global = true)]
    pub(crate) daemon_child: bool,

    /// Print the version.
    #[arg(short = 'v', long = "version", action = ArgAction::Version)]
    version: Option<bool>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Command {
    /// Run the server; this is what happens without a command, too.
    Serve,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_command_line_of_exed_works() {
        for line in [
            "exed -c etc/exe.conf -d",
            "exed --exe-conf etc/exe.conf --daemon",
            "exed serve -d -c etc/exe.conf",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.conf, Some(PathBuf::from("etc/exe.conf")), "{line}");
            assert!(cli.daemon && !cli.daemon_child, "{line}");
        }
    }

    #[test]
    fn help_and_version_have_the_short_letters_of_exed() {
        for (flag, kind) in
            [("-h", clap::error::ErrorKind::DisplayHelp), ("-v", clap::error::ErrorKind::DisplayVersion)]
        {
            assert_eq!(Cli::try_parse_from(["exed", flag]).unwrap_err().kind(), kind);
        }
    }

    #[test]
    fn help_names_no_internals() {
        assert!(!Cli::command().render_long_help().to_string().contains("daemon-child"));
    }
}

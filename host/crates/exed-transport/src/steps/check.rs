//! What a step must look like before anything is sent.

use exed_domain::step::{Action, Become, Probe, Step, StepError};

/// The kernel's limit for one argument is 128 KiB; some room is left for quoting inside the wrapper.
const ARGUMENT_LIMIT: usize = 120 * 1024;

/// Refuses what no host could carry out as it was meant.
pub(crate) fn check(step: &Step) -> Result<(), StepError> {
    action(&step.action)?;
    for (name, value) in &step.env {
        env_name(name)?;
        no_nul("an environment value", value)?;
    }
    if let Some(cwd) = &step.cwd {
        path("cwd", cwd)?;
    }
    user(&step.user)
}

/// Refuses relative paths and NUL bytes.
pub(crate) fn path(field: &str, path: &str) -> Result<(), StepError> {
    no_nul(field, path)?;
    if path.starts_with('/') {
        return Ok(());
    }
    Err(invalid(format!("{field} {path:?} is not an absolute path; it must start with /")))
}

/// Refuses names that an account cannot have and an option could be mistaken for.
pub(crate) fn user(user: &Become) -> Result<(), StepError> {
    let Become::User(name) = user else { return Ok(()) };
    user_name(name)
}

/// See [`user`].
pub(crate) fn user_name(name: &str) -> Result<(), StepError> {
    let plain = |c: char| c.is_alphanumeric() || "_.@-$\\".contains(c);
    if name.is_empty() || name.starts_with('-') || !name.chars().all(plain) {
        return Err(invalid(format!("{name:?} is not a user name")));
    }
    Ok(())
}

/// Refuses permission bits beyond `0o7777`.
pub(crate) fn mode(mode: u32) -> Result<(), StepError> {
    if mode <= 0o7777 {
        return Ok(());
    }
    Err(invalid(format!("mode {mode:o} has bits beyond 7777")))
}

fn action(action: &Action) -> Result<(), StepError> {
    match action {
        Action::Argv(argv) => {
            if argv.first().is_none_or(String::is_empty) {
                return Err(invalid("argv names no program".to_owned()));
            }
            argv.iter().try_for_each(|argument| self::argument("argv", argument))
        }
        Action::Shell(text) => argument("the shell text", text),
        Action::Script(call) => {
            argument("the script's text", &call.text)?;
            call.args.iter().try_for_each(|text| argument("an argument of the script", text))
        }
        Action::PutFile(file) => {
            path("path", &file.path)?;
            mode(file.mode)
        }
        Action::Probe(probe) => self::probe(probe),
    }
}

fn probe(probe: &Probe) -> Result<(), StepError> {
    match probe {
        Probe::Stat { path: text, .. }
        | Probe::Checksum { path: text }
        | Probe::Read { path: text, .. }
        | Probe::List { path: text } => path("path", text),
        Probe::Which { program } => {
            no_nul("program", program)?;
            if program.is_empty() || program.contains('/') {
                return Err(invalid(format!("program {program:?} must be a name without a slash")));
            }
            Ok(())
        }
        Probe::Lookup { database, key } => {
            no_nul("key", key)?;
            if !["passwd", "group", "hosts", "services"].contains(&database.as_str()) {
                return Err(invalid(format!(
                    "database {database:?} is not one of passwd, group, hosts, services"
                )));
            }
            if key.is_empty() || key.starts_with('-') {
                return Err(invalid(format!("{key:?} is not a key")));
            }
            Ok(())
        }
    }
}

fn argument(field: &str, text: &str) -> Result<(), StepError> {
    no_nul(field, text)?;
    if text.len() <= ARGUMENT_LIMIT {
        return Ok(());
    }
    Err(invalid(format!(
        "{field} is {} bytes long and hosts accept {ARGUMENT_LIMIT} in one argument; send it as standard \
         input or as a file",
        text.len()
    )))
}

fn env_name(name: &str) -> Result<(), StepError> {
    let head = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if head && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(());
    }
    Err(invalid(format!(
        "{name:?} is not the name of an environment variable; letters, digits and _ are accepted"
    )))
}

fn no_nul(field: &str, text: &str) -> Result<(), StepError> {
    if text.contains('\0') {
        return Err(invalid(format!("{field} contains a NUL byte, which no argument can carry")));
    }
    Ok(())
}

fn invalid(text: String) -> StepError {
    StepError::Invalid(text)
}

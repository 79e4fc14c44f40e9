//! Becoming another user: Ansible's `become` variables.

use exed_domain::Host;
use exed_domain::step::{Become, StepError};

use super::quote::{word, words};
use super::{check, id};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Sudo,
    Su,
    Doas,
}

/// How a command becomes another user's. It has no `Debug`: it holds a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Escalation {
    method: Method,
    user: String,
    program: String,
    flags: Vec<String>,
    password: Option<String>,
}

/// The conversation that a password needs before the command can be sent.
pub(crate) struct Login {
    /// What the asking program writes to standard error.
    pub(crate) prompt: String,
    /// What the shell of the other user writes there once it runs.
    pub(crate) ready: String,
    /// The answer, without a newline.
    pub(crate) password: String,
    /// `sudo to root`, for messages.
    pub(crate) name: String,
}

impl Escalation {
    /// What the host's variables and the step ask for; none for the connection's own user.
    pub(crate) fn of(host: &Host, wish: &Become) -> Result<Option<Self>, StepError> {
        let user = match wish {
            Become::Never => return Ok(None),
            Become::User(user) => user.clone(),
            Become::Inherit => {
                if !host.var_bool("ansible_become").unwrap_or(false) {
                    return Ok(None);
                }
                host.var_text("ansible_become_user").unwrap_or_else(|| "root".to_owned())
            }
        };
        check::user_name(&user)?;
        let method = method(host)?;
        let password = host
            .var_text("ansible_become_password")
            .or_else(|| host.var_text("ansible_become_pass"))
            .filter(|password| !password.is_empty());
        if password.as_ref().is_some_and(|text| text.contains(['\n', '\0'])) {
            return Err(StepError::Invalid("ansible_become_password has a line break or NUL".to_owned()));
        }
        if method == Method::Doas && password.is_some() {
            return Err(StepError::Invalid(
                "ansible_become_password is set, but doas reads passwords from a terminal only; allow the \
                 user with `permit nopass` in doas.conf, or use sudo"
                    .to_owned(),
            ));
        }
        let flags = host.var_text("ansible_become_flags").unwrap_or_default();
        let program = host.var_text("ansible_become_exe").unwrap_or_else(|| method.word().to_owned());
        let flags = flags.split_ascii_whitespace().map(str::to_owned).collect();
        Ok(Some(Self { method, user, program, flags, password }))
    }

    /// Whether a password has to be given.
    pub(crate) fn asks(&self) -> bool {
        self.password.is_some()
    }

    /// Whether the other user is root.
    pub(crate) fn is_root(&self) -> bool {
        self.user == "root"
    }

    /// `sudo to root`.
    pub(crate) fn name(&self) -> String {
        format!("{} to {}", self.method.word(), self.user)
    }

    /// What the program puts before its own complaints.
    pub(crate) fn complaint(&self) -> String {
        format!("{}:", self.program.rsplit('/').next().unwrap_or_default())
    }

    /// The words that run the `sh` text `inner` as the other user, without asking.
    pub(crate) fn line(&self, inner: &str) -> String {
        self.render(inner, (self.method == Method::Sudo).then_some("-n"), None)
    }

    /// The words that ask for the password and then run the `sh` text `inner`, whose standard input is
    /// what follows the password.
    pub(crate) fn asking_line(&self, inner: &str) -> Option<(String, Login)> {
        let password = self.password.clone()?;
        let nonce = id::nonce();
        let nonce = nonce.trim_start_matches('\u{1e}');
        let (asked, ready) = (format!("[exed {nonce}]"), format!("ready {nonce}"));
        let line = self.render(&format!("echo {} >&2; {inner}", word(&ready)), Some("-S"), Some(&asked));
        let prompt = match self.method {
            Method::Sudo => asked,
            Method::Su | Method::Doas => "assword:".to_owned(),
        };
        Some((line, Login { prompt, ready: format!("{ready}\n"), password, name: self.name() }))
    }

    fn render(&self, inner: &str, mode: Option<&str>, prompt: Option<&str>) -> String {
        let mut parts = vec![self.program.as_str()];
        match self.method {
            Method::Sudo => {
                parts.extend(["-H"].into_iter().chain(mode));
                if let Some(prompt) = prompt {
                    parts.extend(["-p", prompt]);
                }
                parts.extend(self.flags.iter().map(String::as_str));
                parts.extend(["-u", &self.user, "--", "/bin/sh", "-c", inner]);
                words(parts)
            }
            Method::Su => {
                parts.extend(self.flags.iter().map(String::as_str));
                parts.extend(["-s", "/bin/sh", "-c", inner, &self.user]);
                format!("env LC_ALL=C {}", words(parts))
            }
            Method::Doas => {
                parts.push("-n");
                parts.extend(self.flags.iter().map(String::as_str));
                parts.extend(["-u", &self.user, "/bin/sh", "-c", inner]);
                words(parts)
            }
        }
    }
}

impl Method {
    fn word(self) -> &'static str {
        match self {
            Self::Sudo => "sudo",
            Self::Su => "su",
            Self::Doas => "doas",
        }
    }
}

fn method(host: &Host) -> Result<Method, StepError> {
    match host.var_text("ansible_become_method").as_deref() {
        None | Some("sudo" | "ansible.builtin.sudo") => Ok(Method::Sudo),
        Some("su" | "ansible.builtin.su" | "community.general.su") => Ok(Method::Su),
        Some("doas" | "community.general.doas") => Ok(Method::Doas),
        Some(other) => Err(StepError::Invalid(format!(
            "ansible_become_method {other:?} is not supported; sudo, su and doas are"
        ))),
    }
}

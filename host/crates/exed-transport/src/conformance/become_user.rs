//! Steps as another user. The machine's sudo is used with a policy of its own for an account of its own;
//! both are removed afterwards.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use exed_domain::ports::StepTransport as _;
use exed_domain::step::{Become, ExitStatus, Step, StepError};
use serde_json::Value;

use super::fixture::{Fixture, eventually, once, runs, script, shell};

const PASSWORD: &str = "a 'pass' \\ word";

/// An account that may use sudo, with and without a password, from a terminal of sudo's own.
struct Account {
    name: String,
    policy: PathBuf,
}

impl Account {
    fn new(suffix: &str) -> Self {
        assert!(std::path::Path::new("/usr/bin/sudo").exists(), "sudo is missing: apt-get install sudo");
        let name = format!("exedt{suffix}{}", std::process::id());
        let account = Self { policy: PathBuf::from(format!("/etc/sudoers.d/{name}")), name };
        account.command("useradd", &["--create-home", "--shell", "/bin/sh", &account.name]);
        account.command(
            "sh",
            &["-c", "printf '%s:%s\\n' \"$1\" \"$2\" | chpasswd", "sh", &account.name, PASSWORD],
        );
        account.allow("NOPASSWD:");
        account
    }

    fn allow(&self, tag: &str) {
        let name = &self.name;
        let text = format!(
            "Defaults:{name} use_pty\nDefaults:{name} timestamp_timeout=0,!fqdn\n{name} ALL=(ALL) {tag} ALL\n"
        );
        std::fs::write(&self.policy, text).expect("root may write the policy");
        self.command("chmod", &["440", self.policy.to_str().expect("a plain path")]);
    }

    fn command(&self, program: &str, words: &[&str]) {
        let output = Command::new(program).args(words).output().expect(program);
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.policy);
        let _ = Command::new("userdel").args(["--remove", "--force", &self.name]).output();
    }
}

fn set(fixture: &mut Fixture, name: &str, value: &str) {
    fixture.host.vars.insert(name.to_owned(), Value::from(value));
}

/// The connection's user is root in this suite, so the unprivileged account is reached by `su` first: its
/// sudo is used by steps, and by a transport whose program is the chain of both.
pub(super) async fn sudo_runs_ends_and_asks(fixture: &Fixture) {
    let kind = if fixture.sshd.is_some() { "s" } else { "l" };
    let account = Account::new(kind);
    let mut fixture = fixture.copy();
    let chain = fixture.path("sudo");
    let text = format!(
        "#!/bin/sh\nexec setpriv --reuid={0} --regid={0} --init-groups env HOME=/home/{0} sudo \"$@\"\n",
        account.name
    );
    std::fs::write(&chain, text).expect("a file");
    account.command("chmod", &["755", &chain]);
    account.command("chmod", &["755", &fixture.path("")]);
    set(&mut fixture, "ansible_become", "yes");
    set(&mut fixture, "ansible_become_exe", &chain);

    works(&fixture).await;
    ends(&fixture).await;
    let own = Step { user: Become::User(account.name.clone()), ..shell("own", "id -un; echo $HOME") };
    let output = fixture.run(&fixture.key(), own.clone()).await.expect("it runs");
    assert_eq!(output.stdout, format!("{0}\n/home/{0}\n", account.name));
    let output = fixture.run(&fixture.key(), once(own)).await.expect("it runs");
    assert_eq!(output.stdout, format!("{0}\n/home/{0}\n", account.name));

    account.allow("");
    for step in [script("l", "id -u", &[]), shell("r", "id -u"), once(shell("o", "id -u"))] {
        let error = fixture.run(&fixture.key(), step).await.expect_err("a password is required");
        assert!(matches!(error, StepError::Failed(_)), "{error}");
        assert!(error.to_string().contains("password is required"), "{error}");
    }
    set(&mut fixture, "ansible_become_password", "wrong");
    let error = fixture.run(&fixture.key(), shell("w", "id -u")).await.expect_err("it is wrong");
    assert!(error.to_string().contains("the password was refused"), "{error}");
    set(&mut fixture, "ansible_become_password", PASSWORD);
    works(&fixture).await;
    ends(&fixture).await;
    set(&mut fixture, "ansible_become_method", "runas");
    let error = fixture.run(&fixture.key(), shell("m", "id")).await.expect_err("no such method");
    assert!(error.to_string().contains("sudo, su and doas"), "{error}");
}

async fn works(fixture: &Fixture) {
    let text = "id -u; printf '\\000\\377'; cat; exit 4";
    for step in [script("l", text, &[]), shell("r", text), once(shell("o", text))] {
        let step = Step { stdin: "in\0put".into(), ..step };
        let output = fixture.run(&fixture.key(), step).await.expect("it runs");
        assert_eq!((&output.stdout[..], &output.status), (&b"0\n\0\xffin\0put"[..], &ExitStatus::Code(4)));
    }
}

async fn ends(fixture: &Fixture) {
    for step in [
        script("l", "sleep 4751.5", &[]),
        shell("r", "sleep 4751.5"),
        once(shell("o", "setsid sleep 4751.5")),
    ] {
        let key = fixture.key();
        let step = Step { timeout: Some(Duration::from_millis(1500)), ..step };
        let result = fixture.run(&key, step).await;
        assert!(
            matches!(&result, Err(StepError::TimedOut { ended, .. }) if ended.starts_with("ended ")),
            "{result:?}"
        );
        eventually("it has ended", || !runs("sleep 4751.5")).await;
        let report = fixture.transport.terminate(&fixture.host, &key).await.expect("nothing is left");
        assert_eq!(report.remaining, Vec::<String>::new());
    }
}

//! What a command on the server's own machine starts with: the same as sshd gives to a session.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Clears the environment, gives the command pipes and a session of its own, and starts it at home.
pub(super) fn prepare(command: &mut Command) {
    let root = rustix::process::geteuid().is_root();
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_dir());
    let home = home.unwrap_or_else(|| PathBuf::from(if root { "/root" } else { "/" }));
    let user = std::env::var("USER").unwrap_or_else(|_| if root { "root" } else { "" }.to_owned());
    command.env_clear().env("PATH", PATH).env("SHELL", "/bin/sh").env("HOME", &home);
    if !user.is_empty() {
        command.env("USER", &user).env("LOGNAME", &user);
    }
    if home.is_dir() {
        command.current_dir(&home);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    own_session(command);
}

#[expect(unsafe_code, reason = "a session can only be made between fork and exec")]
fn own_session(command: &mut Command) {
    // SAFETY: the closure runs in the forked child and makes one system call, which is safe to make there;
    // it allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
}

//! System packages that a command needs.

use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

use anyhow::bail;

use crate::command;

/// Makes sure that Debian packages are installed. What is missing is listed and confirmed first; `yes`, or
/// no terminal to ask on, skips the question. `purpose` completes "needed to".
///
/// # Errors
/// Where there is no apt, no root and no sudo, where the answer is no, or where apt fails: each says what
/// to do by hand.
pub(crate) fn ensure(packages: &[&str], purpose: &str, yes: bool) -> anyhow::Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|name| !installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    println!("These system packages are needed to {purpose}: {list}");
    if command::which("apt-get").is_none() {
        bail!("this machine has no apt-get; install what these Debian packages contain: {list}");
    }
    let Some(prefix) = privilege() else {
        bail!(
            "installing needs root or sudo; ask an administrator for: apt-get install --no-install-recommends {list}"
        );
    };
    if !yes && !confirmed()? {
        bail!("not installed; by hand: apt-get install --no-install-recommends {list}");
    }
    let apt = |arguments: &[&str]| {
        let mut words: Vec<&str> = prefix.to_vec();
        words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]);
        words.extend(arguments);
        let (program, rest) = words.split_first().unwrap_or((&"apt-get", &[]));
        command::run(Command::new(program).args(rest))
    };
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(&missing);
    // A fresh machine has no package lists; an outdated list fails the same way.
    if apt(&install).is_err() {
        apt(&["update"])?;
        apt(&install)?;
    }
    Ok(())
}

/// Whether dpkg says that a package is installed.
pub(crate) fn installed(package: &str) -> bool {
    command::output_of(Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status}", package]))
        .is_some_and(|status| status == "installed")
}

/// What to put before a command that needs root; none if that cannot be had.
fn privilege() -> Option<&'static [&'static str]> {
    if rustix::process::geteuid().is_root() {
        return Some(&[]);
    }
    command::which("sudo")?;
    if std::io::stdin().is_terminal() {
        return Some(&["sudo"]);
    }
    let silent = Command::new("sudo").args(["-n", "true"]).stderr(Stdio::null()).status();
    silent.is_ok_and(|status| status.success()).then_some(&["sudo", "-n"])
}

/// Asks on the terminal; without one the answer is yes.
fn confirmed() -> anyhow::Result<bool> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Ok(true);
    }
    print!("Install them now? [Y/n] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "" | "y" | "yes"))
}

//! One command on a host, as another user if need be: the plumbing under batches, transfers and the end
//! of runs.

use std::time::Duration;

use bytes::Bytes;
use exed_domain::Host;
use exed_domain::step::{ExitStatus, StepError};

use super::escalate::{Escalation, Login};
use super::quote::words;
use crate::connect::{Channel, ChannelEvent, ChannelInput, Connector};

/// How long `sudo` or `su` may take to ask for the password and to check it.
const LOGIN_LIMIT: Duration = Duration::from_secs(30);
/// How much of a command's own talk is kept for messages.
const TALK_LIMIT: usize = 16 * 1024;
/// Input is written in pieces, so that none of them is copied as a whole.
const PIECE: usize = 32 * 1024;

/// What a command that is not a step has left.
pub(crate) struct Ended {
    /// How it ended, or why the connection was lost.
    pub(crate) status: Result<ExitStatus, String>,
    /// Standard output, cut off at a limit.
    pub(crate) stdout: String,
    /// Standard error, cut off at a limit.
    pub(crate) stderr: String,
}

/// The words that run a script of ours with arguments.
pub(crate) fn script(text: &str, args: &[&str]) -> String {
    words(["exec", "sh", "-c", text, "exed"].into_iter().chain(args.iter().copied()))
}

/// Opens a channel for the `sh` text `inner` as the given user and holds the conversation it needs.
pub(crate) async fn open(
    connector: &dyn Connector,
    host: &Host,
    inner: &str,
    escalation: Option<&Escalation>,
) -> Result<Channel, StepError> {
    let (line, login) = match escalation {
        None => (inner.to_owned(), None),
        Some(as_user) => match as_user.asking_line(inner) {
            Some((line, login)) => (format!("exec {line}"), Some(login)),
            None => (format!("exec {}", as_user.line(inner)), None),
        },
    };
    let opened = connector.open(host, &line).await;
    let mut channel = opened.map_err(|error| StepError::Unreachable(error.0))?;
    if let Some(login) = &login {
        converse(&mut channel, login).await?;
    }
    Ok(channel)
}

/// Gives the password when it is asked for, and returns when the other user's shell runs.
pub(crate) async fn converse(channel: &mut Channel, login: &Login) -> Result<(), StepError> {
    let talk = tokio::time::timeout(LOGIN_LIMIT, talk(channel, login)).await;
    talk.unwrap_or_else(|_| {
        let seconds = LOGIN_LIMIT.as_secs();
        Err(StepError::Failed(format!("{} did not answer within {seconds} s", login.name)))
    })
}

async fn talk(channel: &mut Channel, login: &Login) -> Result<(), StepError> {
    let mut heard = String::new();
    let mut answered = false;
    loop {
        match channel.output.next().await {
            ChannelEvent::Stdout(data) | ChannelEvent::Stderr(data) => {
                heard.push_str(&String::from_utf8_lossy(&data));
            }
            ChannelEvent::Exited(_) => return Err(refused(login, &heard, answered)),
            ChannelEvent::Lost(lost) => return Err(StepError::Unreachable(lost.to_string())),
        }
        if heard.contains(&login.ready) {
            return Ok(());
        }
        if let Some((_, after)) = heard.split_once(&login.prompt) {
            if answered {
                return Err(refused(login, "", true));
            }
            heard = after.to_owned();
            answered = true;
            let answer = Bytes::from(format!("{}\n", login.password));
            let written = channel.input.write(answer).await;
            written.map_err(|lost| StepError::Unreachable(lost.to_string()))?;
        }
        if heard.len() > TALK_LIMIT {
            return Err(refused(login, "it says too much", answered));
        }
    }
}

fn refused(login: &Login, heard: &str, answered: bool) -> StepError {
    if answered {
        return StepError::Failed(format!(
            "{}: the password was refused; check ansible_become_password",
            login.name
        ));
    }
    StepError::Failed(format!("{}: {}", login.name, heard.trim()))
}

/// Writes everything and closes the input. A reader that has gone is not an error here: how the command
/// ended tells more.
pub(crate) async fn feed(mut input: Box<dyn ChannelInput>, mut data: Bytes) {
    while !data.is_empty() {
        let piece = data.split_to(data.len().min(PIECE));
        if input.write(piece).await.is_err() {
            return;
        }
    }
    let _ = input.finish().await;
}

/// Reads to the end, keeping a bounded part.
pub(crate) async fn collect(mut output: Box<dyn crate::connect::ChannelOutput>) -> Ended {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let status = loop {
        match output.next().await {
            ChannelEvent::Stdout(data) => keep(&mut stdout, &data),
            ChannelEvent::Stderr(data) => keep(&mut stderr, &data),
            ChannelEvent::Exited(status) => break Ok(status),
            ChannelEvent::Lost(lost) => break Err(lost.to_string()),
        }
    };
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ended { status, stdout: text(stdout), stderr: text(stderr) }
}

fn keep(kept: &mut Vec<u8>, data: &[u8]) {
    let room = (1_usize << 20).saturating_sub(kept.len());
    kept.extend(data.iter().take(room));
}

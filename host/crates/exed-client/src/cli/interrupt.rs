//! Ctrl-C while a job is followed: on a terminal the user is asked whether to cancel it, elsewhere the
//! job goes on.

use std::io::{BufRead, IsTerminal};

use exed_client::Client;

use super::output::Output;

/// What becomes of the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// It is being stopped; following goes on to its end.
    Cancel,
    /// It goes on by itself.
    Detach,
}

/// Waits for Ctrl-C.
pub(super) async fn pressed() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler Ctrl-C ends the process, as it does everywhere.
        std::future::pending::<()>().await;
    }
}

/// Asks, and does what was chosen.
pub(super) async fn decide(client: &Client, job: &str, output: &Output) -> anyhow::Result<Choice> {
    if !std::io::stdin().is_terminal() {
        return Ok(detach(job, output));
    }
    output.problem("cancel the job on every host? [y/N] (Ctrl-C again lets it go on)");
    // The thread that reads ends with the process when nothing is typed.
    let (send, answer) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        let _ = send.send(read.is_ok() && means_yes(&line));
    });
    let yes = tokio::select! {
        yes = answer => yes.unwrap_or(false),
        () = pressed() => false,
    };
    if !yes {
        return Ok(detach(job, output));
    }
    client.cancel(job).await?;
    output.problem("canceling; what runs on the hosts is being ended");
    Ok(Choice::Cancel)
}

fn detach(job: &str, output: &Output) -> Choice {
    output.problem(&format!("job {job} goes on; follow it with: exectl follow {job}"));
    Choice::Detach
}

fn means_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        assert!(means_yes("y\n") && means_yes(" YES "));
        assert!(!means_yes("\n") && !means_yes("no") && !means_yes("yep"));
    }
}

//! Commands that are shown and really run.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::screen::Screen;
use crate::command;

/// `exectl` and `curl` against the demo's server.
pub(super) struct Tools {
    pub(super) screen: Screen,
    pub(super) exectl: PathBuf,
    pub(super) url: String,
}

impl Tools {
    /// Shows and runs `exectl`; its output goes to the user directly, as it comes.
    ///
    /// # Errors
    /// When it ends otherwise than with code 0.
    pub(super) async fn exectl(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let line = line("exectl", arguments);
        self.screen.command(&line);
        let status = self.command(arguments).status().await.context("starting exectl")?;
        if !status.success() {
            bail!("`{line}` ended with {status}");
        }
        Ok(())
    }

    /// Shows and runs `exectl`, and returns what it has printed; the caller shows of it what is worth it.
    ///
    /// # Errors
    /// When it ends otherwise than with code 0.
    pub(super) async fn exectl_output(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let line = line("exectl", arguments);
        self.screen.command(&line);
        let child = self.command(arguments).stdout(Stdio::piped()).spawn().context("starting exectl")?;
        let output = child.wait_with_output().await.context("reading the output of exectl")?;
        if !output.status.success() {
            bail!("`{line}` ended with {}", output.status);
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// Shows and runs `curl` for a path, shows the answer and returns it as JSON. Without curl there is no
    /// answer.
    ///
    /// # Errors
    /// When the answer is an error, or no JSON.
    pub(super) async fn curl(&self, path: &str, options: &[&str]) -> anyhow::Result<Option<Value>> {
        Ok(self.values(path, options).await?.into_iter().next())
    }

    /// The same for a stream that the server ends: one value for each line. `curl -N` shows them as they come.
    ///
    /// # Errors
    /// As there.
    pub(super) async fn curl_lines(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        self.values(path, &["-N"]).await
    }

    async fn values(&self, path: &str, options: &[&str]) -> anyhow::Result<Vec<Value>> {
        let url = format!("{}{path}", self.url);
        let mut arguments = vec!["-sS"];
        arguments.extend(options);
        arguments.push(&url);
        let line = line("curl", &arguments);
        self.screen.command(&line);
        if command::which("curl").is_none() {
            self.screen.remark("curl is not installed: left out");
            return Ok(Vec::new());
        }
        let mut child = Command::new("curl")
            .args(["--fail-with-body", "--max-time", "120"])
            .args(&arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .process_group(0)
            .spawn()
            .context("starting curl")?;
        let output = child.stdout.take().context("curl has no output")?;
        let mut lines = BufReader::new(output).lines();
        let mut body = String::new();
        while let Some(text) = lines.next_line().await.context("reading the output of curl")? {
            self.screen.output(&text);
            body.push_str(&text);
            body.push('\n');
        }
        let status = child.wait().await.context("waiting for curl")?;
        if !status.success() {
            bail!("`{line}` ended with {status}");
        }
        let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(&body).into_iter().collect();
        let values = values.with_context(|| format!("`{line}` answered no JSON"))?;
        if values.is_empty() {
            bail!("`{line}` answered nothing");
        }
        Ok(values)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.exectl);
        command.args(arguments).env("EXED_SERVER", &self.url).stdin(Stdio::null());
        // A Ctrl-C is for the demo; what it runs is ended with it.
        command.kill_on_drop(true).process_group(0);
        command
    }
}

/// A command line as it would be typed.
pub(super) fn line(program: &str, arguments: &[&str]) -> String {
    let quoted = arguments.iter().map(|argument| quoted(argument));
    std::iter::once(program.to_owned()).chain(quoted).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=@,".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_line_can_be_typed() {
        assert_eq!(
            line("exectl", &["run", "web*", "--", "echo it's"]),
            r"exectl run 'web*' -- 'echo it'\''s'"
        );
        assert_eq!(line("curl", &["http://127.0.0.1:1/ping?a=b&c"]), "curl 'http://127.0.0.1:1/ping?a=b&c'");
        assert_eq!(quoted(""), "''");
    }
}

//! Sums up a job for people.

use exed_domain::HostName;
use exed_domain::job::state::TargetState;

/// How many failed hosts the text names.
const NAMED: usize = 3;

/// How one host has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TargetEnd {
    pub(crate) host: HostName,
    pub(crate) state: TargetState,
    pub(crate) message: Option<String>,
}

/// Why a job failed, in one line: how many hosts, and what happened on the first of them. None when all
/// hosts did what was asked.
pub(crate) fn failure(ends: &[TargetEnd]) -> Option<String> {
    if ends.is_empty() {
        return Some("no hosts match that target".to_owned());
    }
    let failed: Vec<&TargetEnd> = ends.iter().filter(|end| end.state != TargetState::Done).collect();
    if failed.is_empty() {
        return None;
    }
    let named: Vec<String> = failed.iter().take(NAMED).map(|end| describe(end)).collect();
    let more = failed.len().saturating_sub(NAMED);
    let tail = if more == 0 { String::new() } else { format!("; and {more} more") };
    Some(format!("{} of {} hosts failed: {}{tail}", failed.len(), ends.len(), named.join("; ")))
}

fn describe(end: &TargetEnd) -> String {
    match &end.message {
        Some(message) => format!("{} ({}: {message})", end.host, end.state.word()),
        None => format!("{} ({})", end.host, end.state.word()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(host: &str, state: TargetState, message: Option<&str>) -> TargetEnd {
        TargetEnd { host: HostName::from(host), state, message: message.map(str::to_owned) }
    }

    #[test]
    fn nothing_matched_is_a_failure() {
        assert_eq!(failure(&[]).as_deref(), Some("no hosts match that target"));
    }

    #[test]
    fn all_done_is_none() {
        assert_eq!(failure(&[end("a", TargetState::Done, None)]), None);
    }

    #[test]
    fn names_three_and_counts_the_rest() {
        let mut ends: Vec<_> =
            (1..=5).map(|n| end(&format!("h{n}"), TargetState::Failed, Some("rtc 1"))).collect();
        ends.push(end("ok", TargetState::Done, None));
        let text = failure(&ends).expect("some failed");
        assert_eq!(
            text,
            "5 of 6 hosts failed: h1 (failed: rtc 1); h2 (failed: rtc 1); h3 (failed: rtc 1); and 2 more"
        );
    }
}

//! The server's own read-only questions: their scripts, and the shapes of their answers.

use bytes::Bytes;
use exed_domain::step::{ExitStatus, Probe, ProbeAnswer, StepError, StepOutput};
use serde_json::{Map, Value, json};

/// The exit code with which a probe says that nothing is there.
const ABSENT: i32 = 44;

/// The script of a probe and its arguments.
pub(crate) fn script(probe: &Probe) -> (String, Vec<String>) {
    const OPEN: &str = include_str!("scripts/open.sh");
    match probe {
        Probe::Stat { path, follow } => {
            let follow = if *follow { "L" } else { "" };
            (include_str!("scripts/stat.sh").to_owned(), vec![path.clone(), follow.to_owned()])
        }
        Probe::Checksum { path } => {
            ([OPEN, include_str!("scripts/checksum.sh")].concat(), vec![path.clone()])
        }
        Probe::Read { path, limit } => {
            ([OPEN, include_str!("scripts/read.sh")].concat(), vec![path.clone(), limit.to_string()])
        }
        Probe::List { path } => (include_str!("scripts/list.sh").to_owned(), vec![path.clone()]),
        Probe::Which { program } => (include_str!("scripts/which.sh").to_owned(), vec![program.clone()]),
        Probe::Lookup { database, key } => {
            (include_str!("scripts/lookup.sh").to_owned(), vec![database.clone(), key.clone()])
        }
    }
}

/// How much of each stream an answer may take.
pub(crate) fn limit(probe: &Probe) -> u64 {
    match probe {
        Probe::Read { limit, .. } => limit.saturating_add(4096),
        Probe::List { .. } => 16 << 20,
        Probe::Stat { .. } | Probe::Checksum { .. } | Probe::Which { .. } | Probe::Lookup { .. } => 1 << 20,
    }
}

/// Turns what the script wrote into the answer.
pub(crate) fn answer(probe: &Probe, raw: &StepOutput) -> Result<StepOutput, StepError> {
    let value = match raw.status {
        ExitStatus::Code(0) => parse(probe, raw)?,
        ExitStatus::Code(ABSENT) => ProbeAnswer::Absent,
        ExitStatus::Code(_) | ExitStatus::Signal(_) => {
            let said = String::from_utf8_lossy(&raw.stderr).trim().to_owned();
            let said = if said.is_empty() { format!("the probe ended with {:?}", raw.status) } else { said };
            return Err(StepError::Failed(said));
        }
    };
    Ok(StepOutput {
        status: ExitStatus::Code(0),
        stdout: Bytes::new(),
        stderr: Bytes::new(),
        dropped: 0,
        answer: Some(value),
        resumed: raw.resumed,
    })
}

fn parse(probe: &Probe, raw: &StepOutput) -> Result<ProbeAnswer, StepError> {
    if raw.dropped > 0 {
        return Err(StepError::Failed("the answer to the probe is too long".to_owned()));
    }
    if let Probe::Read { .. } = probe {
        return Ok(ProbeAnswer::Content(raw.stdout.clone()));
    }
    if let Probe::List { .. } = probe {
        let mut names: Vec<String> = raw
            .stdout
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty())
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect();
        names.sort();
        return Ok(ProbeAnswer::Value(json!(names)));
    }
    let text = String::from_utf8_lossy(&raw.stdout);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let value = match probe {
        Probe::Stat { .. } => stat(text),
        Probe::Checksum { .. } => text.get(..64).map(|digest| json!(digest)),
        Probe::Which { .. } => Some(json!(text)),
        Probe::Lookup { database, .. } => Some(lookup(database, text)),
        Probe::Read { .. } | Probe::List { .. } => None,
    };
    value
        .map(ProbeAnswer::Value)
        .ok_or_else(|| StepError::Failed(format!("the host answered the probe with {text:?}")))
}

fn stat(text: &str) -> Option<Value> {
    let fields: Vec<&str> = text.splitn(11, '\n').collect();
    let [bits, size, mode, uid, gid, owner, group, mtime, inode, links, target @ ..] = fields.as_slice()
    else {
        return None;
    };
    let kind = match u32::from_str_radix(bits, 16).ok()? & 0o170_000 {
        0o100_000 => "file",
        0o040_000 => "directory",
        0o120_000 => "link",
        _ => "other",
    };
    let mut object = Map::new();
    object.insert("kind".to_owned(), json!(kind));
    object.insert("size".to_owned(), json!(size.parse::<u64>().ok()?));
    object.insert("mode".to_owned(), json!(format!("{mode:0>4}")));
    object.insert("uid".to_owned(), json!(uid.parse::<u64>().ok()?));
    object.insert("gid".to_owned(), json!(gid.parse::<u64>().ok()?));
    object.insert("owner".to_owned(), json!(owner));
    object.insert("group".to_owned(), json!(group));
    object.insert("mtime".to_owned(), json!(mtime.parse::<i64>().ok()?));
    object.insert("inode".to_owned(), json!(inode.parse::<u64>().ok()?));
    object.insert("links".to_owned(), json!(links.parse::<u64>().ok()?));
    if let (Some(target), "link") = (target.first(), kind) {
        object.insert("target".to_owned(), json!(target));
    }
    Some(Value::Object(object))
}

fn lookup(database: &str, text: &str) -> Value {
    let line = text.lines().next().unwrap_or_default();
    match database {
        "passwd" | "group" => json!(line.split(':').collect::<Vec<_>>()),
        _ => json!(line.split_whitespace().collect::<Vec<_>>()),
    }
}

//! An executor in one file: how full file systems are, and a failure where one is too full.

use exed_sdk::{Entry, Executor, Failure, FieldError, Host, Operation, Outcome, Step, Value, json};

/// The plugin.
#[derive(Debug)]
pub struct DiskUsage;

impl Executor for DiskUsage {
    const OPERATIONS: &'static [Entry] = &[Entry::of::<Usage>()];
}

exed_sdk::executor!(DiskUsage, manifest = "plugin.toml", scripts = { "usage" => "scripts/usage.sh" });

/// What may be asked.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Args {
    /// Absolute paths.
    paths: Vec<String>,
    /// Fail from this percentage on.
    #[serde(default = "full")]
    fail_at: u64,
}

fn full() -> u64 {
    100
}

struct Usage;

impl Operation for Usage {
    const NAME: &'static str = "disk-usage";
    const SUMMARY: &'static str = "How full the file systems of some paths are";
    type Args = Args;

    fn args_schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "paths": { "type": "array", "items": { "type": "string", "pattern": "^/" }, "minItems": 1 },
                "fail_at": { "type": "integer", "minimum": 1, "maximum": 100 },
            },
            "required": ["paths"],
            "additionalProperties": false,
        })
    }

    fn check(args: &Args) -> Result<(), FieldError> {
        if args.paths.is_empty() || args.paths.iter().any(|path| !path.starts_with('/')) {
            return Err(FieldError::new("paths", "must be a list of absolute paths"));
        }
        if !(1..=100).contains(&args.fail_at) {
            return Err(FieldError::new("fail_at", "must be a percentage from 1 to 100"));
        }
        Ok(())
    }

    fn run(host: &Host, args: Args) -> Result<Outcome, Failure> {
        let step = args.paths.iter().fold(Step::script("usage"), |step, path| step.arg(path.as_str()));
        let output = host.run(step)?;
        let rows: Vec<Row> = output.stdout_text().lines().skip(1).filter_map(Row::parse).collect();
        let worst = rows.iter().max_by_key(|row| row.percent);
        let outcome = match worst {
            _ if !output.success() => Outcome::failed(output.stderr_text().trim().to_owned()),
            Some(row) if row.percent >= args.fail_at => {
                Outcome::failed(format!("{} is {} % full", row.mount, row.percent))
            }
            Some(_) | None => Outcome::ok(),
        };
        Ok(outcome.with("filesystems", rows.iter().map(Row::json).collect::<Vec<Value>>()))
    }
}

/// A line of `df -P -k`.
struct Row {
    mount: String,
    total_kib: u64,
    used_kib: u64,
    percent: u64,
}

impl Row {
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_device, total, used, _available, percent, mount @ ..] = words.as_slice() else { return None };
        Some(Self {
            mount: mount.join(" "),
            total_kib: total.parse().ok()?,
            used_kib: used.parse().ok()?,
            percent: percent.trim_end_matches('%').parse().ok()?,
        })
    }

    fn json(&self) -> Value {
        json!({
            "mount": self.mount,
            "total_kib": self.total_kib,
            "used_kib": self.used_kib,
            "percent": self.percent,
        })
    }
}

#[cfg(test)]
mod tests {
    use exed_sdk::testing::{Reply, ScriptedHost};
    use exed_sdk::{State, Step, json};

    use super::DiskUsage;

    const DF: &str = "Filesystem 1024-blocks Used Available Capacity Mounted on\n\
                      /dev/vda1 1000 930 70 93% /\n";

    fn run(fail_at: u64) -> State {
        let transcript = ScriptedHost::new("web1")
            .on(Step::script("usage").arg("/"), Reply::stdout(DF))
            .run::<DiskUsage>("disk-usage", json!({"paths": ["/"], "fail_at": fail_at}));
        transcript.assert_complete();
        let outcome = &transcript.result().outcome;
        assert_eq!(outcome.data["filesystems"][0]["used_kib"], 930);
        outcome.state
    }

    #[test]
    fn fails_only_where_it_is_too_full() {
        assert_eq!(run(95), State::Ok);
        assert_eq!(run(90), State::Failed);
    }
}

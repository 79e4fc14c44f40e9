//! As whom the script ran, and in which environment.

use exed_sdk::{Value, json};

use super::{Facts, Raw, set};

/// Account and environment.
pub(super) fn collect(raw: &Raw<'_>, facts: &mut Facts) {
    let ids = |key: &str| -> Option<(u64, u64)> {
        let mut numbers = raw.value("/proc/self/status", key, ':')?.split_whitespace();
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    };
    if let (Some((real_uid, uid)), Some((real_gid, gid))) = (ids("Uid"), ids("Gid")) {
        set(facts, "real_user_id", real_uid);
        set(facts, "effective_user_id", uid);
        set(facts, "real_group_id", real_gid);
        set(facts, "effective_group_id", gid);
        account(raw, facts, uid, gid);
    }
    let env = raw.env.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    set(facts, "env", Value::Object(env.collect()));
    python(raw, facts);
}

/// From `/etc/passwd`, or from the environment for accounts of a directory service.
fn account(raw: &Raw<'_>, facts: &mut Facts, uid: u64, gid: u64) {
    let uid_text = uid.to_string();
    let entry: Option<Vec<&str>> = raw.file("/etc/passwd").iter().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields.get(2) == Some(&uid_text.as_str())).then_some(fields)
    });
    let field = |index: usize| entry.as_ref().and_then(|fields| fields.get(index).copied());
    let text = |index: usize, variable: &str| field(index).or_else(|| raw.variable(variable));
    set(facts, "user_uid", uid);
    set(facts, "user_gid", field(3).and_then(|text| text.parse().ok()).unwrap_or(gid));
    set(facts, "user_id", text(0, "USER").unwrap_or_default());
    set(facts, "user_gecos", field(4).unwrap_or_default());
    set(facts, "user_dir", text(5, "HOME").unwrap_or_default());
    set(facts, "user_shell", text(6, "SHELL").unwrap_or_default());
}

fn python(raw: &Raw<'_>, facts: &mut Facts) {
    let mut lines = raw.section("python").iter();
    let (Some(executable), Some(version)) = (lines.next(), lines.next()) else { return };
    let Some(version) = version.strip_prefix("Python ").and_then(|text| text.split_whitespace().next())
    else {
        return;
    };
    let mut numbers = version.split('.').map(str::parse::<u64>);
    let (Some(Ok(major)), Some(Ok(minor)), Some(Ok(micro))) =
        (numbers.next(), numbers.next(), numbers.next())
    else {
        return;
    };
    set(facts, "python_version", version);
    set(
        facts,
        "python",
        json!({
            "executable": executable,
            "has_sslcontext": true,
            "type": "cpython",
            "version": { "major": major, "minor": minor, "micro": micro, "releaselevel": "final", "serial": 0 },
            "version_info": [major, minor, micro, "final", 0],
        }),
    );
}

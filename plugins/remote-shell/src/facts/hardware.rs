//! Processors, memory and what the firmware says of the machine.

use std::collections::BTreeSet;

use exed_sdk::{Value, json};

use super::{Facts, Raw, set};

/// Processors, memory, firmware.
pub(super) fn collect(raw: &Raw<'_>, facts: &mut Facts) {
    processors(raw, facts);
    memory(raw, facts);
    firmware(raw, facts);
}

/// As in Ansible: `processor` lists number, vendor and model of each; sockets times cores times threads
/// are the virtual ones.
fn processors(raw: &Raw<'_>, facts: &mut Facts) {
    let mut listed: Vec<Value> = Vec::new();
    let mut sockets = BTreeSet::new();
    let (mut logical, mut cores, mut siblings) = (0u64, None, None);
    for (key, value) in raw.section("cpu").iter().filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        match key.trim() {
            "processor" => {
                logical += 1;
                listed.push(value.into());
            }
            "vendor_id" | "model name" | "Processor" | "cpu" => listed.push(value.into()),
            "physical id" => {
                sockets.insert(value);
            }
            "cpu cores" => cores = value.parse::<u64>().ok(),
            "siblings" => siblings = value.parse::<u64>().ok(),
            _other => {}
        }
    }
    // Without socket numbers (ARM, some guests) each logical processor counts as a socket of one core.
    let sockets = u64::try_from(sockets.len()).unwrap_or(0);
    let count = if sockets > 0 { sockets } else { logical };
    let cores = cores.filter(|_| sockets > 0).unwrap_or(1).max(1);
    let threads = siblings.filter(|_| sockets > 0).map_or(1, |siblings| (siblings / cores).max(1));
    set(facts, "processor", listed);
    set(facts, "processor_count", count);
    set(facts, "processor_cores", cores);
    set(facts, "processor_threads_per_core", threads);
    set(facts, "processor_vcpus", count * cores * threads);
    set(facts, "processor_nproc", usable(raw).unwrap_or(logical));
}

/// How many processors a process may use, from a list like `0-3,8`.
fn usable(raw: &Raw<'_>) -> Option<u64> {
    let list = raw.value("/proc/self/status", "Cpus_allowed_list", ':')?;
    let mut count = 0;
    for range in list.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.trim().parse::<u64>().ok()?, last.trim().parse::<u64>().ok()?);
        count += last.checked_sub(first)? + 1;
    }
    Some(count)
}

/// In MiB, rounded down.
fn memory(raw: &Raw<'_>, facts: &mut Facts) {
    let kib = |key: &str| -> Option<u64> {
        raw.value("/proc/meminfo", key, ':')?.split_whitespace().next()?.parse().ok()
    };
    let Some(total) = kib("MemTotal") else { return };
    let of = |key: &str| kib(key).unwrap_or(0);
    let free = of("MemFree");
    let without_cache = free + of("Cached") + of("Buffers");
    let (swap_total, swap_free) = (of("SwapTotal"), of("SwapFree"));
    set(facts, "memtotal_mb", total / 1024);
    set(facts, "memfree_mb", free / 1024);
    set(facts, "swaptotal_mb", swap_total / 1024);
    set(facts, "swapfree_mb", swap_free / 1024);
    set(
        facts,
        "memory_mb",
        json!({
            "real": {
                "total": total / 1024,
                "free": free / 1024,
                "used": (total / 1024).saturating_sub(free / 1024),
            },
            "nocache": {
                "free": without_cache / 1024,
                "used": (total / 1024).saturating_sub(without_cache / 1024),
            },
            "swap": {
                "total": swap_total / 1024,
                "free": swap_free / 1024,
                "used": (swap_total / 1024).saturating_sub(swap_free / 1024),
                "cached": of("SwapCached") / 1024,
            },
        }),
    );
}

/// What the firmware says; `NA` where it says nothing or only root may read it, as in Ansible.
fn firmware(raw: &Raw<'_>, facts: &mut Facts) {
    const FIELDS: [(&str, &str); 17] = [
        ("system_vendor", "sys_vendor"),
        ("product_name", "product_name"),
        ("product_version", "product_version"),
        ("product_serial", "product_serial"),
        ("product_uuid", "product_uuid"),
        ("bios_vendor", "bios_vendor"),
        ("bios_version", "bios_version"),
        ("bios_date", "bios_date"),
        ("board_vendor", "board_vendor"),
        ("board_name", "board_name"),
        ("board_version", "board_version"),
        ("board_serial", "board_serial"),
        ("board_asset_tag", "board_asset_tag"),
        ("chassis_vendor", "chassis_vendor"),
        ("chassis_version", "chassis_version"),
        ("chassis_serial", "chassis_serial"),
        ("chassis_asset_tag", "chassis_asset_tag"),
    ];
    for (name, file) in FIELDS {
        let value = raw.first_line(&format!("/sys/class/dmi/id/{file}"));
        set(facts, name, value.unwrap_or("NA"));
    }
}

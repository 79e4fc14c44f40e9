//! Mounted file systems.

use std::collections::BTreeMap;

use exed_sdk::{Value, json};

use super::{Facts, Raw, set};

/// Block size, blocks, blocks available, inodes, free inodes.
type Sizes = [u64; 5];

/// File systems on devices and servers, as in Ansible, and the root file system whatever it is: in a
/// container it is an overlay, which Ansible leaves out. Sizes are in bytes, and absent for servers.
pub(super) fn collect(raw: &Raw<'_>, facts: &mut Facts) {
    let sizes: BTreeMap<&str, Sizes> = raw.section("sizes").iter().filter_map(|line| size(line)).collect();
    let mounts: Vec<Value> = raw.file("/proc/mounts").iter().filter_map(|line| mount(line, &sizes)).collect();
    set(facts, "mounts", mounts);
}

fn mount(line: &str, sizes: &BTreeMap<&str, Sizes>) -> Option<Value> {
    let mut fields = line.split_whitespace();
    let (device, point, fstype, options) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let on_device = device.starts_with('/') || device.contains(":/");
    if fstype == "none" || !(on_device || point == "/" && fstype != "rootfs") {
        return None;
    }
    let number = |field: Option<&str>| field.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let mut entry = json!({
        "mount": unescape(point),
        "device": unescape(device),
        "fstype": fstype,
        "options": options,
        "dump": number(fields.next()),
        "passno": number(fields.next()),
        "uuid": "N/A",
    });
    if let (Some(entry), Some(sizes)) = (entry.as_object_mut(), sizes.get(point)) {
        let [block_size, blocks, available, inodes, inodes_free] = *sizes;
        for (key, value) in [
            ("size_total", block_size.saturating_mul(blocks)),
            ("size_available", block_size.saturating_mul(available)),
            ("block_size", block_size),
            ("block_total", blocks),
            ("block_available", available),
            ("block_used", blocks.saturating_sub(available)),
            ("inode_total", inodes),
            ("inode_available", inodes_free),
            ("inode_used", inodes.saturating_sub(inodes_free)),
        ] {
            entry.insert(key.to_owned(), value.into());
        }
    }
    Some(entry)
}

/// A line of `stat -f`: five numbers and the mount point.
fn size(line: &str) -> Option<(&str, Sizes)> {
    let mut fields = line.splitn(6, ' ');
    let mut sizes = [0; 5];
    for size in &mut sizes {
        *size = fields.next()?.parse().ok()?;
    }
    Some((fields.next()?, sizes))
}

/// The kernel writes space, tab, newline and backslash as three octal digits.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

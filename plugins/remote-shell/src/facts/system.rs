//! Kernel, names, service and package manager, security modules, resolver, load.

use exed_sdk::{Value, json};

use super::{Facts, Raw, set};

/// Everything that is about the running system as a whole.
pub(super) fn collect(raw: &Raw<'_>, facts: &mut Facts) {
    kernel(raw, facts);
    names(raw, facts);
    set(facts, "service_mgr", service_manager(raw));
    set(facts, "pkg_mgr", package_manager(raw));
    security(raw, facts);
    set(facts, "dns", resolver(raw));
    set(facts, "machine_id", raw.first_line("/etc/machine-id").unwrap_or_default());
    set(facts, "local", json!({}));
}

fn kernel(raw: &Raw<'_>, facts: &mut Facts) {
    let file = |name: &str| raw.first_line(&format!("/proc/sys/kernel/{name}")).unwrap_or_default();
    set(facts, "system", file("ostype"));
    set(facts, "kernel", file("osrelease"));
    set(facts, "kernel_version", file("version"));
    let machine = raw.machine().unwrap_or_default();
    set(facts, "machine", machine);
    // Ansible's name for every 32-bit PC.
    set(facts, "architecture", if matches!(machine, "i486" | "i586" | "i686") { "i386" } else { machine });
    let seconds = raw.first_line("/proc/uptime").and_then(|line| line.split('.').next()?.parse::<u64>().ok());
    if let Some(seconds) = seconds {
        set(facts, "uptime_seconds", seconds);
    }
    if let Some(line) = raw.first_line("/proc/loadavg") {
        let mut averages = line.split_whitespace().map_while(|word| word.parse::<f64>().ok());
        let mut load = serde_json::Map::new();
        for span in ["1m", "5m", "15m"] {
            load.insert(span.to_owned(), averages.next().map_or(Value::Null, Value::from));
        }
        set(facts, "loadavg", Value::Object(load));
    }
    let mut words = serde_json::Map::new();
    for word in raw.first_line("/proc/cmdline").unwrap_or_default().split_whitespace() {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, Value::from(value)),
            None => (word, Value::Bool(true)),
        };
        words.insert(key.to_owned(), value);
    }
    set(facts, "proc_cmdline", Value::Object(words.clone()));
    set(facts, "cmdline", Value::Object(words));
}

/// The full name comes from the kernel or `/etc/hosts`; a name server is never asked, because one that is
/// gone would hold up every host.
fn names(raw: &Raw<'_>, facts: &mut Facts) {
    let node = raw.first_line("/proc/sys/kernel/hostname").unwrap_or_default();
    let listed = || {
        raw.file("/etc/hosts").iter().find_map(|line| {
            let line = line.split('#').next().unwrap_or_default();
            let names: Vec<&str> = line.split_whitespace().skip(1).collect();
            names.contains(&node).then(|| names.into_iter().find(|name| name.contains('.'))).flatten()
        })
    };
    let full = if node.contains('.') { node } else { listed().unwrap_or(node) };
    set(facts, "nodename", node);
    set(facts, "hostname", node.split('.').next().unwrap_or_default());
    set(facts, "fqdn", full);
    set(facts, "domain", full.split_once('.').map_or("", |(_, domain)| domain));
}

fn service_manager<'text>(raw: &Raw<'text>) -> &'text str {
    let first = raw.first_line("/proc/1/comm").unwrap_or_default();
    if raw.has("/run/systemd/system") {
        return "systemd";
    }
    match first {
        "procd" => "openwrt_init",
        "runit-init" | "runit" => "runit",
        "svscan" | "s6-svscan" => "svc",
        "openrc-init" => "openrc",
        // `init` is a name that many share, and a shell says nothing.
        "" | "init" | "sh" | "bash" | "dash" | "busybox" | "COMMAND" => {
            if raw.has("/sbin/initctl") && raw.has("/etc/init") {
                "upstart"
            } else if raw.has("/sbin/openrc") || raw.has("/usr/sbin/openrc") {
                "openrc"
            } else if raw.has("/etc/init.d") {
                "sysvinit"
            } else {
                "service"
            }
        }
        other => other,
    }
}

/// The family's own manager comes first: Debian machines may have `dnf`, and Fedora machines `apt-get`.
fn package_manager(raw: &Raw<'_>) -> &'static str {
    const MANAGERS: [(&str, &str); 15] = [
        ("/usr/bin/rpm-ostree", "atomic_container"),
        ("/usr/bin/dnf5", "dnf5"),
        ("/usr/bin/dnf", "dnf"),
        ("/usr/bin/yum", "yum"),
        ("/usr/bin/microdnf", "dnf"),
        ("/usr/bin/zypper", "zypper"),
        ("/usr/bin/pacman", "pacman"),
        ("/sbin/apk", "apk"),
        ("/usr/bin/apk", "apk"),
        ("/usr/bin/emerge", "portage"),
        ("/usr/bin/xbps-install", "xbps"),
        ("/usr/bin/opkg", "opkg"),
        ("/bin/opkg", "opkg"),
        ("/usr/bin/nix-env", "nix"),
        ("/usr/bin/swupd", "swupd"),
    ];
    let first = || MANAGERS.iter().find(|(path, _)| raw.has(path)).map(|(_, name)| *name);
    if raw.has("/usr/bin/apt-get") && raw.has("/usr/bin/dpkg") {
        return if raw.file("/etc/redhat-release").is_empty() { "apt" } else { first().unwrap_or("apt") };
    }
    first().unwrap_or("unknown")
}

fn security(raw: &Raw<'_>, facts: &mut Facts) {
    let armored = raw.has("/sys/kernel/security/apparmor");
    set(facts, "apparmor", json!({ "status": if armored { "enabled" } else { "disabled" } }));
    let Some(enforce) = raw.first_line("/sys/fs/selinux/enforce") else {
        set(facts, "selinux", json!({ "status": "disabled" }));
        return;
    };
    let configured = |key: &str| raw.value("/etc/selinux/config", key, '=').unwrap_or("unknown");
    set(
        facts,
        "selinux",
        json!({
            "status": "enabled",
            "mode": if enforce == "1" { "enforcing" } else { "permissive" },
            "config_mode": configured("SELINUX"),
            "type": configured("SELINUXTYPE"),
            "policyvers": raw.first_line("/sys/fs/selinux/policyvers")
                .and_then(|text| text.parse::<u64>().ok())
                .map_or(Value::from("unknown"), Value::from),
        }),
    );
}

/// `/etc/resolv.conf`.
fn resolver(raw: &Raw<'_>) -> Value {
    let mut dns = serde_json::Map::new();
    for line in raw.file("/etc/resolv.conf") {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") => {
                let servers = dns.entry("nameservers").or_insert_with(|| json!([]));
                if let (Some(servers), Some(server)) = (servers.as_array_mut(), words.next()) {
                    servers.push(server.into());
                }
            }
            Some("domain") => {
                dns.insert("domain".to_owned(), words.next().unwrap_or_default().into());
            }
            Some("search") => {
                dns.insert("search".to_owned(), words.collect::<Vec<_>>().into());
            }
            Some("options") => {
                let options = words.map(|word| match word.split_once(':') {
                    Some((key, value)) => (key.to_owned(), Value::from(value)),
                    None => (word.to_owned(), Value::Bool(true)),
                });
                dns.insert("options".to_owned(), Value::Object(options.collect()));
            }
            Some(_) | None => {}
        }
    }
    Value::Object(dns)
}

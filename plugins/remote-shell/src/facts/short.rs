//! Facter's short names for the most common facts, made from the others.

use exed_sdk::{Value, json};

use super::Facts;

/// Facter's name, and where Ansible has it.
const NAMES: [(&str, &str); 22] = [
    ("hostname", "/ansible_hostname"),
    ("fqdn", "/ansible_fqdn"),
    ("domain", "/ansible_domain"),
    ("kernel", "/ansible_system"),
    ("kernelrelease", "/ansible_kernel"),
    ("architecture", "/ansible_architecture"),
    ("operatingsystem", "/ansible_distribution"),
    ("operatingsystemrelease", "/ansible_distribution_version"),
    ("operatingsystemmajrelease", "/ansible_distribution_major_version"),
    ("osfamily", "/ansible_os_family"),
    ("processorcount", "/ansible_processor_vcpus"),
    ("physicalprocessorcount", "/ansible_processor_count"),
    ("memorysize_mb", "/ansible_memtotal_mb"),
    ("memoryfree_mb", "/ansible_memfree_mb"),
    ("swapsize_mb", "/ansible_swaptotal_mb"),
    ("ipaddress", "/ansible_default_ipv4/address"),
    ("netmask", "/ansible_default_ipv4/netmask"),
    ("macaddress", "/ansible_default_ipv4/macaddress"),
    ("ipaddress6", "/ansible_default_ipv6/address"),
    ("virtual", "/ansible_virtualization_type"),
    ("timezone", "/ansible_date_time/tz"),
    ("uptime_seconds", "/ansible_uptime_seconds"),
];

/// Adds the short names.
pub(super) fn collect(facts: &mut Facts) {
    let all = Value::Object(std::mem::take(facts));
    let mut short = Facts::new();
    for (name, pointer) in NAMES {
        if let Some(value) = all.pointer(pointer) {
            short.insert(name.to_owned(), value.clone());
        }
    }
    let guest = all.pointer("/ansible_virtualization_role").and_then(Value::as_str) == Some("guest");
    short.insert("is_virtual".to_owned(), guest.into());
    let text = |pointer: &str| all.pointer(pointer).cloned().unwrap_or(Value::Null);
    short.insert(
        "os".to_owned(),
        json!({
            "family": text("/ansible_os_family"),
            "name": text("/ansible_distribution"),
            "release": {
                "full": text("/ansible_distribution_version"),
                "major": text("/ansible_distribution_major_version"),
            },
        }),
    );
    if let Value::Object(all) = all {
        *facts = all;
    }
    facts.append(&mut short);
}

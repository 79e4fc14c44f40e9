//! The parser against captured outputs of real systems (shortened, and made anonymous), and against
//! anything else.

use exed_sdk::{Value, json};

use super::collect;

const DEBIAN_VM: &str = include_str!("../../captures/debian12-vm.txt");
const ALPINE: &str = include_str!("../../captures/alpine-container.txt");
const ROCKY: &str = include_str!("../../captures/rocky9-server.txt");

/// Compares the facts at these JSON pointers.
#[track_caller]
fn assert_facts(text: &str, expected: &[(&str, Value)]) {
    let facts = collect(text);
    for (pointer, value) in expected {
        assert_eq!(facts.pointer(pointer).unwrap_or(&Value::Null), value, "{pointer}");
    }
}

#[test]
fn debian_virtual_machine() {
    assert_facts(
        DEBIAN_VM,
        &[
            ("/ansible_os_family", json!("Debian")),
            ("/ansible_distribution", json!("Debian")),
            ("/ansible_distribution_version", json!("12.11")),
            ("/ansible_distribution_major_version", json!("12")),
            ("/ansible_distribution_release", json!("bookworm")),
            ("/ansible_kernel", json!("6.1.0-32-amd64")),
            ("/ansible_architecture", json!("x86_64")),
            ("/ansible_processor_vcpus", json!(2)),
            ("/ansible_processor_count", json!(1)),
            ("/ansible_processor/1", json!("GenuineIntel")),
            ("/ansible_memtotal_mb", json!(24105)),
            ("/ansible_memory_mb/real/used", json!(13644)),
            ("/ansible_hostname", json!("web1")),
            ("/ansible_fqdn", json!("web1.example.org")),
            ("/ansible_domain", json!("example.org")),
            ("/ansible_service_mgr", json!("systemd")),
            ("/ansible_pkg_mgr", json!("apt")),
            ("/ansible_virtualization_type", json!("kvm")),
            ("/ansible_virtualization_role", json!("guest")),
            ("/ansible_product_name", json!("Standard PC (Q35 + ICH9, 2009)")),
            ("/ansible_product_serial", json!("NA")),
            ("/ansible_default_ipv4/address", json!("198.51.100.7")),
            ("/ansible_default_ipv4/gateway", json!("198.51.100.1")),
            ("/ansible_default_ipv4/netmask", json!("255.255.255.192")),
            ("/ansible_default_ipv4/network", json!("198.51.100.0")),
            ("/ansible_default_ipv4/broadcast", json!("198.51.100.63")),
            ("/ansible_default_ipv4/prefix", json!("26")),
            ("/ansible_default_ipv4/mtu", json!(1400)),
            ("/ansible_default_ipv6", json!({})),
            ("/ansible_all_ipv4_addresses", json!(["198.51.100.7"])),
            ("/ansible_eth0/macaddress", json!("52:54:00:12:34:56")),
            ("/ansible_lo/ipv6/0/scope", json!("host")),
            ("/ansible_mounts/1/size_total", json!(66_053_021_u64 * 4096)),
            ("/ansible_mounts/1/inode_used", json!(16_777_216 - 16_204_481)),
            ("/ansible_mounts/0/mount", json!("/mnt/my share")),
            ("/ansible_mounts/0/size_total", Value::Null),
            ("/ansible_mounts/2", Value::Null),
            ("/ansible_env/GREETING", json!("two\nlines")),
            ("/ansible_user_id", json!("root")),
            ("/ansible_user_shell", json!("/bin/bash")),
            ("/ansible_python_version", json!("3.11.2")),
            ("/ansible_date_time/iso8601_micro", json!("2026-11-20T16:21:56.063943Z")),
            ("/ansible_date_time/weeknumber", json!("46")),
            ("/ansible_dns/search", json!(["example.org", "lab.example.org"])),
            ("/ansible_dns/options/timeout", json!("1")),
            ("/ansible_dns/options/rotate", json!(true)),
            ("/ansible_cmdline/root", json!("/dev/vda1")),
            ("/ansible_selinux/status", json!("disabled")),
            ("/ipaddress", json!("198.51.100.7")),
            ("/os/family", json!("Debian")),
            ("/is_virtual", json!(true)),
        ],
    );
}

#[test]
fn alpine_container_without_ip() {
    assert_facts(
        ALPINE,
        &[
            ("/ansible_os_family", json!("Alpine")),
            ("/ansible_distribution_version", json!("3.20.1")),
            ("/ansible_distribution_minor_version", json!("20")),
            ("/ansible_machine", json!("aarch64")),
            ("/ansible_processor", json!(["0", "1", "2", "3"])),
            ("/ansible_processor_vcpus", json!(4)),
            ("/ansible_processor_nproc", json!(3)),
            ("/ansible_swaptotal_mb", json!(1023)),
            ("/ansible_memory_mb/swap/cached", json!(1)),
            ("/ansible_fqdn", json!("box.example.net")),
            ("/ansible_hostname", json!("3f1c9e7a2b44")),
            ("/ansible_virtualization_type", json!("docker")),
            ("/ansible_virtualization_tech_guest", json!(["container", "docker"])),
            ("/ansible_service_mgr", json!("service")),
            ("/ansible_pkg_mgr", json!("apk")),
            ("/ansible_mounts/0/fstype", json!("overlay")),
            ("/ansible_mounts/1/mount", json!("/etc/hosts")),
            ("/ansible_eth0/ipv4/address", json!("198.51.100.7")),
            ("/ansible_eth0/ipv4/broadcast", json!("198.51.100.63")),
            ("/ansible_lo/ipv4/prefix", json!("8")),
            ("/ansible_default_ipv4/interface", json!("eth0")),
            ("/ansible_user_id", json!("app")),
            ("/ansible_user_dir", json!("/home/app")),
            ("/ansible_date_time/time", json!("08:13:20")),
            ("/ansible_date_time/iso8601", json!("2024-06-10T06:13:20Z")),
            ("/ansible_date_time/tz_offset", json!("+0200")),
            ("/ansible_python", Value::Null),
        ],
    );
}

#[test]
fn rocky_server() {
    assert_facts(
        ROCKY,
        &[
            ("/ansible_os_family", json!("RedHat")),
            ("/ansible_distribution", json!("Rocky")),
            ("/ansible_distribution_release", json!("Blue Onyx")),
            ("/ansible_pkg_mgr", json!("dnf")),
            ("/ansible_processor_count", json!(2)),
            ("/ansible_processor_cores", json!(4)),
            ("/ansible_processor_threads_per_core", json!(2)),
            ("/ansible_processor_vcpus", json!(16)),
            ("/ansible_processor_nproc", json!(8)),
            ("/ansible_virtualization_type", json!("kvm")),
            ("/ansible_virtualization_role", json!("host")),
            ("/ansible_selinux/mode", json!("enforcing")),
            ("/ansible_selinux/type", json!("targeted")),
            ("/ansible_default_ipv4/interface", json!("bond0")),
            ("/ansible_default_ipv4/gateway", json!("192.168.1.1")),
            ("/ansible_bond0/type", json!("bonding")),
            ("/ansible_bond0/ipv4_secondaries/0/address", json!("192.168.1.21")),
            ("/ansible_br_lan/device", json!("br-lan")),
            ("/ansible_br_lan/type", json!("bridge")),
            ("/ansible_br_lan/ipv4/prefix", json!("30")),
            ("/ansible_date_time/tz_offset", json!("-0330")),
            ("/ansible_date_time/hour", json!("02")),
            ("/ansible_product_serial", json!("ABC1234")),
            ("/ansible_all_ipv6_addresses", json!(["2001:db8::20"])),
        ],
    );
}

#[test]
fn anything_else_is_no_panic() {
    for text in ["", "@@exed ", "@@exed env", "@@exed files\nx", "@@exed date\n9223372036854775807 +9999 X\n"]
    {
        assert!(collect(text).is_object(), "{text:?}");
    }
    for capture in [DEBIAN_VM, ALPINE, ROCKY] {
        for cut in (0..capture.len()).step_by(41) {
            let part: String = capture.chars().take(cut).collect();
            assert!(collect(&part).is_object());
            let garbled = capture.replace(':', if cut % 2 == 0 { "" } else { "::" });
            assert!(collect(&garbled).is_object());
            if cut > 41 * 8 {
                break;
            }
        }
    }
}

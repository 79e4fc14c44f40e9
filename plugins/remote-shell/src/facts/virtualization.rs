//! Whether the host is a guest, a container, or has guests of its own.

use super::{Facts, Raw, set};

/// A container or a guest: its type and every technology that was recognized, the innermost first.
pub(super) fn collect(raw: &Raw<'_>, facts: &mut Facts) {
    let mut guest: Vec<&str> = Vec::new();
    if let Some(container) = container(raw) {
        guest.extend([container, "container"]);
    }
    guest.extend(hypervisor(raw));
    let mut host: Vec<&str> = Vec::new();
    if raw.has("/sys/module/kvm") && !guest.contains(&"kvm") {
        host.push("kvm");
    }
    if raw.has("/sys/module/vboxdrv") {
        host.push("virtualbox");
    }
    if raw.has("/proc/vz") && raw.has("/proc/bc") {
        host.push("openvz");
    }
    let (kind, role) = match (guest.first(), host.first()) {
        (Some(kind), _) => (*kind, "guest"),
        (None, Some(kind)) => (*kind, "host"),
        (None, None) => ("NA", "NA"),
    };
    set(facts, "virtualization_type", kind);
    set(facts, "virtualization_role", role);
    guest.sort_unstable();
    set(facts, "virtualization_tech_guest", guest);
    set(facts, "virtualization_tech_host", host);
}

/// The container manager around the host.
fn container(raw: &Raw<'_>) -> Option<&'static str> {
    if raw.has("/.dockerenv") || raw.has("/.dockerinit") {
        return Some("docker");
    }
    if raw.has("/run/.containerenv") {
        return Some("podman");
    }
    for line in raw.file("/proc/1/cgroup") {
        let groups = line.rsplit(':').next().unwrap_or_default();
        if groups.contains("/docker/") || groups.contains("/docker-") {
            return Some("docker");
        }
        if groups.starts_with("/lxc/") || groups.starts_with("/lxc.") {
            return Some("lxc");
        }
        if groups.contains("/machine.slice/machine-") || groups.contains("/libpod-") {
            return Some("podman");
        }
    }
    if raw.has("/dev/.lxc-boot-id") {
        return Some("lxc");
    }
    if raw.has("/proc/vz") && !raw.has("/proc/bc") {
        return Some("openvz");
    }
    match raw.first_line("/run/systemd/container").or_else(|| raw.variable("container"))? {
        "docker" => Some("docker"),
        "podman" | "oci" => Some("podman"),
        "lxc" | "lxc-libvirt" => Some("lxc"),
        "systemd-nspawn" => Some("systemd-nspawn"),
        "openvz" => Some("openvz"),
        _other => Some("container"),
    }
}

/// The hypervisor below, from what the firmware and the kernel say.
fn hypervisor(raw: &Raw<'_>) -> Option<&'static str> {
    if raw.has("/proc/xen") || raw.first_line("/sys/hypervisor/type") == Some("xen") {
        return Some("xen");
    }
    let firmware = |file: &str| raw.first_line(&format!("/sys/class/dmi/id/{file}")).unwrap_or_default();
    let (product, vendor, bios) = (firmware("product_name"), firmware("sys_vendor"), firmware("bios_vendor"));
    let is_kvm =
        ["KVM", "KVM Server", "Bochs", "AHV", "OpenStack Compute", "OpenStack Nova", "Google Compute Engine"]
            .contains(&product)
            || ["QEMU", "Amazon EC2", "DigitalOcean", "Hetzner", "oVirt", "Red Hat", "Linode"]
                .contains(&vendor)
            || bios == "Amazon EC2";
    if is_kvm {
        return Some(if product == "RHEV Hypervisor" { "RHEV" } else { "kvm" });
    }
    if product.starts_with("VMware") {
        return Some("VMware");
    }
    if vendor == "Microsoft Corporation" && product == "Virtual Machine" {
        return Some("VirtualPC");
    }
    if bios == "innotek GmbH" || product == "VirtualBox" {
        return Some("virtualbox");
    }
    if vendor.starts_with("Parallels") {
        return Some("parallels");
    }
    let emulated = raw.section("cpu").iter().any(|line| line.contains("QEMU Virtual CPU"));
    emulated.then_some("kvm")
}

use super::*;
use crate::process::checked;

/// Runs a command over SSH with strict host-key checking, as a user of the fleet does.
fn ssh(fleet: &Fleet, host: &FleetHost, user: &str, command: &str) -> anyhow::Result<String> {
    let output = std::process::Command::new("ssh")
        .args([
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "ConnectTimeout=10",
            "-F",
            "none",
        ])
        .arg("-o")
        .arg(format!("UserKnownHostsFile={}", fleet.known_hosts().display()))
        .arg("-i")
        .arg(fleet.ssh_key())
        .arg(format!("{user}@{}", host.address()))
        .arg(command)
        .output()?;
    checked("ssh", &output)
}

fn interfaces() -> String {
    run("ip", ["-o", "link", "show"]).unwrap()
}

#[test]
fn a_fleet_too_large_is_refused_before_anything_is_touched() {
    let error = Fleet::start_blocking(MAX_HOSTS + 1, &FleetOptions::default()).err().unwrap();
    assert!(error.to_string().contains("1 to 240 hosts, not 241"), "{error}");
}

#[tokio::test]
async fn hosts_are_machines_of_their_own_and_nothing_is_left() {
    let fleet = Fleet::start(2, FleetOptions::default()).await.unwrap();
    let (first, second) = (fleet.host("host01").unwrap(), fleet.host("host02").unwrap());

    assert_eq!(ssh(&fleet, first, "root", "hostname -f").unwrap().trim(), "host01.fleet.test");
    assert_eq!(ssh(&fleet, second, "deploy", "sudo id -u; uname -n").unwrap(), "0\nhost02\n");
    assert_eq!(ssh(&fleet, first, "root", "cat /proc/1/comm").unwrap().trim(), "init");
    ssh(&fleet, first, "root", "service nginx start && service nginx status").unwrap();
    let inventory = std::fs::read_to_string(fleet.inventory_path()).unwrap();
    assert!(inventory.contains(&format!("host02 ansible_host={}", second.address())), "{inventory}");

    let work = fleet.known_hosts().parent().unwrap().to_owned();
    let cable = fleet.uplink.peer().trim_end_matches('p').to_owned();
    let process = first.pid().unwrap();
    assert!(interfaces().contains(&cable));
    fleet.stop().unwrap();
    assert!(!interfaces().contains(&cable), "the cable is left");
    assert!(!work.exists(), "{} is left", work.display());
    assert!(!Path::new(&format!("/proc/{process}")).exists(), "process 1 of host01 is left");
}

#[tokio::test]
async fn a_host_cannot_touch_the_machine_below() {
    let fleet = Fleet::start(1, FleetOptions::default()).await.unwrap();
    let host = fleet.host("host01").unwrap();
    for harm in [
        "date -s 12:00",
        "mknod /tmp/disk b 8 0",
        "sysctl -w kernel.panic=1",
        "mount -o remount,rw /proc/sys",
        "mount -t tmpfs x /mnt",
    ] {
        assert!(ssh(&fleet, host, "root", harm).is_err(), "over SSH: {harm}");
        let output = host.exec(&["sh", "-c", harm]).unwrap();
        assert!(!output.status.success(), "from outside: {harm}");
    }
}

#[tokio::test]
async fn hosts_go_down_and_come_back_with_their_files() {
    let fleet = Fleet::start(1, FleetOptions::default()).await.unwrap();
    let host = fleet.host("host01").unwrap();
    ssh(&fleet, host, "root", "echo kept > /root/note").unwrap();

    host.reboot().unwrap();
    assert_eq!(ssh(&fleet, host, "root", "cat /root/note").unwrap(), "kept\n");
    host.kill().unwrap();
    assert!(!host.greets());
    host.start().unwrap();
    assert_eq!(ssh(&fleet, host, "root", "cat /root/note").unwrap(), "kept\n");

    host.cut_network().unwrap();
    assert!(!host.greets());
    host.restore_network().unwrap();
    host.wait_ready(Duration::from_secs(10)).unwrap();
}

#[tokio::test]
async fn systemd_hosts_run_units_and_leave_no_hierarchy() {
    let options = FleetOptions { init: Init::Systemd, ..FleetOptions::default() };
    let fleet = Fleet::start(1, options).await.unwrap();
    let host = fleet.host("host01").unwrap();
    ssh(&fleet, host, "root", "systemctl start nginx && systemctl is-active nginx").unwrap();
    host.reboot().unwrap();
    assert_eq!(ssh(&fleet, host, "root", "cat /proc/1/comm").unwrap().trim(), "systemd");

    let hierarchy = format!("name=fleet-{}-", fleet.supervisor.pid());
    fleet.stop().unwrap();
    let left = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    assert!(!left.contains(&hierarchy), "{left}");
}

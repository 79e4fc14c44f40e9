//! The subnet of a fleet and the cable between it and this machine.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, bail};

use crate::process::run;

/// A subnet of 256 addresses: `10.<x>.<y>.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subnet {
    x: u8,
    y: u8,
}

impl Subnet {
    /// The address of host `n`, from 1.
    pub(super) fn host(&self, n: usize) -> Ipv4Addr {
        let last = u8::try_from(n.saturating_add(10)).unwrap_or(u8::MAX);
        Ipv4Addr::new(10, self.x, self.y, last)
    }

    /// Its first three bytes.
    pub(super) fn prefix(&self) -> String {
        format!("10.{}.{}", self.x, self.y)
    }

    /// The address of this machine.
    fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, self.x, self.y, 1)
    }

    /// The name of the interface on this machine, at most 15 characters.
    fn interface(&self) -> String {
        format!("exf-{}-{}", self.x, self.y)
    }
}

/// Keeps the fleets of one process apart.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A subnet that no route and no interface of this machine knows. Where it starts to look depends on the
/// process, so that fleets that start together do not meet.
pub(super) fn free_subnet() -> anyhow::Result<Subnet> {
    let routes = run("ip", ["-4", "-o", "route", "show"])?;
    let links = run("ip", ["-o", "link", "show"])?;
    let start = std::process::id().wrapping_mul(7);
    for _ in 0..2000 {
        let number = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 25_000;
        let (Ok(x), Ok(y)) = (u8::try_from(100 + number / 250), u8::try_from(number % 250)) else {
            continue;
        };
        let subnet = Subnet { x, y };
        let known = routes.contains(&format!("{}.", subnet.prefix()))
            || routes.contains(&format!("10.{x}.0.0/16"))
            || routes.contains("10.0.0.0/8")
            || links.contains(&format!(" {}", subnet.interface()));
        if !known {
            return Ok(subnet);
        }
    }
    bail!("no free subnet between 10.100.0.0 and 10.199.249.0; `ip route` shows what uses them")
}

/// The cable. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Uplink {
    subnet: Subnet,
}

impl Uplink {
    /// Lays the cable into the network namespace of the process `peer`.
    pub(super) fn create(subnet: &Subnet, peer: u32) -> anyhow::Result<Self> {
        let name = subnet.interface();
        run(
            "ip",
            [
                "link",
                "add",
                &name,
                "type",
                "veth",
                "peer",
                "name",
                &format!("{name}p"),
                "netns",
                &peer.to_string(),
            ],
        )
        .context("laying the cable to the fleet")?;
        let uplink = Self { subnet: *subnet };
        run("ip", ["addr", "add", &format!("{}/24", subnet.gateway()), "dev", &name])?;
        run("ip", ["link", "set", &name, "up"])?;
        Ok(uplink)
    }

    /// The name of the other end, inside the fleet.
    pub(super) fn peer(&self) -> String {
        format!("{}p", self.subnet.interface())
    }

    /// The address of this machine.
    pub(super) fn address(&self) -> Ipv4Addr {
        self.subnet.gateway()
    }
}

impl Drop for Uplink {
    fn drop(&mut self) {
        // The kernel takes it back with the other end's namespace; when it was faster, this fails.
        let _ = run("ip", ["link", "del", &self.subnet.interface()]);
    }
}

//! The kernel's routing tables as `/proc/net` shows them.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::facts::raw::Raw;

/// A route that rejects.
const REJECT: u32 = 0x200;

/// One line of `/proc/net/route`.
struct Route4 {
    interface: String,
    destination: Ipv4Addr,
    gateway: Ipv4Addr,
    flags: u32,
    metric: u32,
    mask: u32,
}

/// Interface and gateway of the IPv4 default route with the lowest metric.
pub(super) fn default_v4(raw: &Raw<'_>) -> Option<(String, Ipv4Addr)> {
    let defaults = table_v4(raw).filter(|route| route.destination.is_unspecified() && route.mask == 0);
    let usable = defaults.filter(|route| route.flags & REJECT == 0);
    usable.min_by_key(|route| route.metric).map(|route| (route.interface, route.gateway))
}

/// Networks that interfaces are connected to: interface, network, mask; the narrowest first.
pub(super) fn connected_v4(raw: &Raw<'_>) -> Vec<(String, Ipv4Addr, u32)> {
    let connected = table_v4(raw).filter(|route| route.gateway.is_unspecified() && route.mask != 0);
    let mut networks: Vec<_> =
        connected.map(|route| (route.interface, route.destination, route.mask)).collect();
    networks.sort_by_key(|(_, _, mask)| std::cmp::Reverse(*mask));
    networks
}

/// Interface and gateway of the IPv6 default route with the lowest metric.
pub(super) fn default_v6(raw: &Raw<'_>) -> Option<(String, Ipv6Addr)> {
    let routes = raw.file("/proc/net/ipv6_route").iter().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let hex = |index: usize| u32::from_str_radix(words.get(index)?, 16).ok();
        let interface = (*words.get(9)?).to_owned();
        let everything = words.first()?.bytes().all(|byte| byte == b'0') && hex(1)? == 0;
        let gateway = Ipv6Addr::from_bits(u128::from_str_radix(words.get(4)?, 16).ok()?);
        let usable = everything && hex(8)? & REJECT == 0 && interface != "lo";
        usable.then_some((hex(5)?, interface, gateway))
    });
    routes.min_by_key(|(metric, _, _)| *metric).map(|(_, interface, gateway)| (interface, gateway))
}

fn table_v4(raw: &Raw<'_>) -> impl Iterator<Item = Route4> {
    // The kernel prints addresses as numbers in its own byte order.
    let big_endian =
        raw.machine().is_some_and(|machine| matches!(machine, "s390x" | "ppc64" | "ppc" | "mips"));
    raw.file("/proc/net/route").iter().skip(1).filter_map(move |line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let hex = |index: usize| u32::from_str_radix(words.get(index)?, 16).ok();
        let address = |index: usize| hex(index).map(|bits| if big_endian { bits } else { bits.swap_bytes() });
        Some(Route4 {
            interface: (*words.first()?).to_owned(),
            destination: Ipv4Addr::from_bits(address(1)?),
            gateway: Ipv4Addr::from_bits(address(2)?),
            flags: hex(3)?,
            metric: words.get(6)?.parse().ok()?,
            mask: address(7)?,
        })
    })
}

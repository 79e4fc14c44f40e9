//! Addresses per interface: from `ip -o addr` where the host has it, and from the kernel's tables else.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use exed_sdk::{Value, json};

use super::routes;
use crate::facts::raw::Raw;

/// The addresses of one interface, in the kernel's order.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    pub(super) v4: Vec<Address4>,
    pub(super) v6: Vec<Address6>,
}

/// An IPv4 address with its network.
#[derive(Debug)]
pub(super) struct Address4 {
    pub(super) address: Ipv4Addr,
    prefix: u32,
    broadcast: Option<Ipv4Addr>,
}

impl Address4 {
    fn mask(&self) -> u32 {
        u32::MAX.checked_shl(32 - self.prefix.min(32)).unwrap_or(0)
    }

    /// Whether another address is in the same network.
    pub(super) fn contains(&self, other: Ipv4Addr) -> bool {
        self.address.to_bits() & self.mask() == other.to_bits() & self.mask()
    }

    /// As Ansible shows it; numbers of bits are text there.
    pub(super) fn json(&self) -> Value {
        json!({
            "address": self.address.to_string(),
            "broadcast": self.broadcast.map(|address| address.to_string()).unwrap_or_default(),
            "netmask": Ipv4Addr::from_bits(self.mask()).to_string(),
            "network": Ipv4Addr::from_bits(self.address.to_bits() & self.mask()).to_string(),
            "prefix": self.prefix.to_string(),
        })
    }
}

/// An IPv6 address.
#[derive(Debug)]
pub(super) struct Address6 {
    pub(super) address: Ipv6Addr,
    prefix: u32,
    /// `global`, `link`, `host`, `site`.
    pub(super) scope: String,
}

impl Address6 {
    /// As Ansible shows it.
    pub(super) fn json(&self) -> Value {
        json!({
            "address": self.address.to_string(),
            "prefix": self.prefix.to_string(),
            "scope": self.scope,
        })
    }
}

/// Every address, by interface.
pub(super) fn collect(raw: &Raw<'_>) -> BTreeMap<String, Addresses> {
    let mut found: BTreeMap<String, Addresses> = BTreeMap::new();
    let lines = raw.section("addresses");
    for line in lines {
        match parse(line) {
            Some((name, Address::V4(address))) => found.entry(name).or_default().v4.push(address),
            Some((name, Address::V6(address))) => found.entry(name).or_default().v6.push(address),
            None => {}
        }
    }
    if lines.is_empty() {
        for (name, address) in from_tables(raw) {
            found.entry(name).or_default().v4.push(address);
        }
        for (name, address) in raw.file("/proc/net/if_inet6").iter().filter_map(|line| inet6(line)) {
            found.entry(name).or_default().v6.push(address);
        }
    }
    found
}

enum Address {
    V4(Address4),
    V6(Address6),
}

/// `2: eth0    inet 192.0.2.2/24 brd 192.0.2.255 scope global eth0\ …`; a point-to-point address has
/// `peer` and the prefix behind it.
fn parse(line: &str) -> Option<(String, Address)> {
    let mut words = line.split_whitespace().skip(1);
    let name = words.next()?.split('@').next()?.to_owned();
    let family = words.next()?;
    let text = words.next()?;
    let (address, mut prefix) = text.split_once('/').unwrap_or((text, ""));
    let (mut broadcast, mut scope) = (None, "");
    while let Some(word) = words.next() {
        match word {
            "brd" => broadcast = words.next().and_then(|text| text.parse().ok()),
            "peer" => {
                prefix = words.next().and_then(|text| text.split_once('/')).map_or("", |(_, bits)| bits);
            }
            "scope" => scope = words.next().unwrap_or_default(),
            _other => {}
        }
    }
    match family {
        "inet" => {
            let prefix = prefix.parse().unwrap_or(32);
            Some((name, Address::V4(Address4 { address: address.parse().ok()?, prefix, broadcast })))
        }
        "inet6" => {
            let prefix = prefix.parse().unwrap_or(128);
            let scope = scope.to_owned();
            Some((name, Address::V6(Address6 { address: address.parse().ok()?, prefix, scope })))
        }
        _other => None,
    }
}

/// A line of `/proc/net/if_inet6`: address, index, prefix and scope in hex, flags, name.
fn inet6(line: &str) -> Option<(String, Address6)> {
    let mut words = line.split_whitespace();
    let address = Ipv6Addr::from_bits(u128::from_str_radix(words.next()?, 16).ok()?);
    let prefix = u32::from_str_radix(words.nth(1)?, 16).ok()?;
    let scope = match words.next()? {
        "00" => "global",
        "10" => "host",
        "20" => "link",
        "40" => "site",
        _other => "unknown",
    };
    let name = words.nth(1)?.to_owned();
    Some((name, Address6 { address, prefix, scope: scope.to_owned() }))
}

/// Local addresses of the routing trie, each with the connected network that contains it. The loopback
/// interface has no route in that table.
fn from_tables(raw: &Raw<'_>) -> Vec<(String, Address4)> {
    let mut locals: Vec<Ipv4Addr> = Vec::new();
    let mut last = None;
    for line in raw.file("/proc/net/fib_trie") {
        let line = line.trim();
        if let Some(text) = line.strip_prefix("|-- ") {
            last = text.parse().ok();
        } else if let (true, Some(address)) = (line.starts_with("/32 host LOCAL"), last)
            && !locals.contains(&address)
        {
            locals.push(address);
        }
    }
    let connected = routes::connected_v4(raw);
    let place = |address: Ipv4Addr| {
        if address.is_loopback() {
            return Some(("lo".to_owned(), Address4 { address, prefix: 8, broadcast: None }));
        }
        let within = |mask: u32, network: Ipv4Addr| address.to_bits() & mask == network.to_bits();
        let (name, _, mask) = connected.iter().find(|(_, network, mask)| within(*mask, *network))?;
        let broadcast = Some(Ipv4Addr::from_bits(address.to_bits() | !mask));
        Some((name.clone(), Address4 { address, prefix: mask.count_ones(), broadcast }))
    };
    locals.into_iter().filter_map(place).collect()
}

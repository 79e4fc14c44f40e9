//! Interfaces, addresses and default routes.

mod addresses;
mod routes;

use std::collections::BTreeMap;

use exed_sdk::{Value, json};

use super::{Facts, Raw, set};
use addresses::{Address4, Address6, Addresses};

/// One interface.
#[derive(Debug, Default)]
struct Interface<'text> {
    mac: Option<&'text str>,
    mtu: Option<u64>,
    kind: &'static str,
    active: bool,
    promiscuous: bool,
    speed: Option<i64>,
    addresses: Addresses,
}

/// Interfaces, address lists and default routes.
pub(super) fn collect(raw: &Raw<'_>, facts: &mut Facts) {
    let mut interfaces = interfaces(raw);
    for (name, found) in addresses::collect(raw) {
        interfaces.entry(name).or_default().addresses = found;
    }
    set(facts, "interfaces", interfaces.keys().cloned().collect::<Vec<String>>());
    let every = || interfaces.values().map(|interface| &interface.addresses);
    let v4 = every().flat_map(|found| &found.v4).map(|entry| entry.address);
    let v4: Vec<String> =
        v4.filter(|address| !address.is_loopback()).map(|address| address.to_string()).collect();
    let v6 = every().flat_map(|found| &found.v6).map(|entry| entry.address);
    let v6: Vec<String> =
        v6.filter(|address| !address.is_loopback()).map(|address| address.to_string()).collect();
    set(facts, "all_ipv4_addresses", v4);
    set(facts, "all_ipv6_addresses", v6);
    set(facts, "default_ipv4", default_v4(raw, &interfaces));
    set(facts, "default_ipv6", default_v6(raw, &interfaces));
    for (name, interface) in &interfaces {
        set(facts, &name.replace('-', "_"), interface.json(name));
    }
}

/// What `/sys/class/net` says.
fn interfaces<'text>(raw: &Raw<'text>) -> BTreeMap<String, Interface<'text>> {
    let mut interfaces: BTreeMap<String, Interface<'text>> = BTreeMap::new();
    for (name, kind) in raw.per_interface("type") {
        let has = |what: &str| raw.has(&format!("/sys/class/net/{name}/{what}"));
        let kind = match kind {
            "1" if has("bridge") => "bridge",
            "1" if has("bonding") => "bonding",
            "1" => "ether",
            "32" => "infiniband",
            "512" => "ppp",
            "772" => "loopback",
            "65534" => "tunnel",
            _other => "unknown",
        };
        interfaces.insert(name.to_owned(), Interface { kind, active: true, ..Interface::default() });
    }
    for (name, text) in raw.per_interface("address") {
        if let Some(interface) = interfaces.get_mut(name) {
            interface.mac = (!text.is_empty() && text != "00:00:00:00:00:00").then_some(text);
        }
    }
    for (name, text) in raw.per_interface("mtu") {
        if let Some(interface) = interfaces.get_mut(name) {
            interface.mtu = text.parse().ok();
        }
    }
    for (name, text) in raw.per_interface("operstate") {
        if let Some(interface) = interfaces.get_mut(name) {
            interface.active = text != "down";
        }
    }
    for (name, text) in raw.per_interface("speed") {
        if let Some(interface) = interfaces.get_mut(name) {
            interface.speed = text.parse().ok();
        }
    }
    for (name, text) in raw.per_interface("flags") {
        if let Some(interface) = interfaces.get_mut(name) {
            let flags = u32::from_str_radix(text.trim_start_matches("0x"), 16).unwrap_or(0);
            interface.promiscuous = flags & 0x100 != 0;
        }
    }
    interfaces
}

impl Interface<'_> {
    /// The fact about the interface itself.
    fn json(&self, name: &str) -> Value {
        let mut fact = Facts::new();
        fact.insert("device".to_owned(), name.into());
        fact.insert("active".to_owned(), self.active.into());
        fact.insert("promisc".to_owned(), self.promiscuous.into());
        fact.insert("type".to_owned(), self.kind.into());
        if let Some(mac) = self.mac {
            fact.insert("macaddress".to_owned(), mac.into());
        }
        if let Some(mtu) = self.mtu {
            fact.insert("mtu".to_owned(), mtu.into());
        }
        if let Some(speed) = self.speed {
            fact.insert("speed".to_owned(), speed.into());
        }
        if let Some((first, rest)) = self.addresses.v4.split_first() {
            fact.insert("ipv4".to_owned(), first.json());
            if !rest.is_empty() {
                fact.insert("ipv4_secondaries".to_owned(), rest.iter().map(Address4::json).collect());
            }
        }
        if !self.addresses.v6.is_empty() {
            fact.insert("ipv6".to_owned(), self.addresses.v6.iter().map(Address6::json).collect());
        }
        Value::Object(fact)
    }

    /// What a default route adds to an address.
    fn describe(&self, fact: &mut Facts) {
        if let Some(mac) = self.mac {
            fact.insert("macaddress".to_owned(), mac.into());
        }
        if let Some(mtu) = self.mtu {
            fact.insert("mtu".to_owned(), mtu.into());
        }
        fact.insert("type".to_owned(), self.kind.into());
    }
}

/// The way out over IPv4: the default route with the lowest metric, and the address of its interface that
/// shares a network with the gateway. Empty without such a route.
fn default_v4(raw: &Raw<'_>, interfaces: &BTreeMap<String, Interface<'_>>) -> Value {
    let Some((name, gateway)) = routes::default_v4(raw) else { return json!({}) };
    let mut fact = Facts::new();
    fact.insert("interface".to_owned(), name.as_str().into());
    if !gateway.is_unspecified() {
        fact.insert("gateway".to_owned(), gateway.to_string().into());
    }
    if let Some(interface) = interfaces.get(&name) {
        let all = &interface.addresses.v4;
        if let Some(entry) = all.iter().find(|entry| entry.contains(gateway)).or_else(|| all.first())
            && let Value::Object(entry) = entry.json()
        {
            fact.extend(entry);
        }
        fact.insert("alias".to_owned(), name.into());
        interface.describe(&mut fact);
    }
    Value::Object(fact)
}

/// The way out over IPv6, with the interface's first address of global scope.
fn default_v6(raw: &Raw<'_>, interfaces: &BTreeMap<String, Interface<'_>>) -> Value {
    let Some((name, gateway)) = routes::default_v6(raw) else { return json!({}) };
    let mut fact = Facts::new();
    fact.insert("interface".to_owned(), name.as_str().into());
    if !gateway.is_unspecified() {
        fact.insert("gateway".to_owned(), gateway.to_string().into());
    }
    if let Some(interface) = interfaces.get(&name) {
        let global = interface.addresses.v6.iter().find(|entry| entry.scope == "global");
        if let Some(Value::Object(entry)) = global.map(Address6::json) {
            fact.extend(entry);
        }
        interface.describe(&mut fact);
    }
    Value::Object(fact)
}

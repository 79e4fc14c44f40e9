//! From the output of the facts script to facts under Ansible's names, with Ansible's types and meanings.
//!
//! Each module fills in its part without knowing the others; what needs two parts (the address of the
//! default interface among the short names) comes last. A fact whose source is missing is absent, or has
//! the value that Ansible gives it then (`NA`, an empty string), never a guess.

mod distribution;
mod hardware;
mod mounts;
mod network;
mod raw;
mod short;
mod system;
mod time;
mod user;
mod virtualization;

use exed_sdk::Value;

use raw::Raw;

/// The facts being collected.
type Facts = serde_json::Map<String, Value>;

/// All facts, as one object.
pub(crate) fn collect(text: &str) -> Value {
    let raw = Raw::parse(text);
    let mut facts = Facts::new();
    distribution::collect(&raw, &mut facts);
    system::collect(&raw, &mut facts);
    time::collect(&raw, &mut facts);
    hardware::collect(&raw, &mut facts);
    mounts::collect(&raw, &mut facts);
    network::collect(&raw, &mut facts);
    virtualization::collect(&raw, &mut facts);
    user::collect(&raw, &mut facts);
    short::collect(&mut facts);
    Value::Object(facts)
}

/// Sets `ansible_<name>`.
fn set(facts: &mut Facts, name: &str, value: impl Into<Value>) {
    facts.insert(format!("ansible_{name}"), value.into());
}

#[cfg(test)]
mod tests;

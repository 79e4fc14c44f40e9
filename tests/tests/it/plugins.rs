//! Plugins through the real server, over HTTP and on real hosts: third-party ones, hostile ones, upgrades,
//! the folder, policies, transfers.

// The helpers are tests, too: what panics there is the report.
#![cfg(test)]

mod component;
mod examples;
mod folder;
mod hostile;
mod policy;
mod refusals;
mod site;
mod transfer;
mod upgrade;

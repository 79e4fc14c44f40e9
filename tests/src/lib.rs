//! What the end-to-end tests of exed, `cargo xtask demo` and `cargo xtask bench` stand on: disposable real
//! hosts, an unprivileged sshd, and the real server as a process.

pub mod fleet;
pub mod harness;
pub mod process;
pub mod sshd;

//! The first-party components that this binary carries.

/// Name and bytes of each component; empty in a binary that was not built by `cargo xtask build`.
pub(crate) fn components() -> &'static [(&'static str, &'static [u8])] {
    include!(concat!(env!("OUT_DIR"), "/components.rs"))
}

/// What to tell at start where the binary carries no components.
pub(crate) const NONE_EMBEDDED: &str = "this binary carries no plugins and can only use those of the \
    plugin folder; build it with `cargo xtask build` to embed the first-party ones";

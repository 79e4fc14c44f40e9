//! Host bindings of the plugin API, one module for each major version that the host serves.
//!
//! They stand in a crate of their own because their derives are most of the compile time. The domain has
//! no versions: conversions to and from these types live in `exed-plugins`.

/// API 0.1, unstable: `wit/next`.
pub mod v0_1;

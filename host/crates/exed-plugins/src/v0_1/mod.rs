//! API 0.1: conversions between its types and the domain, which has no versions.

pub(crate) mod executor;
pub(crate) mod outputs;
pub(crate) mod policy;
pub(crate) mod steps;

use semver::Version;

/// The version of the plugin API that this server has.
pub(crate) const API: Version = Version::new(0, 1, 0);

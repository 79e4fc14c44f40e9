//! The glue between the SDK's types and the generated bindings. Exists only in components; the export
//! macros use it, plugins do not.

#[doc(hidden)]
pub mod executor;
#[doc(hidden)]
pub mod policy;
pub(crate) mod transport;

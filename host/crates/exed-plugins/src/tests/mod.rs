//! Tests of the whole plugin host, with components that the tests build themselves from core text and the
//! repository's own WIT.

mod compatibility;
mod denials;
mod fixture;
mod folder;
mod limits;
mod policies;
mod support;
mod upgrade;
mod wasi;

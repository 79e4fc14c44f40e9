//! The router, driven in process over the real services, store and bus. Only what lies below the services
//! is simulated: plugins and hosts.

mod exed_jobs;
mod exed_operate;
mod exed_shape;
mod native_jobs;
mod native_plugins;
mod serving;
mod world;

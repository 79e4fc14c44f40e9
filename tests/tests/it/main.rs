//! The one integration binary. Its tree follows what it tests.

mod architecture;
mod crash;
mod daemon;
mod exectl;
mod exed_api;
mod licenses;
mod plugins;
mod workspace;
mod world;

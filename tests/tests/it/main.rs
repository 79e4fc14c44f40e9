//! The one integration binary. Its tree follows what it tests.

mod architecture;
mod licenses;
mod workspace;

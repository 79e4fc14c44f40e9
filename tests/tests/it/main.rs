//! The one integration binary. Its tree follows what it tests.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod exectl;
#[cfg(test)]
mod exed_api;
#[cfg(test)]
mod licenses;
#[cfg(test)]
mod plugins;
#[cfg(test)]
mod workspace;
#[cfg(test)]
mod world;

//! The job engine over a real store and a real bus, with simulated executors and hosts.

mod cancel;
mod conflict;
mod follow;
mod recovery;
mod run;
mod world;

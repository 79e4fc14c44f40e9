#![allow(dead_code, unused)]
#[path = "/work/main/tests/tests/it/world.rs"]
mod world;
#[path = "/work/main/tests/tests/it/exectl.rs"]
mod exectl;

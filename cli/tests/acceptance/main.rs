//! The real binary, run as a user runs it. One test program, so that it is linked once.
#![allow(clippy::unwrap_used)]

mod common;
mod conformance;
mod crash;
mod demo;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod durability;
mod fetch;
#[cfg(target_os = "linux")]
mod kills;
mod mcp;
mod pool;
mod readme;
mod serve;
mod tools;
mod wire;

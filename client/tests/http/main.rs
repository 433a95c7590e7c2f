//! Calls over real HTTP, paid on a real devnet.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used)]

mod addresses;
mod budgets;
#[cfg(unix)]
mod disk;
mod headers;
mod kept;
mod many;
#[cfg(unix)]
#[path = "../common/mount.rs"]
mod mount;
mod paying;
mod quotes;
mod recovery;
mod redirects;
mod refusals;
mod support;
mod tls;
mod untouched;
mod wallets;

//! The journal on real files: what it keeps, what it refuses, and several processes at once.
#![allow(clippy::unwrap_used)]

#[cfg(unix)]
mod file;
mod ledger;
mod life;
#[cfg(unix)]
#[path = "../common/mount.rs"]
mod mount;
mod processes;
mod session;
mod support;

//! The journal on real files: what it keeps, what it refuses, and several processes at once.
#![allow(clippy::unwrap_used)]

mod file;
mod ledger;
mod life;
mod processes;
mod session;
mod support;

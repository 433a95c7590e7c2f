//! What is tested on real nodes. One test program, so that one network serves all of it.
#![allow(clippy::unwrap_used)]

mod contract;
mod cycles;
mod faults;
mod plannt;
mod recovery;
mod shared;
#[path = "../../../lightning/tests/common/wallet_service.rs"]
#[allow(dead_code, reason = "lightning's own tests use all of it")]
mod wallet_service;
mod ways;

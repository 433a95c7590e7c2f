//! Calls over real HTTP, paid on a real devnet.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used)]

mod budgets;
mod headers;
mod kept;
mod many;
mod paying;
mod quotes;
mod recovery;
mod redirects;
mod refusals;
mod support;
mod tls;
mod untouched;
mod wallets;

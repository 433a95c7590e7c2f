//! What Swift's and Kotlin's packages are made of (ffi/README.md): the core's types and functions, the client's journal and
//! paying call, and the wallets, as uniffi takes them across the border.
//!
//! Nothing of the protocol is said here that Rust doesn't say already: a record mirrors a struct, an enum an enum, and an
//! error carries the core's own code and message. The doc comments here are the doc comments there.

#![allow(
    clippy::large_enum_variant,
    clippy::result_large_err,
    reason = "they cross the border as bytes, and one lives at a time"
)]

mod call;
mod client_error;
mod convert;
mod credential;
mod decode;
#[cfg(debug_assertions)]
mod defect;
mod driver;
mod error;
mod fixed;
mod flow;
mod journal;
mod macaroon;
mod network;
mod payment;
mod policy;
mod secrets;
mod wallet;
mod wire;

pub use call::*;
pub use client_error::*;
pub use credential::*;
pub use decode::*;
#[cfg(debug_assertions)]
pub use defect::*;
pub use driver::*;
pub use error::*;
pub use fixed::*;
pub use flow::*;
pub use journal::*;
pub use macaroon::*;
pub use network::*;
pub use payment::*;
pub use policy::*;
pub use secrets::*;
pub use wallet::*;
pub use wire::*;

uniffi::setup_scaffolding!("plannt");

/// The version of this package.
#[uniffi::export]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

//! What Swift's and Kotlin's packages are made of (ffi/README.md): the core's types and functions, the client's journal and
//! paying call, and the wallets, as uniffi takes them across the border.
//!
//! Nothing of the protocol is said here that Rust doesn't say already: a record mirrors a struct, an enum an enum, and an
//! error carries the core's own code and message. The doc comments here are the doc comments there.

mod convert;
mod credential;
mod error;
mod fixed;
mod network;
mod secrets;

pub use credential::*;
pub use error::*;
pub use fixed::*;
pub use network::*;
pub use secrets::*;

uniffi::setup_scaffolding!("plannt");

/// The version of this package.
#[uniffi::export]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

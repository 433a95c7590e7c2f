//! The L402 protocol without I/O: no clock, no randomness, no sockets.
//!
//! A server [mints](Keyring::mint) a credential's token from its root key and a payment hash, and
//! [verifies](Keyring::verify) what comes back; a client reads a [challenge], checks the
//! invoice, and drives the paying [flow]. Time and randomness are arguments.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod hex;
mod types;

pub use types::{HexError, Network, PaymentHash, Preimage, RootKey, UnknownNetworkError};

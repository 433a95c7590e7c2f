//! Macaroons as every macaroon library writes them: the format alone, nothing of L402.
//!
//! Three encodings are read and written: v1, v2 binary and v2 JSON. Reading is strict and total
//! (docs/PROTOCOL.md §1): any bytes give a value or a typed error, and no two spellings of one
//! binary macaroon are both read.

mod error;
mod json;
mod owned;
pub(crate) mod reference;
#[cfg(feature = "third-party")]
mod third_party;
mod v1;
pub(crate) mod v2;

pub use error::{MacaroonError, Part};
pub use owned::{Caveat, Macaroon};
pub use reference::{CaveatRef, Caveats, MacaroonRef};
#[cfg(feature = "third-party")]
pub use third_party::DischargeError;

/// The most bytes that a macaroon takes, in whichever encoding.
pub const MAX_BYTES: usize = 65_536;
/// The most caveats that a macaroon carries.
pub const MAX_CAVEATS: usize = 4_096;
/// The most bytes of one field: what a v1 packet can say.
pub(crate) const MAX_FIELD_BYTES: usize = 65_535;
/// A verification id is a `secretbox` of a 32-byte key: nonce, tag and key.
pub(crate) const VERIFICATION_ID_BYTES: usize = 24 + 16 + 32;

/// An encoding of a macaroon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Packets with a length of four hex digits.
    V1,
    /// Binary with a version byte of 2.
    V2,
    /// JSON with `"v": 2`.
    V2Json,
}

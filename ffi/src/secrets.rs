//! Preimages and root keys: objects, so that no language prints, compares or copies them by the way.

use std::sync::Arc;

use plannt_core as core;
use plannt_core::PaymentHash;
use subtle::ConstantTimeEq;

use crate::convert::Convert;
use crate::{HexError, LengthError};

fn exactly_32(bytes: &[u8]) -> Result<[u8; 32], LengthError> {
    bytes.try_into().map_err(|_| LengthError::of(32, bytes.len()))
}

/// A payment's preimage, 32 bytes: whoever has it has paid. Erased when it is freed, never printed.
#[derive(Debug, uniffi::Object)]
#[uniffi::export(Debug, Display)]
pub struct Preimage(pub(crate) core::Preimage);

impl std::fmt::Display for Preimage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Preimage([redacted])")
    }
}

#[uniffi::export]
impl Preimage {
    /// Wraps 32 bytes.
    #[uniffi::constructor]
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, LengthError> {
        exactly_32(&bytes).map(core::Preimage::from_bytes).map(Self)
    }

    /// Reads 64 hex digits of either case. The error does not repeat the text.
    #[uniffi::constructor]
    pub fn from_hex(text: String) -> Result<Self, HexError> {
        Ok(Self(core::Preimage::from_hex(&text)?))
    }

    /// Its bytes, in the clear.
    pub fn expose_bytes(&self) -> Vec<u8> {
        self.0.expose_bytes().to_vec()
    }

    /// 64 lower-case hex digits, in the clear.
    pub fn expose_hex(&self) -> String {
        self.0.expose_hex().to_string()
    }

    /// SHA-256 of it.
    pub fn payment_hash(&self) -> PaymentHash {
        self.0.payment_hash()
    }

    /// Whether SHA-256 of it is `payment_hash`; in constant time.
    pub fn proves(&self, payment_hash: PaymentHash) -> bool {
        self.0.proves(&payment_hash)
    }

    /// Whether it is the same; in constant time.
    pub fn is_same(&self, other: &Preimage) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Convert<Arc<Preimage>> for core::Preimage {
    fn convert(self) -> Arc<Preimage> {
        Arc::new(Preimage(self))
    }
}

impl Convert<core::Preimage> for Arc<Preimage> {
    fn convert(self) -> core::Preimage {
        self.0.clone()
    }
}

/// A server's root key, 32 bytes of a cryptographic random source. Erased when it is freed, never printed.
///
/// One root key serves one network and one spend store, and nothing else.
#[derive(Debug, uniffi::Object)]
#[uniffi::export(Debug, Display)]
pub struct RootKey(pub(crate) core::RootKey);

impl std::fmt::Display for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RootKey([redacted])")
    }
}

#[uniffi::export]
impl RootKey {
    /// Wraps 32 bytes, which the caller took from a cryptographic random source.
    #[uniffi::constructor]
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, LengthError> {
        exactly_32(&bytes).map(core::RootKey::from_bytes).map(Self)
    }

    /// Reads 64 hex digits of either case. The error does not repeat the text.
    #[uniffi::constructor]
    pub fn from_hex(text: String) -> Result<Self, HexError> {
        Ok(Self(core::RootKey::from_hex(&text)?))
    }

    /// Its bytes, in the clear.
    pub fn expose_bytes(&self) -> Vec<u8> {
        self.0.expose_bytes().to_vec()
    }
}

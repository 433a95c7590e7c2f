//! The 66 bytes that name a credential (docs/PROTOCOL.md §1).

use core::fmt;

use crate::PaymentHash;

const VERSION: [u8; 2] = [0, 0];

/// A macaroon's identifier: version 0, payment hash, token id.
///
/// ```
/// use plannt_core::{Identifier, PaymentHash};
/// let identifier = Identifier { payment_hash: PaymentHash::from_bytes([1; 32]), token_id: [2; 32] };
/// assert_eq!(Identifier::parse(&identifier.to_bytes()), Ok(identifier));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identifier {
    /// Of the invoice that the credential is bought with.
    pub payment_hash: PaymentHash,
    /// `HMAC(root_key, payment_hash)`, by which a server knows its own key. Opaque to others.
    pub token_id: [u8; 32],
}

impl Identifier {
    /// Bytes of an identifier.
    pub const LEN: usize = 66;

    /// Reads version 0.
    ///
    /// # Errors
    /// [`IdentifierError`]: another server's identifiers may have any form.
    pub fn parse(bytes: &[u8]) -> Result<Self, IdentifierError> {
        let bytes: &[u8; Self::LEN] =
            bytes.try_into().map_err(|_| IdentifierError::Length { actual: bytes.len() })?;
        let (version, rest) = bytes.split_at(VERSION.len());
        if version != VERSION {
            return Err(IdentifierError::Version);
        }
        let (hash, id) = rest.split_at(32);
        let (mut payment_hash, mut token_id) = ([0; 32], [0; 32]);
        payment_hash.copy_from_slice(hash);
        token_id.copy_from_slice(id);
        Ok(Self { payment_hash: PaymentHash::from_bytes(payment_hash), token_id })
    }

    /// Its 66 bytes.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[2..34].copy_from_slice(self.payment_hash.as_bytes());
        bytes[34..].copy_from_slice(&self.token_id);
        bytes
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identifier")
            .field("payment_hash", &self.payment_hash)
            .finish_non_exhaustive()
    }
}

/// Why bytes are not an identifier of version 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentifierError {
    /// Not 66 bytes.
    #[error("identifier of {actual} bytes, not 66")]
    Length {
        /// Bytes given.
        actual: usize,
    },
    /// A version other than 0.
    #[error("identifier of an unknown version")]
    Version,
}

impl IdentifierError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        "invalid_identifier"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_66_bytes_of_version_0() {
        let mut bytes = [7; 67];
        bytes[..2].fill(0);
        assert!(Identifier::parse(&bytes[..66]).is_ok());
        assert_eq!(Identifier::parse(&bytes), Err(IdentifierError::Length { actual: 67 }));
        assert_eq!(Identifier::parse(&bytes[..65]), Err(IdentifierError::Length { actual: 65 }));
        assert_eq!(Identifier::parse(&[]), Err(IdentifierError::Length { actual: 0 }));
        for version in [[0, 1], [1, 0], [255, 255]] {
            bytes[..2].copy_from_slice(&version);
            assert_eq!(Identifier::parse(&bytes[..66]), Err(IdentifierError::Version));
        }
    }
}

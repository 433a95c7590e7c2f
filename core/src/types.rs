//! Newtypes for hashes, secrets and networks, so that one is never taken for another.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::hex;
pub use crate::hex::HexError;
use crate::mac::{Tag, sha256};

/// A payment hash: SHA-256 of the [`Preimage`], 32 bytes (BOLT 11, field `p`).
///
/// ```
/// use plannt_core::{PaymentHash, Preimage};
/// let hash = Preimage::from_bytes([7; 32]).payment_hash();
/// assert_eq!(hash.to_string().parse::<PaymentHash>(), Ok(hash));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentHash([u8; 32]);

impl PaymentHash {
    /// Wraps 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PaymentHash {
    /// 64 lower-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 64];
        hex::encode_to(&self.0, &mut text);
        f.pad(core::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for PaymentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PaymentHash({self})")
    }
}

impl FromStr for PaymentHash {
    type Err = HexError;

    /// Reads 64 hex digits of either case.
    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::decode(text.as_bytes()).map(Self)
    }
}

/// A payment's preimage, 32 bytes: whoever has it has paid. Erased when dropped, never printed.
///
/// ```
/// use plannt_core::Preimage;
/// let preimage = Preimage::from_hex(&"Ab".repeat(32))?;
/// assert_eq!(preimage.expose_hex().as_str(), "ab".repeat(32));
/// assert_eq!(format!("{preimage:?}"), "Preimage([redacted])");
/// # Ok::<(), plannt_core::HexError>(())
/// ```
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Preimage([u8; 32]);

impl Preimage {
    /// Wraps 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 64 hex digits of either case.
    ///
    /// # Errors
    /// [`HexError`], which does not repeat the text.
    pub fn from_hex(text: &str) -> Result<Self, HexError> {
        hex::decode(text.as_bytes()).map(Self)
    }

    /// Its bytes, in the clear.
    pub const fn expose_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hex digits, in the clear; the text erases itself.
    pub fn expose_hex(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new([0; 64]);
        hex::encode_to(&self.0, text.as_mut());
        Zeroizing::new(String::from_utf8_lossy(text.as_ref()).into_owned())
    }

    /// SHA-256 of it.
    pub fn payment_hash(&self) -> PaymentHash {
        PaymentHash(sha256(&self.0).to_bytes())
    }

    /// Whether SHA-256 of it is `hash`; in constant time.
    pub fn proves(&self, hash: &PaymentHash) -> bool {
        sha256(&self.0).ct_eq(&Tag::from_bytes(&hash.0)).into()
    }
}

impl ConstantTimeEq for Preimage {
    fn ct_eq(&self, other: &Self) -> Choice {
        Tag::from_bytes(&self.0).ct_eq(&Tag::from_bytes(&other.0))
    }
}

impl fmt::Debug for Preimage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Preimage([redacted])")
    }
}

/// A server's root key, 32 bytes. Erased when dropped, never printed.
///
/// One root key serves one network and one spend store, and nothing else.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RootKey([u8; 32]);

impl RootKey {
    /// Wraps 32 bytes, which the caller took from a cryptographic random source.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 64 hex digits of either case.
    ///
    /// # Errors
    /// [`HexError`], which does not repeat the text.
    pub fn from_hex(text: &str) -> Result<Self, HexError> {
        hex::decode(text.as_bytes()).map(Self)
    }

    /// Its bytes, in the clear.
    pub const fn expose_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey([redacted])")
    }
}

/// A Bitcoin network, named by the prefix that its invoices carry after `ln` (BOLT 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Network {
    /// Mainnet, `bc`.
    Bitcoin,
    /// A private chain, `bcrt`.
    Regtest,
    /// Signet, `tbs`.
    Signet,
    /// btcd's simulation network, `sb`.
    Simnet,
    /// Testnet, `tb`.
    Testnet,
}

impl Network {
    /// Every network.
    pub const ALL: [Self; 5] =
        [Self::Bitcoin, Self::Regtest, Self::Signet, Self::Simnet, Self::Testnet];

    /// The BOLT 11 currency prefix after `ln`.
    pub const fn currency(self) -> &'static str {
        match self {
            Self::Bitcoin => "bc",
            Self::Regtest => "bcrt",
            Self::Signet => "tbs",
            Self::Simnet => "sb",
            Self::Testnet => "tb",
        }
    }

    /// Its name as configuration writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bitcoin => "bitcoin",
            Self::Regtest => "regtest",
            Self::Signet => "signet",
            Self::Simnet => "simnet",
            Self::Testnet => "testnet",
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A network's name is none of [`Network::ALL`]'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown network: expected bitcoin, regtest, signet, simnet or testnet")]
pub struct UnknownNetworkError;

impl FromStr for Network {
    type Err = UnknownNetworkError;

    /// Reads a name (`mainnet` is `bitcoin`) or a BOLT 11 currency prefix.
    fn from_str(text: &str) -> Result<Self, UnknownNetworkError> {
        if text == "mainnet" {
            return Ok(Self::Bitcoin);
        }
        Self::ALL
            .into_iter()
            .find(|n| n.name() == text || n.currency() == text)
            .ok_or(UnknownNetworkError)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn hex_is_strict_and_takes_either_case() {
        assert_eq!("AA".repeat(32).parse::<PaymentHash>(), "aa".repeat(32).parse());
        assert_eq!(
            "aa".repeat(31).parse::<PaymentHash>(),
            Err(HexError::Length { expected: 64, actual: 62 })
        );
        let mut text = "aa".repeat(32);
        text.replace_range(5..6, "g");
        assert_eq!(text.parse::<PaymentHash>(), Err(HexError::Digit { index: 5 }));
        // Characters that sit next to the digits in ASCII.
        for c in ['/', ':', '@', 'G', '`', 'g', ' ', '\u{7f}'] {
            text.replace_range(5..6, &c.to_string());
            assert!(Preimage::from_hex(&text).is_err(), "{c:?}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        let hex = "5a".repeat(32);
        let preimage = Preimage::from_hex(&hex).expect("hex");
        let key = RootKey::from_hex(&hex).expect("hex");
        for text in [format!("{preimage:?}"), format!("{key:?}")] {
            assert!(text.contains("[redacted]") && !text.contains("5a") && !text.contains("90"));
        }
    }

    #[test]
    fn networks_round_trip() {
        for network in Network::ALL {
            assert_eq!(network.name().parse(), Ok(network));
            assert_eq!(network.currency().parse(), Ok(network));
        }
        assert_eq!("BC".parse::<Network>(), Err(UnknownNetworkError));
    }
}

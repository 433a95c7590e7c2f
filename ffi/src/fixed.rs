//! Bytes of a fixed length and numbers with a meaning: values in each language, of types that its package defines
//! (ffi/uniffi.toml). A value of such a type is right by construction, so that no call fails for its sake.

use plannt_core::PaymentHash;
use plannt_core::flow::Origin;

use crate::convert::Convert;
use crate::{HexError, LengthError, OriginError};

/// Why a value that a package should have checked is refused.
#[derive(Debug)]
struct Unchecked;

impl std::fmt::Display for Unchecked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value was made in passing over its type's own constructors")
    }
}

impl std::error::Error for Unchecked {}

macro_rules! fixed_bytes {
    ($($(#[$doc:meta])* $name:ident: $length:literal),+ $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub struct $name(pub [u8; $length]);

            uniffi::custom_type!(
                $(#[$doc])*
                $name, Vec<u8>, {
                lower: |value| value.0.to_vec(),
                try_lift: |bytes| Ok($name(bytes.try_into().map_err(|_| Unchecked)?)),
            });

            impl Convert<$name> for [u8; $length] {
                fn convert(self) -> $name {
                    $name(self)
                }
            }

            impl Convert<[u8; $length]> for $name {
                fn convert(self) -> [u8; $length] {
                    self.0
                }
            }
        )+
    };
}

fixed_bytes! {
    /// 32 bytes, such as a SHA-256 digest.
    Bytes32: 32,
    /// The nonce of a third-party caveat: 24 bytes from a cryptographic random source, new for each caveat.
    CaveatNonce: 24,
    /// A node's compressed public key, 33 bytes.
    PublicKey: 33,
}

uniffi::custom_type!(
    /// A payment hash: SHA-256 of the preimage, 32 bytes (BOLT 11, field `p`).
    PaymentHash, Vec<u8>, {
    remote,
    lower: |hash| hash.as_bytes().to_vec(),
    try_lift: |bytes| Ok(PaymentHash::from_bytes(bytes.try_into().map_err(|_| Unchecked)?)),
});

uniffi::custom_type!(
    /// A request's scheme, host and port.
    Origin, String, {
    remote,
    lower: |origin| origin.to_string(),
    try_lift: |text| Ok(Origin::parse(&text).map_err(|_| Unchecked)?),
});

impl Convert<PaymentHash> for PaymentHash {
    fn convert(self) -> PaymentHash {
        self
    }
}

impl Convert<Origin> for Origin {
    fn convert(self) -> Origin {
        self
    }
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident: $kind:ty),+ $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(pub $kind);

            uniffi::custom_type!(
                $(#[$doc])*
                $name, $kind, {
                lower: |number| number.0,
                try_lift: |number| Ok($name(number)),
            });

            impl Convert<$name> for $kind {
                fn convert(self) -> $name {
                    $name(self)
                }
            }

            impl Convert<$kind> for $name {
                fn convert(self) -> $kind {
                    self.0
                }
            }
        )+
    };
}

// Kotlin's generator has a fault in functions that give back 8 or 16 bits.
numbers! {
    /// How many of something.
    Count: u32,
    /// An amount in thousandths of a satoshi.
    Msat: u64,
    /// A TCP port.
    Port: u32,
    /// A number of seconds.
    Seconds: u64,
    /// An HTTP status, or the `grpc-status` of an answer.
    StatusCode: u32,
    /// A service's tier.
    Tier: u8,
    /// A time in seconds since 1970.
    UnixSeconds: u64,
}

impl Convert<Count> for usize {
    fn convert(self) -> Count {
        Count(u32::try_from(self).unwrap_or(u32::MAX))
    }
}

/// Checks that bytes are as many as a type of fixed length wants.
#[uniffi::export]
pub fn check_length(bytes: Vec<u8>, expected: Count) -> Result<(), LengthError> {
    match bytes.len() as u64 == u64::from(expected.0) {
        true => Ok(()),
        false => Err(LengthError::of(expected.0, bytes.len())),
    }
}

/// Reads a payment hash from 64 hex digits of either case.
#[uniffi::export]
pub fn parse_payment_hash(text: String) -> Result<PaymentHash, HexError> {
    text.parse().map_err(HexError::from)
}

/// Puts an origin together: `scheme` is `http` or `https`, `host` a name, an IPv4 address, or an IPv6 address in brackets;
/// without a port it is the scheme's.
#[uniffi::export]
pub fn origin_of(scheme: String, host: String, port: Option<Port>) -> Result<Origin, OriginError> {
    let port = port.map(|port| u16::try_from(port.0)).transpose();
    let port = port.map_err(|_| plannt_core::flow::OriginError::Port)?;
    Ok(Origin::new(&scheme, &host, port)?)
}

/// Reads an origin as it is written: `https://host`, with the port only where it is not the scheme's.
#[uniffi::export]
pub fn parse_origin(text: String) -> Result<Origin, OriginError> {
    Ok(Origin::parse(&text)?)
}

/// Whether the scheme is `https`.
#[uniffi::export]
pub fn origin_is_https(origin: Origin) -> bool {
    origin.is_https()
}

/// The host, in lower case.
#[uniffi::export]
pub fn origin_host(origin: Origin) -> String {
    origin.host().into()
}

/// The port; the scheme's own when none was named.
#[uniffi::export]
pub fn origin_port(origin: Origin) -> Port {
    Port(origin.port().into())
}

/// Whether plain `http` to it stays on this machine or inside Tor: a loopback address, `localhost`, or `.onion`.
#[uniffi::export]
pub fn origin_is_private(origin: Origin) -> bool {
    origin.is_private()
}

/// A text that no record prints: a token's, or an `Authorization` value.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(pub String);

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText([redacted])")
    }
}

uniffi::custom_type!(
    /// A text that no record prints: a token's, or an `Authorization` value.
    SecretText, String, {
    lower: |text| text.0,
    try_lift: |text| Ok(SecretText(text)),
});

impl Convert<SecretText> for String {
    fn convert(self) -> SecretText {
        SecretText(self)
    }
}

impl Convert<String> for SecretText {
    fn convert(self) -> String {
        self.0
    }
}

//! Random ids: of an attempt to spend, and of a keyring's pair with its store.

use std::fmt;
use std::str::FromStr;

/// Names one attempt to spend, so that it can be read back and released.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId([u8; 16]);

/// Joins a keyring with its spend store: both carry the same one (docs/PROTOCOL.md §4).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PairId([u8; 16]);

macro_rules! id {
    ($name:ident) => {
        impl $name {
            /// A new one, from the operating system's random source.
            pub fn random() -> Self {
                let mut bytes = [0; 16];
                getrandom::fill(&mut bytes).expect("the operating system's random source answers");
                Self(bytes)
            }

            /// Wraps 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Its 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            /// 32 lower-case hex digits.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

id!(AttemptId);
id!(PairId);

/// The text is not 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pair id is 32 hex digits")]
pub struct PairIdError;

impl FromStr for PairId {
    type Err = PairIdError;

    /// Reads 32 hex digits of either case.
    fn from_str(text: &str) -> Result<Self, PairIdError> {
        let digits = text.as_bytes();
        if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(PairIdError);
        }
        u128::from_str_radix(text, 16).map(|n| Self(n.to_be_bytes())).map_err(|_| PairIdError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_random_and_pair_ids_round_trip() {
        assert_ne!(AttemptId::random(), AttemptId::random());
        let id = PairId::random();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        for text in ["", "+0000000000000000000000000000000", &"0".repeat(31), &"0".repeat(33)] {
            assert_eq!(text.parse::<PairId>(), Err(PairIdError), "{text:?}");
        }
    }
}

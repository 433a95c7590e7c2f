//! Base64 as the credential uses it (docs/PROTOCOL.md §1).
//!
//! Written with the standard alphabet and padding. Read in either alphabet, but not both in one
//! text, with exactly the right padding or none, and with spare bits of zero: one value has four
//! spellings and no more.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, DecodeSliceError};

const READ: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(false);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, READ);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, READ);

/// Why a text is not base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Base64Error {
    /// A character outside the alphabet, or the text mixes both alphabets.
    #[error("not base64: a character outside its alphabet, or two alphabets mixed")]
    Alphabet,
    /// The text has a length that no bytes have, or bits set that stand for no byte.
    #[error("not base64: cut short, or spare bits set")]
    Length,
    /// Padding that is neither exact nor absent.
    #[error("not base64: padding is neither exact nor absent")]
    Padding,
    /// The bytes do not fit the room that they have.
    #[error("base64 of more than {limit} bytes")]
    TooLong {
        /// The room, in bytes.
        limit: usize,
    },
}

impl Base64Error {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Alphabet => "base64_alphabet",
            Self::Length => "base64_length",
            Self::Padding => "base64_padding",
            Self::TooLong { .. } => "base64_too_long",
        }
    }
}

/// The most bytes that `characters` of base64 can stand for.
pub const fn decoded_len(characters: usize) -> usize {
    characters / 4 * 3 + characters % 4 * 3 / 4
}

/// Decodes a text.
///
/// ```
/// use plannt_core::base64;
/// for text in ["+/8=", "+/8", "-_8=", "-_8"] {
///     assert_eq!(base64::decode(text), Ok(vec![0xfb, 0xff]));
/// }
/// assert!(base64::decode("-/8").is_err()); // two alphabets
/// assert!(base64::decode("+/9").is_err()); // a spare bit set
/// ```
///
/// # Errors
/// [`Base64Error`], which does not repeat the text.
pub fn decode(text: &str) -> Result<Vec<u8>, Base64Error> {
    let mut bytes = alloc::vec![0; decoded_len(text.len())];
    let len = decode_to_slice(text.as_bytes(), &mut bytes)?;
    bytes.truncate(len);
    Ok(bytes)
}

/// Decodes a text into `out` and returns how many bytes it was; allocates nothing.
///
/// # Errors
/// [`Base64Error`]; `TooLong` when `out` has less room than the text has bytes.
pub fn decode_to_slice(text: &[u8], out: &mut [u8]) -> Result<usize, Base64Error> {
    let unpadded = unpadded(text)?;
    if decoded_len(unpadded.len()) > out.len() {
        return Err(Base64Error::TooLong { limit: out.len() });
    }
    match decode_fast(unpadded, out) {
        Some(len) => Ok(len),
        None => decode_plainly(unpadded, out),
    }
}

fn decode_plainly(unpadded: &[u8], out: &mut [u8]) -> Result<usize, Base64Error> {
    // Nearly all texts are of the standard alphabet. A text of both is in neither.
    let decoded = match STANDARD.decode_slice(unpadded, out) {
        Err(DecodeSliceError::DecodeError(DecodeError::InvalidByte(..))) => {
            URL_SAFE.decode_slice(unpadded, out)
        }
        decoded => decoded,
    };
    decoded.map_err(|error| match error {
        DecodeSliceError::DecodeError(DecodeError::InvalidByte(..)) => Base64Error::Alphabet,
        DecodeSliceError::DecodeError(_) => Base64Error::Length,
        DecodeSliceError::OutputSliceTooSmall => Base64Error::TooLong { limit: out.len() },
    })
}

/// Encodes bytes: standard alphabet, padded.
///
/// ```
/// assert_eq!(plannt_core::base64::encode(&[0xfb, 0xff]), "+/8=");
/// ```
pub fn encode(bytes: &[u8]) -> String {
    #[cfg(feature = "std")]
    return base64_simd::STANDARD.encode_to_string(bytes);
    #[cfg(not(feature = "std"))]
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The standard alphabet's texts, by the processor's vectors where it has them. Any other text is
/// left to the code that can say what is wrong with it.
#[cfg(feature = "std")]
fn decode_fast(unpadded: &[u8], out: &mut [u8]) -> Option<usize> {
    use base64_simd::AsOut;
    base64_simd::STANDARD_NO_PAD.decode(unpadded, out.as_out()).ok().map(|bytes| bytes.len())
}

#[cfg(not(feature = "std"))]
fn decode_fast(_: &[u8], _: &mut [u8]) -> Option<usize> {
    None
}

/// The text without its padding, which must be exact when it is there.
fn unpadded(text: &[u8]) -> Result<&[u8], Base64Error> {
    let rest = match text {
        [rest @ .., b'=', b'='] | [rest @ .., b'='] => rest,
        _ => return Ok(text),
    };
    if !text.len().is_multiple_of(4) {
        return Err(Base64Error::Padding);
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_four_spellings_and_no_more() {
        let bytes = &[0xfb, 0xef, 0xff, 0x00][..];
        for text in ["++//AA==", "++//AA", "--__AA==", "--__AA"] {
            assert_eq!(decode(text).as_deref(), Ok(bytes), "{text}");
        }
        let refused = [
            ("+-//AA", Base64Error::Alphabet),
            ("++__AA", Base64Error::Alphabet),
            ("++//AA=", Base64Error::Padding),
            ("++//AA===", Base64Error::Padding),
            ("++//=", Base64Error::Padding),
            ("=", Base64Error::Padding),
            ("====", Base64Error::Alphabet),
            ("++//AA==\n", Base64Error::Alphabet),
            ("++//\nAA==", Base64Error::Padding),
            ("++//\nAA", Base64Error::Alphabet),
            ("++// AA", Base64Error::Alphabet),
            ("AA==AA==", Base64Error::Alphabet),
            ("++//AB", Base64Error::Length),
            ("++//A", Base64Error::Length),
            ("é", Base64Error::Alphabet),
        ];
        for (text, error) in refused {
            assert_eq!(decode(text), Err(error), "{text:?}");
        }
        assert_eq!(decode("").as_deref(), Ok(&[][..]));
    }

    /// Every byte at every place of texts around the width of a vector.
    #[test]
    fn the_fast_way_reads_nothing_else() {
        let bytes: Vec<u8> = (0..60u8).map(|i| i.wrapping_mul(37) ^ 0x5a).collect();
        for len in [0, 1, 2, 3, 23, 24, 25, 47, 48, 49, 60] {
            let sound = encode(&bytes[..len]);
            let sound = sound.trim_end_matches('=').as_bytes();
            for at in 0..sound.len() {
                for byte in 0..=255 {
                    let mut text = sound.to_vec();
                    text[at] = byte;
                    let (mut fast, mut plain) = ([0; 60], [0; 60]);
                    if let Some(len) = decode_fast(&text, &mut fast) {
                        assert_eq!(decode_plainly(&text, &mut plain), Ok(len), "{text:?}");
                        assert_eq!(fast[..len], plain[..len], "{text:?}");
                    }
                }
            }
            let mut fast = [0; 60];
            let expected = cfg!(feature = "std").then_some(len);
            assert_eq!(decode_fast(sound, &mut fast), expected);
            assert_eq!(fast[..expected.unwrap_or(0)], bytes[..expected.unwrap_or(0)]);
        }
    }

    #[test]
    fn fills_the_room_and_no_more() {
        let mut room = [0; 4];
        assert_eq!(decode_to_slice(b"++//AA==", &mut room), Ok(4));
        assert_eq!(decode_to_slice(b"++//AA", &mut room), Ok(4));
        assert_eq!(
            decode_to_slice(b"++//AA==", &mut room[..3]),
            Err(Base64Error::TooLong { limit: 3 })
        );
        assert_eq!(decode_to_slice(b"", &mut []), Ok(0));
    }
}

//! Hexadecimal text of fixed size, without allocation.

const LOWER: &[u8; 16] = b"0123456789abcdef";

/// Why a text is not the hex of exactly `N` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HexError {
    /// The text is not twice as many characters as bytes are due.
    #[error("expected {expected} hex digits, got {actual} characters")]
    Length {
        /// Digits expected.
        expected: usize,
        /// Characters given.
        actual: usize,
    },
    /// A character is not a hex digit. The text is not repeated: it may be a secret.
    #[error("character {index} is not a hex digit")]
    Digit {
        /// Where, counted from 0.
        index: usize,
    },
}

impl HexError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        "invalid_hex"
    }
}

/// Decodes exactly `N` bytes; either case of the digits.
pub(crate) fn decode<const N: usize>(text: &[u8]) -> Result<[u8; N], HexError> {
    if text.len() != 2 * N {
        return Err(HexError::Length { expected: 2 * N, actual: text.len() });
    }
    let mut out = [0u8; N];
    decode_to(text, &mut out)?;
    Ok(out)
}

/// Decodes into `out`, whose length is half of the text's (the caller has checked it).
pub(crate) fn decode_to(text: &[u8], out: &mut [u8]) -> Result<(), HexError> {
    // All of it first, and then whether it was hex: without a branch for each digit.
    let mut valid = 0xff;
    for (byte, [high, low]) in out.iter_mut().zip(text.as_chunks().0) {
        let ((high, is_high), (low, is_low)) = (digit(*high), digit(*low));
        *byte = high << 4 | low;
        valid &= is_high & is_low;
    }
    if valid == 0 {
        let index = text.iter().position(|c| digit(*c).1 == 0).unwrap_or(text.len());
        return Err(HexError::Digit { index });
    }
    Ok(())
}

/// Writes `bytes` as lower-case digits; `out` is twice as long.
pub(crate) fn encode_to(bytes: &[u8], out: &mut [u8]) {
    for (byte, pair) in bytes.iter().zip(out.chunks_exact_mut(2)) {
        pair[0] = LOWER[usize::from(byte >> 4)];
        pair[1] = LOWER[usize::from(byte & 15)];
    }
}

/// A digit's value, and all ones if it is one; found without a branch or a table, since the text
/// may be a preimage.
#[inline]
fn digit(c: u8) -> (u8, u8) {
    // All ones where `value < end`, by the borrow of the subtraction.
    let below = |value: u8, end: u8| ((i16::from(value) - i16::from(end)) >> 8) as u8;
    let number = c.wrapping_sub(b'0');
    let letter = (c | 0x20).wrapping_sub(b'a');
    let (is_number, is_letter) = (below(number, 10), below(letter, 6));
    let value = number & is_number | letter.wrapping_add(10) & is_letter;
    (value, is_number | is_letter)
}

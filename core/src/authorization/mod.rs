//! The credential in an `Authorization` header, read and written (docs/PROTOCOL.md §3).

use alloc::string::String;
use core::fmt;

use zeroize::Zeroizing;

use crate::base64::{self, Base64Error};
use crate::challenge::Scheme;
use crate::hex;
use crate::macaroon::MacaroonError;
use crate::scan;
use crate::{HexError, Preimage};

/// Longest `Authorization` header that is read, in bytes over all its lines (docs/PROTOCOL.md §3).
pub const MAX_AUTHORIZATION_BYTES: usize = 16_384;

/// Most tokens that one credential may carry before the colon.
pub const MAX_CREDENTIAL_TOKENS: usize = 16;

/// Longest token that the L402 layer reads, in bytes before base64 (docs/PROTOCOL.md §1).
pub const MAX_TOKEN_BYTES: usize = 8_192;

/// Base64 digits of [`MAX_TOKEN_BYTES`] bytes, without padding.
const MAX_TOKEN_DIGITS: usize = (MAX_TOKEN_BYTES * 4).div_ceil(3);

const HEX_PREIMAGE: usize = 64;

/// Why a credential can't be read. Its message is the `detail` of a `malformed_credential` answer:
/// it says what is wrong and never repeats a byte of the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// A token of the list has no characters: `,,`, or nothing before the colon.
    #[error("a token is empty")]
    EmptyToken,
    /// The header's lines are more than [`MAX_AUTHORIZATION_BYTES`] together; none was parsed.
    #[error("the header has {bytes} bytes, at most 16384 are read")]
    HeaderTooLarge {
        /// Bytes of the header's values over all lines.
        bytes: usize,
    },
    /// What follows the colon is not 64 hex digits.
    #[error("the preimage is not hex: {0}")]
    InvalidPreimage(HexError),
    /// A token's text is not base64 (or, in gRPC metadata, not hex).
    #[error("a token is not base64, or in grpc metadata not hex")]
    InvalidToken,
    /// A token is base64 of something else than a v2 macaroon.
    #[error("a token is not a macaroon: {0}")]
    Macaroon(MacaroonError),
    /// Nothing but the scheme is there.
    #[error("the scheme is not followed by a space and a credential")]
    MissingCredential,
    /// There is no colon and so no preimage.
    #[error("no colon and preimage after the token")]
    MissingPreimage,
    /// A token is more than [`MAX_TOKEN_BYTES`].
    #[error("a token has more than 8192 bytes")]
    TokenTooLarge,
    /// A token has more than [`MAX_TOKEN_CAVEATS`](crate::MAX_TOKEN_CAVEATS).
    #[error("a token has more than 64 caveats")]
    TooManyCaveats,
    /// There are more than [`MAX_CREDENTIAL_TOKENS`] tokens.
    #[error("more than 16 tokens")]
    TooManyTokens,
}

impl CredentialError {
    /// The stable code: `header_too_large`, else `malformed_credential`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::HeaderTooLarge { .. } => "header_too_large",
            _ => "malformed_credential",
        }
    }
}

/// One token of a credential, as text of the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TokenText<'a> {
    /// Base64 in any of the four variants, from `Authorization`.
    Base64(&'a str),
    /// Hex of either case, from gRPC metadata.
    Hex(&'a str),
}

impl TokenText<'_> {
    /// Decodes the token into `buffer` without allocating, and returns the part that holds it.
    ///
    /// # Errors
    /// [`CredentialError::InvalidToken`], and [`CredentialError::TokenTooLarge`] for more than
    /// [`MAX_TOKEN_BYTES`] or than `buffer` has room for.
    pub fn decode_to<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], CredentialError> {
        let room = buffer.len().min(MAX_TOKEN_BYTES);
        let buffer = &mut buffer[..room];
        match self {
            Self::Base64(text) => match base64::decode_to_slice(text.as_bytes(), buffer) {
                Ok(len) => Ok(&buffer[..len]),
                Err(Base64Error::TooLong { .. }) => Err(CredentialError::TokenTooLarge),
                Err(_) => Err(CredentialError::InvalidToken),
            },
            Self::Hex(text) => {
                if !text.len().is_multiple_of(2) {
                    return Err(CredentialError::InvalidToken);
                }
                let decoded =
                    buffer.get_mut(..text.len() / 2).ok_or(CredentialError::TokenTooLarge)?;
                hex::decode_to(text.as_bytes(), decoded)
                    .map_err(|_| CredentialError::InvalidToken)?;
                Ok(decoded)
            }
        }
    }
}

/// A credential as it came: one or more tokens, and the preimage where the header carries it.
///
/// Nothing is verified yet; the text is borrowed, so reading allocates nothing.
#[derive(Clone)]
pub struct Credential<'a> {
    tokens: TokenText<'a>,
    preimage: Option<Preimage>,
}

impl<'a> Credential<'a> {
    /// Reads the values of a request's `Authorization` lines, in their order: the first with scheme
    /// `L402` or `LSAT` (any case) decides, even when malformed. `None` when no line has that
    /// scheme.
    ///
    /// The form is `<scheme> <token>[,<token>…]:<64 hex>` with nothing else in it; spaces and tabs
    /// around the whole are skipped, as RFC 9110 has it for any header's value.
    ///
    /// ```
    /// use plannt_core::Credential;
    ///
    /// let line = format!("l402 AgEE:{}", "0F".repeat(32));
    /// let credential = Credential::from_authorization([line.as_bytes()])?.expect("ours");
    /// assert_eq!(credential.tokens().count(), 1);
    /// assert!(Credential::from_authorization([&b"Bearer abc"[..]])?.is_none());
    /// # Ok::<(), plannt_core::CredentialError>(())
    /// ```
    ///
    /// # Errors
    /// [`CredentialError`], which repeats nothing of the header.
    pub fn from_authorization(
        lines: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Option<Self>, CredentialError> {
        // The bound is the whole header's, so every line is counted before one is parsed.
        let mut bytes = 0usize;
        let mut deciding = None;
        for line in lines {
            bytes = bytes.saturating_add(line.len());
            deciding = deciding.or_else(|| after_scheme(line));
        }
        if bytes > MAX_AUTHORIZATION_BYTES {
            return Err(CredentialError::HeaderTooLarge { bytes });
        }
        deciding.map(read).transpose()
    }

    /// Reads gRPC metadata `token` or `macaroon`: one token in hex, whose preimage is a caveat.
    ///
    /// # Errors
    /// [`CredentialError`], which repeats nothing of the value.
    pub fn from_grpc_metadata(macaroon_hex: &'a [u8]) -> Result<Self, CredentialError> {
        if macaroon_hex.is_empty() {
            return Err(CredentialError::EmptyToken);
        }
        if macaroon_hex.len() > 2 * MAX_TOKEN_BYTES {
            return Err(CredentialError::TokenTooLarge);
        }
        let hex = ascii(macaroon_hex, |b| b.is_ascii_hexdigit())?;
        if !hex.len().is_multiple_of(2) {
            return Err(CredentialError::InvalidToken);
        }
        Ok(Self { tokens: TokenText::Hex(hex), preimage: None })
    }

    /// Its tokens in the order of the wire, at least one and at most [`MAX_CREDENTIAL_TOKENS`].
    pub fn tokens(&self) -> impl Iterator<Item = TokenText<'a>> + Clone + use<'a> {
        let (list, hex) = match self.tokens {
            TokenText::Base64(list) => (list, false),
            TokenText::Hex(one) => (one, true),
        };
        list.split(',').map(move |t| if hex { TokenText::Hex(t) } else { TokenText::Base64(t) })
    }

    /// The preimage after the colon; `None` for gRPC metadata.
    pub fn preimage(&self) -> Option<&Preimage> {
        self.preimage.as_ref()
    }
}

/// What follows the scheme of a line with ours, optional whitespace around the line removed.
fn after_scheme(line: &[u8]) -> Option<&[u8]> {
    let line = trim_whitespace(line);
    let end = line.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(line.len());
    let (scheme, rest) = line.split_at(end);
    core::str::from_utf8(scheme).ok().and_then(Scheme::from_name).map(|_| rest)
}

/// Reads `1*SP <token>[,<token>…]:<64 hex>`; nothing may stand before, between or after.
fn read(rest: &[u8]) -> Result<Credential<'_>, CredentialError> {
    let start = rest.iter().position(|&b| b != b' ').ok_or(CredentialError::MissingCredential)?;
    if start == 0 {
        return Err(CredentialError::MissingCredential);
    }
    let pair = &rest[start..];
    let colon = scan::find(pair, b':').ok_or(CredentialError::MissingPreimage)?;
    let (tokens, preimage) = (&pair[..colon], &pair[colon + 1..]);
    let mut rest = Some(tokens);
    for count in 0.. {
        let Some(list) = rest else { break };
        if count == MAX_CREDENTIAL_TOKENS {
            return Err(CredentialError::TooManyTokens);
        }
        let comma = scan::find(list, b',');
        let token = &list[..comma.unwrap_or(list.len())];
        rest = comma.map(|comma| &list[comma + 1..]);
        if token.is_empty() {
            return Err(CredentialError::EmptyToken);
        }
        // Two more than the digits: the padding.
        if token.len() > MAX_TOKEN_DIGITS + 2 {
            return Err(CredentialError::TokenTooLarge);
        }
    }
    let tokens = ascii(tokens, is_token_byte)?;
    let preimage = hex::decode(preimage).map_err(CredentialError::InvalidPreimage)?;
    let preimage = Some(Preimage::from_bytes(preimage));
    Ok(Credential { tokens: TokenText::Base64(tokens), preimage })
}

/// A character of base64 in either alphabet, its padding, or the comma between two tokens.
fn is_token_byte(b: u8) -> bool {
    ((b | 0x20).wrapping_sub(b'a') < 26)
        // `+`, `,`, `-`, (not `.`), `/` and the digits stand in a row.
        | ((b.wrapping_sub(b'+') <= b'9' - b'+') & (b != b'.'))
        | (b == b'=')
        | (b == b'_')
}

fn ascii(bytes: &[u8], allowed: impl Fn(u8) -> bool) -> Result<&str, CredentialError> {
    if !scan::all(bytes, |b| b.is_ascii() & allowed(b)) {
        return Err(CredentialError::InvalidToken);
    }
    core::str::from_utf8(bytes).map_err(|_| CredentialError::InvalidToken)
}

/// RFC 9110 §5.6.3: spaces and tabs, and nothing else.
fn trim_whitespace(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

impl fmt::Debug for TokenText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenText([redacted])")
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential([redacted])")
    }
}

/// The value of the `Authorization` header that presents `token` with its preimage:
/// `L402 <token>:<64 hex>`.
pub fn authorization_value(token: &str, preimage: &Preimage) -> Zeroizing<String> {
    authorization_value_for(Scheme::L402, token, preimage)
}

/// The same under the scheme that the challenge came with.
pub fn authorization_value_for(
    scheme: Scheme,
    token: &str,
    preimage: &Preimage,
) -> Zeroizing<String> {
    // Room for all of it at once: a growing text would leave copies of the preimage behind.
    let mut text = Zeroizing::new(String::with_capacity(
        scheme.as_str().len() + token.len() + 2 + HEX_PREIMAGE,
    ));
    text.push_str(scheme.as_str());
    text.push(' ');
    text.push_str(token);
    text.push(':');
    text.push_str(&preimage.expose_hex());
    text
}

#[cfg(test)]
mod tests;

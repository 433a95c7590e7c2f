//! The token: a macaroon as text of the wire.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::base64::{self, Base64Error};
use crate::macaroon::{Format, Macaroon, MacaroonError};
use crate::{MAX_TOKEN_BYTES, MAX_TOKEN_CAVEATS};

/// A token: the text that a challenge carries and a credential repeats. Printed by `Display`
/// only; `Debug` redacts it.
///
/// It is no secret by itself (the 402 hands it out), but with its preimage it is money.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Token(String);

impl Token {
    /// The text as it goes into headers.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, by value.
    pub fn into_string(self) -> String {
        self.0
    }

    /// Decodes the macaroon.
    ///
    /// # Errors
    /// [`TokenError`], when another server's token is something else.
    pub fn parse_macaroon(&self) -> Result<Macaroon, TokenError> {
        read(&self.0).map(|(_, macaroon)| macaroon)
    }

    /// Text that this crate has made.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self(base64::encode(bytes))
    }
}

impl FromStr for Token {
    type Err = TokenError;

    /// Takes a text that is the base64 of a macaroon, and keeps it exactly.
    fn from_str(text: &str) -> Result<Self, TokenError> {
        read(text).map(|_| Self(text.into()))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

/// Why a token cannot be read, or not be attenuated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not base64.
    #[error(transparent)]
    Base64(#[from] Base64Error),
    /// Not a macaroon.
    #[error(transparent)]
    Macaroon(#[from] MacaroonError),
    /// More than [`MAX_TOKEN_BYTES`] before base64.
    #[error("token longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// More than [`MAX_TOKEN_CAVEATS`].
    #[error("token with more than {MAX_TOKEN_CAVEATS} caveats")]
    TooManyCaveats,
}

impl TokenError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Base64(error) => error.code(),
            Self::Macaroon(error) => error.code(),
            Self::TooLong => "token_too_long",
            Self::TooManyCaveats => "token_too_many_caveats",
        }
    }
}

/// Adds first-party caveats to a token, as its holder; the result is narrower, never wider.
///
/// A token of any macaroon format is taken, and stays in its format.
///
/// # Errors
/// [`TokenError`] when the text is no macaroon, or the result is more than a server would read.
pub fn attenuate_token(token: &str, caveats: &[&str]) -> Result<Token, TokenError> {
    let (format, mut macaroon) = read(token)?;
    for caveat in caveats {
        macaroon.attenuate(caveat.as_bytes())?;
    }
    if macaroon.caveats().len() > MAX_TOKEN_CAVEATS {
        return Err(TokenError::TooManyCaveats);
    }
    let bytes = macaroon.to_format(format)?;
    if bytes.len() > MAX_TOKEN_BYTES {
        return Err(TokenError::TooLong);
    }
    Ok(Token::from_bytes(&bytes))
}

fn read(text: &str) -> Result<(Format, Macaroon), TokenError> {
    // Before any room is made for it.
    if base64::decoded_len(text.len()) > crate::macaroon::MAX_BYTES + 2 {
        return Err(MacaroonError::TooLong.into());
    }
    let bytes = base64::decode(text)?;
    let format = Format::sniff(&bytes).ok_or(MacaroonError::Format)?;
    Ok((format, Macaroon::parse(&bytes)?))
}

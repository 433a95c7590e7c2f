//! The L402 challenge among whatever else a response carries.

use alloc::string::String;
use core::fmt;

/// The authentication scheme that a challenge came with; both mean the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `L402`.
    #[default]
    L402,
    /// `LSAT`, the scheme's first name.
    Lsat,
}

impl Scheme {
    /// As a header writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::L402 => "L402",
            Self::Lsat => "LSAT",
        }
    }

    /// Reads a scheme's name in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::L402, Self::Lsat].into_iter().find(|s| name.eq_ignore_ascii_case(s.as_str()))
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which part of the response a challenge was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChallengeSource {
    /// The JSON body.
    Body,
    /// A `WWW-Authenticate` line.
    Header,
}

/// A complete challenge: a token, and the invoice whose preimage makes it a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme to answer with.
    pub scheme: Scheme,
    /// The token's exact text, to be echoed as it is.
    pub token: String,
    /// The BOLT 11 invoice's text, not parsed yet.
    pub invoice: String,
    /// Where it was found.
    pub source: ChallengeSource,
}

/// Why a challenge is refused although it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChallengeError {
    /// A parameter, or a member of the body, occurs twice: which one counts is anyone's guess.
    #[error("the challenge repeats a parameter")]
    RepeatedParameter,
    /// Two parameters or members give different tokens.
    #[error("the challenge gives two different tokens")]
    TokenMismatch,
}

impl ChallengeError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RepeatedParameter => "challenge_repeated_parameter",
            Self::TokenMismatch => "challenge_token_mismatch",
        }
    }
}

/// Reads a 402's challenge: the first complete one of its `WWW-Authenticate` lines, else the JSON body's
/// (docs/PROTOCOL.md §5, step 2). `None` when there is none, and the response is the caller's to hand back untouched.
///
/// # Errors
/// [`ChallengeError`] for a challenge that says two things at once.
pub fn read_challenge<'a>(
    www_authenticate: impl IntoIterator<Item = &'a [u8]>,
    body: Option<&[u8]>,
) -> Result<Option<Challenge>, ChallengeError> {
    let _ = (www_authenticate.into_iter(), body);
    todo!()
}

/// The value of the `WWW-Authenticate` line that offers `token` for `invoice`; the order is what deployed clients
/// rely on (docs/PROTOCOL.md §3).
pub fn challenge_header(token: &str, invoice: &str) -> String {
    let _ = (token, invoice);
    todo!()
}

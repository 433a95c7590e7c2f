//! The L402 challenge among whatever else a response carries.

use alloc::string::String;
use core::fmt;

use super::body;
use super::grammar::{AuthChallenge, AuthData, Challenges};

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
#[derive(Clone, PartialEq, Eq)]
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

impl fmt::Debug for Challenge {
    /// Without the token: with its preimage it is money.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge")
            .field("scheme", &self.scheme)
            .field("token", &format_args!("[redacted]"))
            .field("invoice", &self.invoice)
            .field("source", &self.source)
            .finish()
    }
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

/// Reads a 402's challenge: the first complete one of its `WWW-Authenticate` lines, else the JSON
/// body's (docs/PROTOCOL.md §5, step 2). `None` when there is none; the response is then the
/// caller's to hand back untouched.
///
/// A challenge is complete when it has an invoice and a token that can stand in a header: visible
/// ASCII, not empty. Lines are read one by one, so parts of two never make one challenge. The rest
/// of a line after a syntax error is not read. A body above 64 KiB is not read either.
///
/// ```
/// use plannt_core::read_challenge;
///
/// let line = br#"LSAT macaroon="AgEE", invoice="lnbc1""#;
/// let challenge = read_challenge([&line[..]], None)?.expect("complete");
/// assert_eq!((&*challenge.token, &*challenge.invoice), ("AgEE", "lnbc1"));
/// # Ok::<(), plannt_core::ChallengeError>(())
/// ```
///
/// # Errors
/// [`ChallengeError`] for a challenge that says two things at once.
pub fn read_challenge<'a>(
    www_authenticate: impl IntoIterator<Item = &'a [u8]>,
    body: Option<&[u8]>,
) -> Result<Option<Challenge>, ChallengeError> {
    for line in www_authenticate {
        for challenge in Challenges::new(line).map_while(Result::ok) {
            if let Some(found) = from_header(&challenge)? {
                return Ok(Some(found));
            }
        }
    }
    body.map_or(Ok(None), body::read)
}

/// The value of the `WWW-Authenticate` line that offers `token` for `invoice`: what
/// docs/PROTOCOL.md §3 shows, to the byte, because deployed clients rely on the order.
///
/// ```
/// assert_eq!(
///     plannt_core::challenge_header("AgEE", "lnbc1"),
///     r#"L402 macaroon="AgEE", invoice="lnbc1", version="0", token="AgEE""#
/// );
/// ```
pub fn challenge_header(token: &str, invoice: &str) -> String {
    let mut text = String::with_capacity(2 * token.len() + invoice.len() + 64);
    text.push_str("L402 macaroon=");
    push_quoted(&mut text, token);
    text.push_str(", invoice=");
    push_quoted(&mut text, invoice);
    text.push_str(", version=\"0\", token=");
    push_quoted(&mut text, token);
    text
}

/// Tokens and invoices hold nothing to escape; the header stays well formed if one ever does.
fn push_quoted(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
}

fn from_header(challenge: &AuthChallenge<'_>) -> Result<Option<Challenge>, ChallengeError> {
    let (Some(scheme), AuthData::Params(params)) =
        (Scheme::from_name(challenge.scheme), &challenge.data)
    else {
        return Ok(None);
    };
    let repeated = params.iter().enumerate().any(|(i, param)| {
        params[..i].iter().any(|earlier| earlier.name.eq_ignore_ascii_case(param.name))
    });
    let mut found = Parts::new(scheme, repeated);
    for param in params {
        let value = usable(&param.value);
        if param.name.eq_ignore_ascii_case("invoice") {
            found.invoice = found.invoice.or(value);
        } else if ["macaroon", "token"].iter().any(|name| param.name.eq_ignore_ascii_case(name)) {
            found.add_token(value);
        }
    }
    found.complete(ChallengeSource::Header)
}

/// A challenge's parts while they are collected.
pub(super) struct Parts<'a> {
    pub(super) scheme: Scheme,
    pub(super) invoice: Option<&'a str>,
    /// A parameter was given twice.
    repeated: bool,
    token: Option<&'a str>,
    /// A token was given more than once, and not the same one.
    mismatch: bool,
    /// A token was given, be it one that can't be used.
    seen: bool,
}

impl<'a> Parts<'a> {
    pub(super) fn new(scheme: Scheme, repeated: bool) -> Self {
        Self { scheme, invoice: None, repeated, token: None, mismatch: false, seen: false }
    }

    pub(super) fn add_token(&mut self, token: Option<&'a str>) {
        self.mismatch |= self.seen && self.token != token;
        self.seen = true;
        self.token = self.token.or(token);
    }

    /// An incomplete challenge is none at all, whatever else is wrong with it.
    pub(super) fn complete(
        self,
        source: ChallengeSource,
    ) -> Result<Option<Challenge>, ChallengeError> {
        let (Some(token), Some(invoice)) = (self.token, self.invoice) else { return Ok(None) };
        if self.repeated {
            return Err(ChallengeError::RepeatedParameter);
        }
        if self.mismatch {
            return Err(ChallengeError::TokenMismatch);
        }
        let (token, invoice) = (token.into(), invoice.into());
        Ok(Some(Challenge { scheme: self.scheme, token, invoice, source }))
    }
}

/// A value that can be sent in a header as it is.
pub(super) fn usable(value: &[u8]) -> Option<&str> {
    let visible = !value.is_empty() && value.iter().all(u8::is_ascii_graphic);
    core::str::from_utf8(value).ok().filter(|_| visible)
}

//! Says what a text of the protocol is and what is in it: for people, and for tools that print
//! JSON. Nothing here is verified against a key, and no preimage is ever repeated.

mod token;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Serialize;

pub use token::{DecodedCaveat, DecodedToken};

use crate::challenge::{AuthData, Challenges};
use crate::{
    Challenge, ChallengeError, ChallengeSource, Credential, CredentialError, InvoiceError,
    InvoiceFacts, Scheme, TokenError, TokenText, read_challenge, read_invoice,
};

/// Longest text that is looked at, in bytes.
const MAX_TEXT_BYTES: usize = 262_144;

/// What a text is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Decoded {
    /// A 402's challenge: header lines or the JSON body.
    Challenge(Box<DecodedChallenge>),
    /// An `Authorization` value.
    Credential(DecodedCredential),
    /// A BOLT 11 invoice, signed right.
    Invoice(DecodedInvoice),
    /// A token on its own.
    Token(DecodedToken),
}

/// A part that may be unreadable while the whole is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Reading<T> {
    /// What is wrong with it.
    Unreadable {
        /// The error's stable code.
        error: &'static str,
        /// The error's message.
        message: String,
    },
    /// What is in it.
    Value(T),
}

/// A challenge's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DecodedChallenge {
    /// `L402` or `LSAT`.
    pub scheme: &'static str,
    /// `header` or `body`.
    pub source: &'static str,
    /// Its token; other servers' may be anything.
    pub token: Reading<DecodedToken>,
    /// Its invoice.
    pub invoice: Reading<DecodedInvoice>,
    /// Whether token and invoice have the same payment hash; `None` where one of them has none.
    pub payment_hash_matches: Option<bool>,
}

/// A credential's content, without its preimage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DecodedCredential {
    /// Its tokens.
    pub tokens: Vec<Reading<DecodedToken>>,
    /// Whether SHA-256 of the preimage is the payment hash of every token; `None` where a token has
    /// none.
    pub preimage_matches: Option<bool>,
}

/// An invoice's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DecodedInvoice {
    /// Hex.
    pub payment_hash: String,
    /// The amount in msat; `None` when the payer chooses it.
    pub amount_msat: Option<u64>,
    /// The network's name.
    pub network: &'static str,
    /// Unix seconds.
    pub issued_at: u64,
    /// Unix seconds.
    pub expires_at: u64,
    /// The payee's public key, hex.
    pub payee: Option<String>,
    /// The description, control characters replaced.
    pub description: Option<String>,
}

/// Why a text can't be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A challenge that says two things at once.
    #[error(transparent)]
    Challenge(#[from] ChallengeError),
    /// A malformed credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// A challenge without a token or without an invoice.
    #[error("the challenge has no token or no invoice")]
    IncompleteChallenge,
    /// A bad invoice.
    #[error(transparent)]
    Invoice(#[from] InvoiceError),
    /// Longer than is looked at.
    #[error("the text has more than 262144 bytes")]
    TooLong,
    /// None of what is known here.
    #[error("not a challenge, a credential, a token or an invoice")]
    Unrecognized,
}

impl DecodeError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Challenge(error) => error.code(),
            Self::Credential(error) => error.code(),
            Self::IncompleteChallenge => "challenge_incomplete",
            Self::Invoice(error) => error.code(),
            Self::TooLong => "decode_too_long",
            Self::Unrecognized => "decode_unrecognized",
        }
    }
}

/// Decodes a `WWW-Authenticate` or `Authorization` value with or without the header's name (several
/// lines, as a terminal shows them, are fine), a challenge's JSON body, a token in any macaroon
/// format as base64, hex or JSON, or an invoice with or without `lightning:`.
///
/// ```
/// use plannt_core::decode::{Decoded, decode_any};
///
/// let text = "WWW-Authenticate: L402 macaroon=\"AgEE\", invoice=\"lnbc1\"";
/// let Ok(Decoded::Challenge(challenge)) = decode_any(text) else { unreachable!() };
/// assert_eq!(challenge.scheme, "L402");
/// ```
///
/// # Errors
/// [`DecodeError`], which repeats nothing of the text.
pub fn decode_any(text: &str) -> Result<Decoded, DecodeError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(DecodeError::TooLong);
    }
    let text = text.trim();
    let lines = || text.lines().map(header_value);
    let body = text.starts_with('{').then_some(text.as_bytes());
    if let Some(challenge) = read_challenge(lines().map(str::as_bytes), body)? {
        return Ok(Decoded::Challenge(Box::new(describe_challenge(&challenge))));
    }
    if lines().any(is_challenge) {
        return Err(DecodeError::IncompleteChallenge);
    }
    if let Some(credential) = Credential::from_authorization(lines().map(str::as_bytes))? {
        return Ok(Decoded::Credential(describe_credential(&credential)));
    }
    let value = lines().next().unwrap_or_default();
    let uri = strip_prefix_ignoring_case(value, "lightning:");
    let invoice = read_invoice(uri.unwrap_or(value));
    if let Ok(facts) = &invoice {
        return Ok(Decoded::Invoice(describe_invoice(facts)));
    }
    // JSON may go over several lines.
    if let Some(token) = token::recognize(if body.is_some() { text } else { value }) {
        return Ok(Decoded::Token(token));
    }
    match invoice {
        Err(error) if uri.is_some() || looks_like_an_invoice(value) => Err(error.into()),
        _ => Err(DecodeError::Unrecognized),
    }
}

/// The value of a line that may begin with a header's name, and with what `curl -v` writes before.
fn header_value(line: &str) -> &str {
    let line = line.trim();
    let line = line.strip_prefix(['<', '>']).map_or(line, str::trim_start);
    ["www-authenticate:", "authorization:", "grpc-metadata-macaroon:", "macaroon:"]
        .into_iter()
        .find_map(|name| strip_prefix_ignoring_case(line, name))
        .map_or(line, str::trim_start)
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Whether a line has our scheme with parameters: a challenge, be it an incomplete one.
fn is_challenge(line: &str) -> bool {
    Challenges::new(line.as_bytes()).map_while(Result::ok).any(|challenge| {
        Scheme::from_name(challenge.scheme).is_some()
            && matches!(challenge.data, AuthData::Params(params) if !params.is_empty())
    })
}

fn looks_like_an_invoice(text: &str) -> bool {
    ["lnbc", "lntb", "lnsb"].iter().any(|p| strip_prefix_ignoring_case(text, p).is_some())
}

fn describe_challenge(challenge: &Challenge) -> DecodedChallenge {
    let token = token::read(TokenText::Base64(&challenge.token));
    let facts = read_invoice(&challenge.invoice);
    let hashes = (token.as_ref().ok().and_then(|t| t.payment_hash.clone()), facts.as_ref().ok());
    let payment_hash_matches = match hashes {
        (Some(hash), Some(facts)) => Some(hash == facts.payment_hash.to_string()),
        _ => None,
    };
    DecodedChallenge {
        scheme: challenge.scheme.as_str(),
        source: match challenge.source {
            ChallengeSource::Body => "body",
            ChallengeSource::Header => "header",
        },
        token: reading(token),
        invoice: match &facts {
            Ok(facts) => Reading::Value(describe_invoice(facts)),
            Err(error) => unreadable(error.code(), error),
        },
        payment_hash_matches,
    }
}

fn describe_credential(credential: &Credential<'_>) -> DecodedCredential {
    let tokens: Vec<_> = credential.tokens().map(token::read).collect();
    let paid = credential.preimage().map(|preimage| preimage.payment_hash().to_string());
    let hash = |token: &Result<DecodedToken, TokenError>| {
        token.as_ref().ok().and_then(|token| token.payment_hash.clone())
    };
    let hashes: Option<Vec<_>> = tokens.iter().map(hash).collect();
    let preimage_matches =
        hashes.zip(paid).map(|(hashes, paid)| hashes.iter().all(|hash| *hash == paid));
    DecodedCredential { tokens: tokens.into_iter().map(reading).collect(), preimage_matches }
}

fn describe_invoice(facts: &InvoiceFacts) -> DecodedInvoice {
    DecodedInvoice {
        payment_hash: facts.payment_hash.to_string(),
        amount_msat: facts.amount_msat,
        network: facts.network.name(),
        issued_at: facts.issued_at,
        expires_at: facts.expires_at,
        payee: facts.payee.map(|key| token::hex_text(&key)),
        description: facts.description.clone(),
    }
}

fn reading(token: Result<DecodedToken, TokenError>) -> Reading<DecodedToken> {
    match token {
        Ok(token) => Reading::Value(token),
        Err(error) => unreadable(error.code(), error),
    }
}

fn unreadable<T>(error: &'static str, message: impl ToString) -> Reading<T> {
    Reading::Unreadable { error, message: message.to_string() }
}

#[cfg(test)]
mod tests;

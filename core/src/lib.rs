//! The L402 protocol without I/O: no clock, no randomness, no sockets.
//!
//! A server [mints](Keyring::mint) a credential's token from its root key and a payment hash, and
//! [verifies](Keyring::verify) what comes back; a client reads a [challenge], checks the
//! invoice, and drives the paying [flow]. Time and randomness are arguments.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod authorization;
pub mod base64;
pub mod caveat;
pub mod challenge;
mod code;
mod content;
#[cfg(feature = "invoice")]
pub mod decode;
pub mod flow;
mod grpc;
mod hex;
mod identifier;
mod invoice;
mod keyring;
mod mac;
pub mod macaroon;
mod mint;
mod path;
mod scan;
mod token;
mod types;
mod verify;

pub use authorization::{
    Credential, CredentialError, MAX_AUTHORIZATION_BYTES, MAX_CREDENTIAL_TOKENS, MAX_TOKEN_BYTES,
    TokenText, authorization_value, authorization_value_for,
};
pub use challenge::{
    Challenge, ChallengeBody, ChallengeError, ChallengeSource, Scheme, challenge_header,
    error_body, parse_challenges, read_challenge,
};
pub use code::Code;
pub use content::{
    content_digest, content_digest_text, parse_content_digest, query_digest, query_of,
};
#[cfg(feature = "invoice")]
pub use decode::{DecodeError, Decoded, decode_any};
pub use grpc::grpc_metadata_value;
pub use identifier::{Identifier, IdentifierError};
#[cfg(feature = "invoice")]
pub use invoice::read_invoice;
pub use invoice::{InvoiceError, InvoiceFacts};
pub use keyring::Keyring;
pub use mint::{MAX_MINTED_TOKEN_BYTES, MintError, MintRequest};
pub use path::{PathError, PathRules, normalize_path};
pub use token::{Token, TokenError, attenuate_token};
pub use types::{HexError, Network, PaymentHash, Preimage, RootKey, UnknownNetworkError};
pub use verify::{MAX_TOKEN_CAVEATS, RequestContext, SPEND_GRACE_SECONDS, Verified, VerifyError};

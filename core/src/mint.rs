//! Minting: the caveats of a new token, in the one order that verifying takes
//! (docs/PROTOCOL.md §2).

use core::num::NonZeroU32;

use crate::{Keyring, PaymentHash, Token};

/// The most bytes of a minted token, before base64 (docs/PROTOCOL.md §1).
pub const MAX_MINTED_TOKEN_BYTES: usize = 1_024;

/// What a token is minted for.
///
/// ```
/// use plannt_core::{Keyring, MintRequest, Network, PaymentHash, RootKey};
/// let keyring = Keyring::new(Network::Regtest, RootKey::from_bytes([1; 32]));
/// let payment_hash = PaymentHash::from_bytes([2; 32]);
/// let request = MintRequest::new(payment_hash, "demo", "GET", "/v1/demo", 1_900_000_000, 21_000);
/// let token = keyring.mint(&request)?;
/// assert_eq!(token.parse_macaroon()?.caveats().next().unwrap().id, b"services=demo:0");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MintRequest<'a> {
    /// Of the invoice in the same challenge.
    pub payment_hash: PaymentHash,
    /// The service sold, `[a-z0-9-]+`.
    pub service: &'a str,
    /// The service's tier.
    pub tier: u8,
    /// When the credential ends to be valid, unix seconds.
    pub valid_until: u64,
    /// The HTTP method, upper case.
    pub method: &'a str,
    /// The normalized path, or with a final `*` all paths that begin so.
    pub path: &'a str,
    /// What the invoice asks for, msat.
    pub max_price_msat: u64,
    /// How many uses are sold.
    pub uses: NonZeroU32,
    /// SHA-256 of the query, where the route binds it.
    pub query: Option<[u8; 32]>,
    /// SHA-256 of the body, where the route binds it.
    pub digest: Option<[u8; 32]>,
    /// Capabilities sold; none when empty.
    pub capabilities: &'a [&'a str],
}

impl<'a> MintRequest<'a> {
    /// A request for one use at tier 0, with nothing bound but method and path. `valid_until` in
    /// unix seconds.
    pub fn new(
        payment_hash: PaymentHash,
        service: &'a str,
        method: &'a str,
        path: &'a str,
        valid_until: u64,
        max_price_msat: u64,
    ) -> Self {
        Self {
            payment_hash,
            service,
            tier: 0,
            valid_until,
            method,
            path,
            max_price_msat,
            uses: NonZeroU32::MIN,
            query: None,
            digest: None,
            capabilities: &[],
        }
    }

    /// Bytes of the token before base64, known before there is an invoice. Above
    /// [`MAX_MINTED_TOKEN_BYTES`] the answer is 414.
    pub fn encoded_len(&self) -> usize {
        todo!()
    }
}

/// Why a token was not minted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// A capability is empty, or has a comma, a space or a byte outside printable ASCII.
    #[error("invalid capability")]
    InvalidCapability,
    /// The method is not an HTTP method in upper case.
    #[error("invalid method")]
    InvalidMethod,
    /// The path does not begin with `/`, or holds what a normalized path does not.
    #[error("invalid path")]
    InvalidPath,
    /// The service's name is not `[a-z0-9-]+`.
    #[error("invalid service name")]
    InvalidService,
    /// The token's text holds `LSAT`, which one deployed client cuts out: take another invoice.
    #[error("the token's text holds a scheme's name; take another invoice")]
    TokenTextCollision,
    /// More than [`MAX_MINTED_TOKEN_BYTES`] before base64.
    #[error("token longer than {MAX_MINTED_TOKEN_BYTES} bytes")]
    TooLong,
}

impl MintError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidCapability => "invalid_capability",
            Self::InvalidMethod => "invalid_method",
            Self::InvalidPath => "invalid_path",
            Self::InvalidService => "invalid_service",
            Self::TokenTextCollision => "token_text_collision",
            Self::TooLong => "token_too_long",
        }
    }
}

impl Keyring {
    /// Mints a token under the minting key.
    ///
    /// # Errors
    /// [`MintError`]; after [`MintError::TokenTextCollision`] another payment hash does it.
    pub fn mint(&self, request: &MintRequest<'_>) -> Result<Token, MintError> {
        let _ = request;
        todo!()
    }
}

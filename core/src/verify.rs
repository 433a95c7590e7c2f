//! Verifying a credential for one request (docs/PROTOCOL.md §3, "The answers").

use alloc::string::String;

use crate::{Credential, CredentialError, Keyring, PaymentHash};

/// The most caveats of a token that the L402 layer reads.
pub const MAX_TOKEN_CAVEATS: usize = 64;

/// How long an entry of the spent set outlives the minted `valid_until`, in seconds.
pub const SPEND_GRACE_SECONDS: u64 = 300;

/// What is asked for, against which a credential is held.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'a> {
    /// The verifier's clock, unix seconds.
    pub now: u64,
    /// The service that the request's authority chose.
    pub service: &'a str,
    /// The tier of that service.
    pub tier: u8,
    /// The request's method, upper case.
    pub method: &'a str,
    /// The normalized path.
    pub path: &'a str,
    /// SHA-256 of the bytes after the first `?`; of nothing when there is none.
    pub query: [u8; 32],
    /// Whether the route binds the query: a chain without `query` is then refused.
    pub requires_query: bool,
    /// SHA-256 of the body, when it was read. A chain that binds the body is refused without.
    pub digest: Option<[u8; 32]>,
    /// Whether the route binds the body: a chain without `digest` is then refused.
    pub requires_digest: bool,
    /// The lowest price that this request had during the last validity window, msat.
    pub lowest_price_msat: u64,
    /// The capability that the route asks for. Such a route must mint it, too: to a chain without
    /// capabilities its holder can add one.
    pub capability: Option<&'a str>,
    /// Whether conditions that are not known are refused instead of skipped.
    pub strict: bool,
}

/// What a credential that holds is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// What was paid; the spend store's entry.
    pub payment_hash: PaymentHash,
    /// How many uses the entry may have; 1 unless the chain says more.
    pub uses: u32,
    /// When the credential ends, unix seconds.
    pub valid_until: u64,
    /// Until when the spent set keeps the entry, unix seconds: the minted `valid_until`, which no
    /// holder moves, and [`SPEND_GRACE_SECONDS`].
    pub keep_until: u64,
}

/// Why a credential was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// All holds but the time.
    #[error("credential expired")]
    Expired,
    /// Forged, tampered with, under an unknown key, with a wrong preimage, or with a third-party
    /// caveat. It does not say which.
    #[error("invalid credential")]
    Invalid,
    /// It cannot be read.
    #[error(transparent)]
    Malformed(#[from] CredentialError),
    /// It is for something else, or a later caveat widens an earlier one.
    #[error("credential does not allow this: {condition}")]
    OutOfScope {
        /// The condition that fails, as the caveat writes it.
        condition: String,
    },
}

impl VerifyError {
    /// The stable code of this error (docs/PROTOCOL.md §3).
    pub fn code(&self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Invalid => "invalid_credential",
            Self::Malformed(error) => error.code(),
            Self::OutOfScope { .. } => "out_of_scope",
        }
    }
}

impl Keyring {
    /// Checks all of a credential but whether it is spent; allocates nothing when it holds.
    ///
    /// # Errors
    /// [`VerifyError`], the first failure in the order of docs/PROTOCOL.md §3.
    pub fn verify(
        &self,
        credential: &Credential<'_>,
        request: &RequestContext<'_>,
    ) -> Result<Verified, VerifyError> {
        let _ = (credential, request);
        todo!()
    }
}

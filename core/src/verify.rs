//! Verifying a credential for one request (docs/PROTOCOL.md §3, "The answers").

use alloc::string::String;

use crate::caveat::{Chain, ChainFailure};
use crate::macaroon::MacaroonRef;
use crate::{
    Credential, CredentialError, Keyring, MAX_TOKEN_BYTES, PaymentHash, Preimage, TokenText, base64,
};

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
    /// The capability that the route asks for. Such a route must mint it, too: where the mint of a
    /// chain would have written capabilities, its holder can write them.
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

    /// The condition that fails, for `out_of_scope`. What is malformed says its own message, and
    /// the others have no detail.
    pub fn condition(&self) -> Option<&str> {
        match self {
            Self::OutOfScope { condition } => Some(condition),
            _ => None,
        }
    }
}

/// The first failure of one token. With several tokens the earliest kind decides.
enum Failure {
    Malformed(CredentialError),
    Invalid,
    OutOfScope(String),
    /// The route binds what the chain leaves open. It is `Invalid`, found out late.
    Unbound,
    Expired,
}

impl Failure {
    /// Its place in the order of docs/PROTOCOL.md §3.
    fn rank(&self) -> u8 {
        match self {
            Self::Malformed(_) => 0,
            Self::Invalid => 1,
            Self::OutOfScope(_) => 2,
            Self::Unbound => 3,
            Self::Expired => 4,
        }
    }
}

impl From<ChainFailure> for Failure {
    fn from(failure: ChainFailure) -> Self {
        match failure {
            ChainFailure::NotMinted => Self::Invalid,
            ChainFailure::OutOfScope(condition) => Self::OutOfScope(condition),
            ChainFailure::Unbound => Self::Unbound,
        }
    }
}

impl From<Failure> for VerifyError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Malformed(error) => Self::Malformed(error),
            Failure::Invalid | Failure::Unbound => Self::Invalid,
            Failure::OutOfScope(condition) => Self::OutOfScope { condition },
            Failure::Expired => Self::Expired,
        }
    }
}

impl Keyring {
    /// Checks all of a credential but whether it is spent; allocates nothing when it holds.
    ///
    /// Of several tokens each has to hold, and all have the same payment hash; together they are
    /// one use, with the fewest uses and the longest keeping.
    ///
    /// # Errors
    /// [`VerifyError`], the first failure in the order of docs/PROTOCOL.md §3.
    pub fn verify(
        &self,
        credential: &Credential<'_>,
        request: &RequestContext<'_>,
    ) -> Result<Verified, VerifyError> {
        let mut all: Result<Option<Verified>, Failure> = Ok(None);
        for token in credential.tokens() {
            let one = self.verify_text(token, credential.preimage(), request);
            all = match (all, one) {
                (Ok(None), one) => one.map(Some),
                (Ok(Some(all)), Ok(one)) => all.together_with(one).map(Some),
                (Err(failure), Ok(_)) | (Ok(Some(_)), Err(failure)) => Err(failure),
                (Err(earlier), Err(later)) => {
                    Err(if later.rank() < earlier.rank() { later } else { earlier })
                }
            };
        }
        // `Credential` has at least one token.
        all.and_then(|all| all.ok_or(Failure::Invalid)).map_err(VerifyError::from)
    }

    /// Decodes into a buffer on the stack; clearing the largest for every token would cost more
    /// than reading a token of the usual size.
    fn verify_text(
        &self,
        token: TokenText<'_>,
        preimage: Option<&Preimage>,
        request: &RequestContext<'_>,
    ) -> Result<Verified, Failure> {
        let len = match token {
            TokenText::Base64(text) => base64::decoded_len(text.len()),
            TokenText::Hex(text) => text.len() / 2,
        };
        if len <= 512 {
            self.verify_in(&mut [0; 512], token, preimage, request)
        } else {
            self.verify_large(token, preimage, request)
        }
    }

    /// Apart, so that its buffer is not on the stack of the usual case.
    #[inline(never)]
    fn verify_large(
        &self,
        token: TokenText<'_>,
        preimage: Option<&Preimage>,
        request: &RequestContext<'_>,
    ) -> Result<Verified, Failure> {
        self.verify_in(&mut [0; MAX_TOKEN_BYTES], token, preimage, request)
    }

    fn verify_in(
        &self,
        buffer: &mut [u8],
        token: TokenText<'_>,
        preimage: Option<&Preimage>,
        request: &RequestContext<'_>,
    ) -> Result<Verified, Failure> {
        let bytes = token.decode_to(buffer).map_err(Failure::Malformed)?;
        let macaroon = MacaroonRef::parse(bytes)
            .map_err(|error| Failure::Malformed(CredentialError::Macaroon(error)))?;
        if macaroon.caveat_count() > MAX_TOKEN_CAVEATS {
            return Err(Failure::Malformed(CredentialError::TooManyCaveats));
        }
        self.verify_macaroon(&macaroon, preimage, request)
    }

    fn verify_macaroon(
        &self,
        macaroon: &MacaroonRef<'_>,
        preimage: Option<&Preimage>,
        request: &RequestContext<'_>,
    ) -> Result<Verified, Failure> {
        // No caveat is read before the MAC over all of them is finished.
        let payment_hash = self.authenticate(macaroon, preimage).ok_or(Failure::Invalid)?;
        let chain = Chain::read(macaroon.caveats(), request.strict)?;
        chain.allows(request)?;
        if request.now >= chain.valid_until() {
            return Err(Failure::Expired);
        }
        Ok(Verified {
            payment_hash,
            uses: chain.uses(),
            valid_until: chain.valid_until(),
            keep_until: chain.minted_valid_until().saturating_add(SPEND_GRACE_SECONDS),
        })
    }
}

impl Verified {
    fn together_with(self, other: Self) -> Result<Self, Failure> {
        if self.payment_hash != other.payment_hash {
            return Err(Failure::Invalid);
        }
        Ok(Self {
            payment_hash: self.payment_hash,
            uses: self.uses.min(other.uses),
            valid_until: self.valid_until.min(other.valid_until),
            keep_until: self.keep_until.max(other.keep_until),
        })
    }
}

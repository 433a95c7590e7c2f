//! Keyring, credentials, and what they are held against.

use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};

use plannt_core as core;
use plannt_core::macaroon::MacaroonRef;
use plannt_core::{MAX_TOKEN_BYTES, PaymentHash};

use crate::convert::{Convert, record};
use crate::{
    Bytes32, Count, CredentialError, Macaroon, MintError, Msat, Network, Preimage, RootKey,
    SecretText, Tier, UnixSeconds, VerifyError,
};

/// The root keys of one network and one spend store (docs/PROTOCOL.md §1). Never printed; erased when it is freed.
#[derive(uniffi::Object)]
pub struct Keyring(RwLock<Ring>);

struct Ring {
    ring: core::Keyring,
    /// The same keys, the minting one first, for a ring with one more.
    keys: Vec<core::RootKey>,
}

impl Keyring {
    fn read<T>(&self, work: impl FnOnce(&core::Keyring) -> T) -> T {
        work(&self.0.read().unwrap_or_else(PoisonError::into_inner).ring)
    }
}

#[uniffi::export]
impl Keyring {
    /// A ring of one key, which mints and verifies.
    #[uniffi::constructor]
    pub fn new(network: Network, minting: &RootKey) -> Self {
        let ring = core::Keyring::new(network.convert(), minting.0.clone());
        Self(RwLock::new(Ring { ring, keys: vec![minting.0.clone()] }))
    }

    /// A ring with one more key, which verifies and does not mint.
    pub fn with_verifying(&self, key: &RootKey) -> Self {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut keys = held.keys.clone();
        keys.push(key.0.clone());
        let ring = core::Keyring::new(held.ring.network(), keys[0].clone());
        let ring = keys[1..].iter().cloned().fold(ring, core::Keyring::with_verifying);
        Self(RwLock::new(Ring { ring, keys }))
    }

    /// Mints with a new key from now on; the old ones still verify.
    pub fn rotate(&self, minting: &RootKey) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        held.ring.rotate(minting.0.clone());
        held.keys.insert(0, minting.0.clone());
    }

    /// The network that its invoices are on.
    pub fn network(&self) -> Network {
        self.read(core::Keyring::network).convert()
    }

    /// How many keys verify; the minting one is one of them.
    pub fn len(&self) -> Count {
        self.read(core::Keyring::len).convert()
    }

    /// Mints a token under the minting key. After `TokenTextCollision` another payment hash does it.
    pub fn mint(&self, request: MintRequest) -> Result<String, MintError> {
        let capabilities = request.capabilities();
        let request = request.borrowed(&capabilities)?;
        let minted = self.read(|ring| ring.mint(&request));
        Ok(minted?.into_string())
    }

    /// Mints a token with caveats of the caller's own instead of L402's, for a server that authenticates and reads them
    /// itself; `verify` refuses what does not begin as `mint` begins it.
    pub fn mint_chain(
        &self,
        payment_hash: PaymentHash,
        caveats: Vec<Vec<u8>>,
    ) -> Result<String, MintError> {
        let caveats: Vec<&[u8]> = caveats.iter().map(Vec::as_slice).collect();
        let minted = self.read(|ring| ring.mint_chain(&payment_hash, &caveats));
        Ok(minted?.into_string())
    }

    /// Checks all of a credential but whether it is spent; the error is the first failure in the order of
    /// docs/PROTOCOL.md §3.
    pub fn verify(
        &self,
        credential: &Credential,
        request: RequestContext,
    ) -> Result<Verified, VerifyError> {
        let credential = credential.borrowed().map_err(core::VerifyError::Malformed)?;
        let verified = self.read(|ring| ring.verify(&credential, &request.borrowed()));
        Ok(verified?.convert())
    }

    /// Who paid for a macaroon of this ring: all that `verify` proves about one token before it reads a caveat. None when
    /// identifier, key, signature or preimage is not right, or there is a third-party caveat; it does not say which.
    pub fn authenticate(
        &self,
        macaroon: &Macaroon,
        preimage: Option<Arc<Preimage>>,
    ) -> Option<PaymentHash> {
        let bytes = macaroon.to_v2();
        let macaroon = MacaroonRef::parse(&bytes).ok()?;
        self.read(|ring| {
            ring.authenticate(&macaroon, preimage.as_ref().map(|preimage| &preimage.0))
        })
    }
}

/// What a token is minted for.
#[derive(Clone, Debug, uniffi::Record)]
pub struct MintRequest {
    /// Of the invoice in the same challenge.
    pub payment_hash: PaymentHash,
    /// The service sold, `[a-z0-9-]+`.
    pub service: String,
    /// The service's tier.
    pub tier: Tier,
    /// When the credential ends to be valid, unix seconds.
    pub valid_until: UnixSeconds,
    /// The HTTP method, upper case.
    pub method: String,
    /// The normalized path, or with a final `*` all paths that begin so.
    pub path: String,
    /// What the invoice asks for, msat.
    pub max_price_msat: Msat,
    /// How many uses are sold, at least 1. The caveat is written for a single use, too.
    pub uses: Count,
    /// SHA-256 of the query, where the route binds it.
    #[uniffi(default = None)]
    pub query: Option<Bytes32>,
    /// SHA-256 of the body, where the route binds it.
    #[uniffi(default = None)]
    pub digest: Option<Bytes32>,
    /// Capabilities sold; none when empty.
    #[uniffi(default = [])]
    pub capabilities: Vec<String>,
}

impl MintRequest {
    fn capabilities(&self) -> Vec<&str> {
        self.capabilities.iter().map(String::as_str).collect()
    }

    fn borrowed<'a>(
        &'a self,
        capabilities: &'a [&'a str],
    ) -> Result<core::MintRequest<'a>, MintError> {
        Ok(core::MintRequest {
            payment_hash: self.payment_hash,
            service: &self.service,
            tier: self.tier.0,
            valid_until: self.valid_until.0,
            method: &self.method,
            path: &self.path,
            max_price_msat: self.max_price_msat.0,
            uses: NonZeroU32::new(self.uses.0).ok_or_else(MintError::uses)?,
            query: self.query.convert(),
            digest: self.digest.convert(),
            capabilities,
        })
    }
}

#[uniffi::export]
impl MintRequest {
    /// Bytes of the token before base64, known before there is an invoice. Above 1,024 the answer is 414.
    pub fn encoded_len(&self) -> Result<Count, MintError> {
        Ok(self.borrowed(&self.capabilities())?.encoded_len().convert())
    }
}

/// What is asked for, against which a credential is held.
#[derive(Clone, Debug, uniffi::Record)]
pub struct RequestContext {
    /// The verifier's clock, unix seconds.
    pub now: UnixSeconds,
    /// The service that the request's authority chose.
    pub service: String,
    /// The tier of that service.
    pub tier: Tier,
    /// The request's method, upper case.
    pub method: String,
    /// The normalized path.
    pub path: String,
    /// The lowest price that this request had during the last validity window, msat.
    pub lowest_price_msat: Msat,
    /// SHA-256 of the bytes after the first `?`; of nothing where it is absent.
    #[uniffi(default = None)]
    pub query: Option<Bytes32>,
    /// Whether the route binds the query: a chain without `query` is then refused.
    #[uniffi(default = false)]
    pub requires_query: bool,
    /// SHA-256 of the body, when it was read. A chain that binds the body is refused without.
    #[uniffi(default = None)]
    pub digest: Option<Bytes32>,
    /// Whether the route binds the body: a chain without `digest` is then refused.
    #[uniffi(default = false)]
    pub requires_digest: bool,
    /// The capability that the route asks for. Such a route must mint it, too: where the mint of a chain would have
    /// written capabilities, its holder can write them.
    #[uniffi(default = None)]
    pub capability: Option<String>,
    /// Whether conditions that are not known are refused instead of skipped.
    #[uniffi(default = false)]
    pub strict: bool,
}

impl RequestContext {
    fn borrowed(&self) -> core::RequestContext<'_> {
        core::RequestContext {
            now: self.now.0,
            service: &self.service,
            tier: self.tier.0,
            method: &self.method,
            path: &self.path,
            query: self.query.map_or_else(|| core::query_digest(b""), |digest| digest.0),
            requires_query: self.requires_query,
            digest: self.digest.convert(),
            requires_digest: self.requires_digest,
            lowest_price_msat: self.lowest_price_msat.0,
            capability: self.capability.as_deref(),
            strict: self.strict,
        }
    }
}

record! {
    /// What a credential that holds is good for.
    Verified from core::Verified {
        /// What was paid; the spend store's entry.
        payment_hash: PaymentHash,
        /// How many uses the entry may have; 1 unless the chain says more.
        uses: Count,
        /// When the credential ends, unix seconds.
        valid_until: UnixSeconds,
        /// Until when the spent set keeps the entry, unix seconds: the minted `valid_until`, which no holder moves, and
        /// five minutes.
        keep_until: UnixSeconds,
    }
}

/// A credential as it came: one or more tokens, and the preimage where the header carries it. Nothing is verified yet.
#[derive(uniffi::Object)]
pub struct Credential {
    lines: Vec<Vec<u8>>,
    grpc: bool,
}

impl Credential {
    /// The credential in its own text, which was read once already.
    pub(crate) fn borrowed(&self) -> Result<core::Credential<'_>, core::CredentialError> {
        if self.grpc {
            return core::Credential::from_grpc_metadata(&self.lines[0]);
        }
        let read = core::Credential::from_authorization(self.lines.iter().map(Vec::as_slice))?;
        read.ok_or(core::CredentialError::MissingCredential)
    }
}

#[uniffi::export]
impl Credential {
    /// Reads gRPC metadata `token` or `macaroon`: one token in hex, whose preimage is a caveat.
    #[uniffi::constructor]
    pub fn from_grpc_metadata(macaroon_hex: Vec<u8>) -> Result<Self, CredentialError> {
        core::Credential::from_grpc_metadata(&macaroon_hex)?;
        Ok(Self { lines: vec![macaroon_hex], grpc: true })
    }

    /// Its tokens in the order of the wire.
    pub fn tokens(&self) -> Result<Vec<TokenText>, CredentialError> {
        let credential = self.borrowed()?;
        let owned = |token: core::TokenText<'_>| match token {
            core::TokenText::Base64(text) => {
                TokenText { encoding: TokenEncoding::Base64, text: SecretText(text.into()) }
            }
            core::TokenText::Hex(text) => {
                TokenText { encoding: TokenEncoding::Hex, text: SecretText(text.into()) }
            }
        };
        Ok(credential.tokens().map(owned).collect())
    }

    /// The preimage after the colon; none for gRPC metadata.
    pub fn preimage(&self) -> Result<Option<Arc<Preimage>>, CredentialError> {
        Ok(self.borrowed()?.preimage().cloned().convert())
    }
}

/// Reads the values of a request's `Authorization` lines, in their order: the first with scheme `L402` or `LSAT` (any case)
/// decides, even when malformed. None when no line has that scheme.
#[uniffi::export]
pub fn credential_from_authorization(
    lines: Vec<Vec<u8>>,
) -> Result<Option<Arc<Credential>>, CredentialError> {
    let found = core::Credential::from_authorization(lines.iter().map(Vec::as_slice))?.is_some();
    Ok(found.then(|| Arc::new(Credential { lines, grpc: false })))
}

/// How a token's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum TokenEncoding {
    /// Base64 in any of the four variants, from `Authorization`.
    Base64,
    /// Hex of either case, from gRPC metadata.
    Hex,
}

/// One token of a credential, as text of the wire.
#[derive(Clone, Debug, uniffi::Record)]
pub struct TokenText {
    /// How it is written.
    pub encoding: TokenEncoding,
    /// The text.
    pub text: SecretText,
}

#[uniffi::export]
impl TokenText {
    /// The macaroon's bytes, at most 8 KiB.
    pub fn decode(&self) -> Result<Vec<u8>, CredentialError> {
        let text = match self.encoding {
            TokenEncoding::Base64 => core::TokenText::Base64(&self.text.0),
            TokenEncoding::Hex => core::TokenText::Hex(&self.text.0),
        };
        let mut buffer = vec![0; MAX_TOKEN_BYTES];
        Ok(text.decode_to(&mut buffer)?.to_vec())
    }
}

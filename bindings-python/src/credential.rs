//! Keyring, credentials, and what they are held against.

use std::num::NonZeroU32;
use std::sync::{PoisonError, RwLock};

use plannt_core::macaroon::MacaroonRef;
use plannt_core::{
    Credential, CredentialError, Keyring, MAX_TOKEN_BYTES, MintRequest, PaymentHash,
    RequestContext, RootKey, TokenText, Verified,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::{Amount, Bytes, Exactly, Hash, HeaderValue, Key, NetworkName, Proof, Seconds};
use crate::error::raise;
use crate::macaroon::PyMacaroon;
use crate::secrets::{PyPaymentHash, PyPreimage};

/// The root keys of one network and one spend store (docs/PROTOCOL.md §1). Never printed; erased when it is freed.
///
/// >>> import plannt
/// >>> ring = plannt.Keyring("regtest", plannt.RootKey(bytes(range(32))))
/// >>> preimage = plannt.Preimage(bytes(32))
/// >>> token = ring.mint(plannt.MintRequest(preimage.payment_hash(), "demo", "GET", "/v1/demo", 1_900_000_000, 21_000))
/// >>> line = plannt.authorization_value(token, preimage)
/// >>> credential = plannt.Credential.from_authorization([line])
/// >>> request = plannt.RequestContext(1_800_000_000, "demo", "GET", "/v1/demo", 21_000)
/// >>> ring.verify(credential, request).uses
/// 1
#[pyclass(frozen, name = "Keyring", module = "plannt")]
pub(crate) struct PyKeyring(RwLock<Ring>);

struct Ring {
    ring: Keyring,
    /// The same keys, the minting one first, for a ring with one more.
    keys: Vec<RootKey>,
}

impl PyKeyring {
    fn read<T>(&self, work: impl FnOnce(&Keyring) -> T) -> T {
        work(&self.0.read().unwrap_or_else(PoisonError::into_inner).ring)
    }
}

#[pymethods]
impl PyKeyring {
    #[new]
    fn new(network: NetworkName, minting: Key) -> Self {
        let ring = Keyring::new(network.0, minting.0.clone());
        Self(RwLock::new(Ring { ring, keys: vec![minting.0] }))
    }

    /// A ring with one more key, which verifies and does not mint.
    fn with_verifying(&self, key: Key) -> Self {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut keys = held.keys.clone();
        keys.push(key.0);
        let ring = Keyring::new(held.ring.network(), keys[0].clone());
        let ring = keys[1..].iter().cloned().fold(ring, Keyring::with_verifying);
        Self(RwLock::new(Ring { ring, keys }))
    }

    /// Mints with a new key from now on; the old ones still verify.
    fn rotate(&self, minting: Key) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        held.ring.rotate(minting.0.clone());
        held.keys.insert(0, minting.0);
    }

    /// The network that its invoices are on.
    #[getter]
    fn network(&self) -> &'static str {
        self.read(|ring| ring.network().name())
    }

    fn __len__(&self) -> usize {
        self.read(Keyring::len)
    }

    /// Mints a token under the minting key; raises `MintError`.
    fn mint(&self, py: Python<'_>, request: &Bound<'_, PyMintRequest>) -> PyResult<String> {
        let request = request.get();
        let minted = py.detach(|| {
            let capabilities = request.capabilities();
            self.read(|ring| ring.mint(&request.borrowed(&capabilities)))
        });
        minted.map(plannt_core::Token::into_string).map_err(raise)
    }

    /// Mints a token with caveats of one's own instead of L402's, for a server that authenticates and reads them itself;
    /// `verify` refuses what does not begin as `mint` begins it. Raises `MintError`.
    fn mint_chain(
        &self,
        py: Python<'_>,
        payment_hash: Hash,
        caveats: Vec<Bytes>,
    ) -> PyResult<String> {
        let minted = py.detach(|| {
            let caveats: Vec<&[u8]> = caveats.iter().map(|caveat| &*caveat.0).collect();
            self.read(|ring| ring.mint_chain(&payment_hash.0, &caveats))
        });
        minted.map(plannt_core::Token::into_string).map_err(raise)
    }

    /// Checks all of a credential but whether it is spent; raises `VerifyError`, the first failure in the order of
    /// docs/PROTOCOL.md §3.
    fn verify(
        &self,
        py: Python<'_>,
        credential: &Bound<'_, PyCredential>,
        request: &Bound<'_, PyRequestContext>,
    ) -> PyResult<PyVerified> {
        let (credential, request) = (credential.get(), request.get());
        let verified = py.detach(|| {
            let credential = credential.borrowed()?;
            self.read(|ring| ring.verify(&credential, &request.borrowed()))
        });
        verified.map(PyVerified).map_err(raise)
    }

    /// Who paid for a macaroon of this ring: all that `verify` proves about one token before it reads a caveat. None
    /// when identifier, key, signature or preimage is not right, or there is a third-party caveat.
    #[pyo3(signature = (macaroon, preimage=None))]
    fn authenticate(
        &self,
        py: Python<'_>,
        macaroon: &Bound<'_, PyMacaroon>,
        preimage: Option<Proof>,
    ) -> Option<PyPaymentHash> {
        let bytes = macaroon.get().lock().to_v2();
        let paid = py.detach(|| {
            let macaroon = MacaroonRef::parse(&bytes).ok()?;
            self.read(|ring| ring.authenticate(&macaroon, preimage.as_ref().map(|p| &p.0)))
        });
        paid.map(PyPaymentHash)
    }

    fn __repr__(&self) -> String {
        format!("Keyring('{}', [redacted; {}])", self.network(), self.__len__())
    }
}

/// What a token is minted for. `payment_hash` is the invoice's, `path` is normalized, or with a final `*` all paths that
/// begin so, `valid_until` is in unix seconds, `max_price_msat` what the invoice asks for, `query` and `digest` SHA-256
/// of what the route binds.
///
/// >>> import plannt
/// >>> request = plannt.MintRequest(bytes(32), "demo", "GET", "/v1/demo", 1_900_000_000, 21_000)
/// >>> request.encoded_len() < plannt.MAX_MINTED_TOKEN_BYTES
/// True
#[pyclass(frozen, name = "MintRequest", module = "plannt")]
pub(crate) struct PyMintRequest {
    payment_hash: PaymentHash,
    service: String,
    tier: u8,
    valid_until: u64,
    method: String,
    path: String,
    max_price_msat: u64,
    uses: NonZeroU32,
    query: Option<[u8; 32]>,
    digest: Option<[u8; 32]>,
    capabilities: Vec<String>,
}

impl PyMintRequest {
    fn capabilities(&self) -> Vec<&str> {
        self.capabilities.iter().map(String::as_str).collect()
    }

    fn borrowed<'a>(&'a self, capabilities: &'a [&'a str]) -> MintRequest<'a> {
        MintRequest {
            payment_hash: self.payment_hash,
            service: &self.service,
            tier: self.tier,
            valid_until: self.valid_until,
            method: &self.method,
            path: &self.path,
            max_price_msat: self.max_price_msat,
            uses: self.uses,
            query: self.query,
            digest: self.digest,
            capabilities,
        }
    }
}

#[pymethods]
impl PyMintRequest {
    #[new]
    #[pyo3(signature = (payment_hash, service, method, path, valid_until, max_price_msat, *, tier=0, uses=1, query=None, digest=None, capabilities=Vec::new()))]
    #[expect(clippy::too_many_arguments, reason = "as many as the mint takes; most are by name")]
    fn new(
        payment_hash: Hash,
        service: String,
        method: String,
        path: String,
        valid_until: Seconds,
        max_price_msat: Amount,
        tier: u8,
        uses: u32,
        query: Option<Exactly<32>>,
        digest: Option<Exactly<32>>,
        capabilities: Vec<String>,
    ) -> PyResult<Self> {
        let uses = NonZeroU32::new(uses);
        Ok(Self {
            payment_hash: payment_hash.0,
            service,
            tier,
            valid_until: valid_until.0,
            method,
            path,
            max_price_msat: max_price_msat.0,
            uses: uses.ok_or_else(|| PyValueError::new_err("uses is at least 1"))?,
            query: query.map(|query| query.0),
            digest: digest.map(|digest| digest.0),
            capabilities,
        })
    }

    /// Bytes of the token before base64, known before there is an invoice.
    fn encoded_len(&self) -> usize {
        self.borrowed(&self.capabilities()).encoded_len()
    }

    #[getter]
    fn payment_hash(&self) -> PyPaymentHash {
        PyPaymentHash(self.payment_hash)
    }

    #[getter]
    fn service(&self) -> &str {
        &self.service
    }

    #[getter]
    fn tier(&self) -> u8 {
        self.tier
    }

    #[getter]
    fn valid_until(&self) -> u64 {
        self.valid_until
    }

    #[getter]
    fn method(&self) -> &str {
        &self.method
    }

    #[getter]
    fn path(&self) -> &str {
        &self.path
    }

    #[getter]
    fn max_price_msat(&self) -> crate::convert::Msat {
        crate::convert::Msat(self.max_price_msat)
    }

    #[getter]
    fn uses(&self) -> u32 {
        self.uses.get()
    }

    #[getter]
    fn query<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.query.map(|query| PyBytes::new(py, &query))
    }

    #[getter]
    fn digest<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.digest.map(|digest| PyBytes::new(py, &digest))
    }

    #[getter(capabilities)]
    fn capability_list(&self) -> Vec<String> {
        self.capabilities.clone()
    }
}

/// What is asked for, against which a credential is held: `now` is the verifier's clock in unix seconds, `path` is
/// normalized, `lowest_price_msat` the lowest price that this request had during the last validity window. `query` and
/// `digest` are SHA-256 of the query (`query_digest`) and of the body, where it was read; `requires_query` and
/// `requires_digest` say that the route binds them. `strict` refuses conditions that are not known.
#[pyclass(frozen, name = "RequestContext", module = "plannt")]
pub(crate) struct PyRequestContext {
    now: u64,
    service: String,
    tier: u8,
    method: String,
    path: String,
    query: [u8; 32],
    requires_query: bool,
    digest: Option<[u8; 32]>,
    requires_digest: bool,
    lowest_price_msat: u64,
    capability: Option<String>,
    strict: bool,
}

impl PyRequestContext {
    fn borrowed(&self) -> RequestContext<'_> {
        RequestContext {
            now: self.now,
            service: &self.service,
            tier: self.tier,
            method: &self.method,
            path: &self.path,
            query: self.query,
            requires_query: self.requires_query,
            digest: self.digest,
            requires_digest: self.requires_digest,
            lowest_price_msat: self.lowest_price_msat,
            capability: self.capability.as_deref(),
            strict: self.strict,
        }
    }
}

#[pymethods]
impl PyRequestContext {
    #[new]
    #[pyo3(signature = (now, service, method, path, lowest_price_msat, *, tier=0, query=None, requires_query=false, digest=None, requires_digest=false, capability=None, strict=false))]
    #[expect(clippy::too_many_arguments, reason = "as many as a request has; most are by name")]
    fn new(
        now: Seconds,
        service: String,
        method: String,
        path: String,
        lowest_price_msat: Amount,
        tier: u8,
        query: Option<Exactly<32>>,
        requires_query: bool,
        digest: Option<Exactly<32>>,
        requires_digest: bool,
        capability: Option<String>,
        strict: bool,
    ) -> Self {
        Self {
            now: now.0,
            service,
            tier,
            method,
            path,
            query: query.map_or_else(|| plannt_core::query_digest(b""), |query| query.0),
            requires_query,
            digest: digest.map(|digest| digest.0),
            requires_digest,
            lowest_price_msat: lowest_price_msat.0,
            capability,
            strict,
        }
    }

    #[getter]
    fn now(&self) -> u64 {
        self.now
    }

    #[getter]
    fn service(&self) -> &str {
        &self.service
    }

    #[getter]
    fn tier(&self) -> u8 {
        self.tier
    }

    #[getter]
    fn method(&self) -> &str {
        &self.method
    }

    #[getter]
    fn path(&self) -> &str {
        &self.path
    }

    #[getter]
    fn query<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.query)
    }

    #[getter]
    fn requires_query(&self) -> bool {
        self.requires_query
    }

    #[getter]
    fn digest<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.digest.map(|digest| PyBytes::new(py, &digest))
    }

    #[getter]
    fn requires_digest(&self) -> bool {
        self.requires_digest
    }

    #[getter]
    fn lowest_price_msat(&self) -> crate::convert::Msat {
        crate::convert::Msat(self.lowest_price_msat)
    }

    #[getter]
    fn capability(&self) -> Option<&str> {
        self.capability.as_deref()
    }

    #[getter]
    fn strict(&self) -> bool {
        self.strict
    }
}

/// What a credential that holds is good for.
#[pyclass(frozen, eq, name = "Verified", module = "plannt")]
#[derive(PartialEq)]
pub(crate) struct PyVerified(Verified);

#[pymethods]
impl PyVerified {
    /// What was paid; the spend store's entry.
    #[getter]
    fn payment_hash(&self) -> PyPaymentHash {
        PyPaymentHash(self.0.payment_hash)
    }

    /// How many uses the entry may have; 1 unless the chain says more.
    #[getter]
    fn uses(&self) -> u32 {
        self.0.uses
    }

    /// When the credential ends, unix seconds.
    #[getter]
    fn valid_until(&self) -> u64 {
        self.0.valid_until
    }

    /// Until when the spent set keeps the entry, unix seconds.
    #[getter]
    fn keep_until(&self) -> u64 {
        self.0.keep_until
    }

    fn __repr__(&self) -> String {
        format!(
            "Verified(payment_hash=PaymentHash('{}'), uses={}, valid_until={}, keep_until={})",
            self.0.payment_hash, self.0.uses, self.0.valid_until, self.0.keep_until
        )
    }
}

/// A credential as it came: one or more tokens, and the preimage where the header carries it. Nothing is verified yet.
///
/// >>> import plannt
/// >>> plannt.Credential.from_authorization(["Bearer abc"]) is None
/// True
/// >>> plannt.Credential.from_authorization(["L402 AgEE:" + "0F" * 32])
/// Credential([redacted])
#[pyclass(frozen, name = "Credential", module = "plannt")]
pub(crate) struct PyCredential {
    lines: Vec<Vec<u8>>,
    grpc: bool,
}

impl PyCredential {
    /// The credential in its own text, which was read once already.
    fn borrowed(&self) -> Result<Credential<'_>, CredentialError> {
        if self.grpc {
            return Credential::from_grpc_metadata(&self.lines[0]);
        }
        let read = Credential::from_authorization(self.lines.iter().map(Vec::as_slice))?;
        read.ok_or(CredentialError::MissingCredential)
    }
}

#[pymethods]
impl PyCredential {
    /// Reads the values of a request's `Authorization` lines, in their order: the first with scheme `L402` or `LSAT`
    /// decides, even when malformed. None when no line has that scheme. Raises `CredentialError`.
    #[staticmethod]
    fn from_authorization(lines: Vec<HeaderValue>) -> PyResult<Option<Self>> {
        let lines: Vec<Vec<u8>> = lines.into_iter().map(|line| line.0).collect();
        let read =
            Credential::from_authorization(lines.iter().map(Vec::as_slice)).map_err(raise)?;
        Ok(read.is_some().then_some(Self { lines, grpc: false }))
    }

    /// Reads gRPC metadata `token` or `macaroon`: one token in hex, whose preimage is a caveat. Raises
    /// `CredentialError`.
    #[staticmethod]
    fn from_grpc_metadata(macaroon_hex: HeaderValue) -> PyResult<Self> {
        Credential::from_grpc_metadata(&macaroon_hex.0).map_err(raise)?;
        Ok(Self { lines: vec![macaroon_hex.0], grpc: true })
    }

    /// Its tokens in the order of the wire.
    fn tokens(&self) -> PyResult<Vec<PyTokenText>> {
        let credential = self.borrowed().map_err(raise)?;
        let owned = |token: TokenText<'_>| match token {
            TokenText::Base64(text) => PyTokenText { text: text.into(), hex: false },
            TokenText::Hex(text) => PyTokenText { text: text.into(), hex: true },
        };
        Ok(credential.tokens().map(owned).collect())
    }

    /// The preimage after the colon; None for gRPC metadata.
    #[getter]
    fn preimage(&self) -> PyResult<Option<PyPreimage>> {
        let credential = self.borrowed().map_err(raise)?;
        Ok(credential.preimage().cloned().map(PyPreimage))
    }

    fn __repr__(&self) -> &'static str {
        "Credential([redacted])"
    }
}

/// One token of a credential, as text of the wire.
#[pyclass(frozen, name = "TokenText", module = "plannt")]
pub(crate) struct PyTokenText {
    text: String,
    hex: bool,
}

#[pymethods]
impl PyTokenText {
    /// `base64`, from `Authorization`, or `hex`, from gRPC metadata.
    #[getter]
    fn encoding(&self) -> &'static str {
        if self.hex { "hex" } else { "base64" }
    }

    /// The macaroon's bytes, at most 8 KiB; raises `CredentialError`.
    fn decode<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let text =
            if self.hex { TokenText::Hex(&self.text) } else { TokenText::Base64(&self.text) };
        let mut buffer = vec![0; MAX_TOKEN_BYTES];
        text.decode_to(&mut buffer).map(|bytes| PyBytes::new(py, bytes)).map_err(raise)
    }

    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> &'static str {
        "TokenText([redacted])"
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("MAX_AUTHORIZATION_BYTES", plannt_core::MAX_AUTHORIZATION_BYTES)?;
    module.add("MAX_CREDENTIAL_TOKENS", plannt_core::MAX_CREDENTIAL_TOKENS)?;
    module.add("MAX_MINTED_TOKEN_BYTES", plannt_core::MAX_MINTED_TOKEN_BYTES)?;
    module.add("MAX_TOKEN_BYTES", MAX_TOKEN_BYTES)?;
    module.add("MAX_TOKEN_CAVEATS", plannt_core::MAX_TOKEN_CAVEATS)?;
    module.add("SPEND_GRACE_SECONDS", plannt_core::SPEND_GRACE_SECONDS)?;
    module.add_class::<PyCredential>()?;
    module.add_class::<PyKeyring>()?;
    module.add_class::<PyMintRequest>()?;
    module.add_class::<PyRequestContext>()?;
    module.add_class::<PyTokenText>()?;
    module.add_class::<PyVerified>()
}

//! Keyring, credentials, and what they are held against.
#![allow(clippy::too_many_arguments, reason = "by name in TypeScript")]

use std::num::NonZeroU32;
use std::sync::{PoisonError, RwLock};

use napi::bindgen_prelude::{BigInt, Buffer, Uint8Array};
use napi::{Error, Result};
use napi_derive::napi;
use plannt_core::macaroon::MacaroonRef;
use plannt_core::{
    self as core, CredentialError, MAX_TOKEN_BYTES, PaymentHash, Preimage, RootKey, TokenText,
};

use crate::error::{raise, told, type_error};

/// Exactly 32 bytes, checked in TypeScript, too.
pub(crate) fn exactly<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| type_error(format!("{N} bytes are wanted, not {}", bytes.len())))
}

fn whole(number: f64) -> Result<u64> {
    let fits = number.fract() == 0.0 && (0.0..=18_446_744_073_709_551_615.0).contains(&number);
    if fits { Ok(number as u64) } else { Err(type_error("a whole number from 0 on is wanted")) }
}

/// An amount from JavaScript.
pub(crate) fn amount(number: &BigInt) -> Result<u64> {
    match number.get_u64() {
        (false, value, true) => Ok(value),
        _ => Err(type_error("a bigint from 0 to 2^64 - 1 is wanted")),
    }
}

#[napi]
pub struct Keyring(RwLock<Ring>);

struct Ring {
    ring: core::Keyring,
    /// The same keys, the minting one first, for a ring with one more.
    keys: Vec<RootKey>,
}

impl Keyring {
    fn read<T>(&self, work: impl FnOnce(&core::Keyring) -> T) -> T {
        work(&self.0.read().unwrap_or_else(PoisonError::into_inner).ring)
    }
}

#[napi]
impl Keyring {
    #[napi(constructor, catch_unwind)]
    pub fn new(network: String, minting: Uint8Array) -> Result<Self> {
        let minting = RootKey::from_bytes(exactly(&minting)?);
        let ring = core::Keyring::new(network.parse().map_err(raise)?, minting.clone());
        Ok(Self(RwLock::new(Ring { ring, keys: vec![minting] })))
    }

    #[napi(catch_unwind)]
    pub fn with_verifying(&self, key: Uint8Array) -> Result<Keyring> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut keys = held.keys.clone();
        keys.push(RootKey::from_bytes(exactly(&key)?));
        let ring = core::Keyring::new(held.ring.network(), keys[0].clone());
        let ring = keys[1..].iter().cloned().fold(ring, core::Keyring::with_verifying);
        Ok(Self(RwLock::new(Ring { ring, keys })))
    }

    #[napi(catch_unwind)]
    pub fn rotate(&self, minting: Uint8Array) -> Result<()> {
        let minting = RootKey::from_bytes(exactly(&minting)?);
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        held.ring.rotate(minting.clone());
        held.keys.insert(0, minting);
        Ok(())
    }

    #[napi(catch_unwind)]
    pub fn network(&self) -> &'static str {
        self.read(|ring| ring.network().name())
    }

    #[napi(catch_unwind)]
    pub fn size(&self) -> u32 {
        self.read(core::Keyring::len) as u32
    }

    #[napi(catch_unwind)]
    pub fn mint(&self, request: &MintRequest) -> Result<String> {
        let capabilities = request.capabilities();
        let minted = self.read(|ring| ring.mint(&request.borrowed(&capabilities)));
        minted.map(core::Token::into_string).map_err(raise)
    }

    #[napi(catch_unwind)]
    pub fn mint_chain(&self, payment_hash: String, caveats: Vec<Uint8Array>) -> Result<String> {
        let hash: PaymentHash = payment_hash.parse().map_err(raise)?;
        let caveats: Vec<&[u8]> = caveats.iter().map(|caveat| &**caveat).collect();
        let minted = self.read(|ring| ring.mint_chain(&hash, &caveats));
        minted.map(core::Token::into_string).map_err(raise)
    }

    /// One text crosses the border cheaper than an object or an exception: payment hash, uses, `valid_until` and `keep_until`
    /// in hex of fixed widths, or an error as JSON.
    #[napi(catch_unwind)]
    pub fn verify(&self, credential: &Credential, request: &RequestContext) -> String {
        let read = credential.borrowed().map_err(core::VerifyError::Malformed);
        let verified = read
            .and_then(|credential| self.read(|ring| ring.verify(&credential, &request.borrowed())));
        match verified {
            Ok(core::Verified { payment_hash, uses, valid_until, keep_until, .. }) => {
                format!("{payment_hash}{uses:08x}{valid_until:016x}{keep_until:016x}")
            }
            Err(error) => told(&error).to_string(),
        }
    }

    #[napi(catch_unwind)]
    pub fn authenticate(
        &self,
        macaroon: &crate::macaroon::Macaroon,
        preimage: Option<Uint8Array>,
    ) -> Result<Option<String>> {
        let preimage = preimage.map(|bytes| exactly(&bytes)).transpose()?.map(Preimage::from_bytes);
        let bytes = macaroon.0.to_v2();
        let Ok(macaroon) = MacaroonRef::parse(&bytes) else { return Ok(None) };
        let paid = self.read(|ring| ring.authenticate(&macaroon, preimage.as_ref()));
        Ok(paid.map(|hash| hash.to_string()))
    }
}

#[napi]
pub struct MintRequest {
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

impl MintRequest {
    fn capabilities(&self) -> Vec<&str> {
        self.capabilities.iter().map(String::as_str).collect()
    }

    fn borrowed<'a>(&'a self, capabilities: &'a [&'a str]) -> core::MintRequest<'a> {
        core::MintRequest {
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

fn digest(bytes: Option<Uint8Array>) -> Result<Option<[u8; 32]>> {
    bytes.map(|bytes| exactly(&bytes)).transpose()
}

fn small<T: TryFrom<u64>>(number: f64, name: &str) -> Result<T> {
    let wrong = || -> Error { type_error(format!("{name} is out of range")) };
    T::try_from(whole(number)?).map_err(|_| wrong())
}

#[napi]
impl MintRequest {
    #[napi(constructor, catch_unwind)]
    pub fn new(
        payment_hash: String,
        service: String,
        method: String,
        path: String,
        valid_until: f64,
        max_price_msat: BigInt,
        tier: f64,
        uses: f64,
        query: Option<Uint8Array>,
        digest: Option<Uint8Array>,
        capabilities: Vec<String>,
    ) -> Result<Self> {
        Ok(Self {
            payment_hash: payment_hash.parse().map_err(raise)?,
            service,
            tier: small(tier, "tier")?,
            valid_until: whole(valid_until)?,
            method,
            path,
            max_price_msat: amount(&max_price_msat)?,
            uses: NonZeroU32::new(small(uses, "uses")?)
                .ok_or_else(|| type_error("uses is at least 1"))?,
            query: self::digest(query)?,
            digest: self::digest(digest)?,
            capabilities,
        })
    }

    #[napi(catch_unwind)]
    pub fn encoded_len(&self) -> u32 {
        self.borrowed(&self.capabilities()).encoded_len() as u32
    }
}

#[napi]
pub struct RequestContext {
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

impl RequestContext {
    fn borrowed(&self) -> core::RequestContext<'_> {
        core::RequestContext {
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

#[napi]
impl RequestContext {
    #[napi(constructor, catch_unwind)]
    pub fn new(
        now: f64,
        service: String,
        method: String,
        path: String,
        lowest_price_msat: BigInt,
        tier: f64,
        query: Option<Uint8Array>,
        requires_query: bool,
        digest: Option<Uint8Array>,
        requires_digest: bool,
        capability: Option<String>,
        strict: bool,
    ) -> Result<Self> {
        let query = self::digest(query)?.unwrap_or_else(|| core::query_digest(b""));
        Ok(Self {
            now: whole(now)?,
            service,
            tier: small(tier, "tier")?,
            method,
            path,
            query,
            requires_query,
            digest: self::digest(digest)?,
            requires_digest,
            lowest_price_msat: amount(&lowest_price_msat)?,
            capability,
            strict,
        })
    }
}

#[napi]
pub struct Credential {
    lines: Vec<Vec<u8>>,
    grpc: bool,
}

impl Credential {
    /// The credential in its own text, which was read once already.
    fn borrowed(&self) -> std::result::Result<core::Credential<'_>, CredentialError> {
        if self.grpc {
            return core::Credential::from_grpc_metadata(&self.lines[0]);
        }
        let read = core::Credential::from_authorization(self.lines.iter().map(Vec::as_slice))?;
        read.ok_or(CredentialError::MissingCredential)
    }
}

/// A header's value, a byte for each character; none where a character is no byte.
pub(crate) fn latin1(text: String) -> Result<Vec<u8>> {
    if text.is_ascii() {
        return Ok(text.into_bytes());
    }
    let byte = |c: char| u8::try_from(u32::from(c));
    let bytes: std::result::Result<_, _> = text.chars().map(byte).collect();
    bytes.map_err(|_| type_error("a header's value has a character that is no byte (latin-1)"))
}

#[napi]
impl Credential {
    #[napi(catch_unwind)]
    pub fn from_authorization(lines: Vec<String>) -> Result<Option<Credential>> {
        let lines = lines.into_iter().map(latin1).collect::<Result<Vec<_>>>()?;
        let read = core::Credential::from_authorization(lines.iter().map(Vec::as_slice));
        let found = read.map_err(raise)?.is_some();
        Ok(found.then_some(Self { lines, grpc: false }))
    }

    #[napi(catch_unwind)]
    pub fn from_grpc_metadata(macaroon_hex: String) -> Result<Credential> {
        let line = latin1(macaroon_hex)?;
        core::Credential::from_grpc_metadata(&line).map_err(raise)?;
        Ok(Self { lines: vec![line], grpc: true })
    }

    #[napi(catch_unwind)]
    pub fn tokens(&self) -> Result<Vec<String>> {
        let credential = self.borrowed().map_err(raise)?;
        let text = |token: TokenText<'_>| match token {
            TokenText::Base64(text) | TokenText::Hex(text) => text.to_owned(),
        };
        Ok(credential.tokens().map(text).collect())
    }

    #[napi(catch_unwind)]
    pub fn is_hex(&self) -> bool {
        self.grpc
    }

    #[napi(catch_unwind)]
    pub fn preimage(&self) -> Result<Option<Buffer>> {
        let credential = self.borrowed().map_err(raise)?;
        Ok(credential.preimage().map(|preimage| preimage.expose_bytes().to_vec().into()))
    }
}

#[napi(catch_unwind)]
pub fn decode_token_text(text: String, hex: bool) -> Result<Buffer> {
    let text = if hex { TokenText::Hex(&text) } else { TokenText::Base64(&text) };
    let mut buffer = vec![0; MAX_TOKEN_BYTES];
    text.decode_to(&mut buffer).map(|bytes| bytes.to_vec().into()).map_err(raise)
}

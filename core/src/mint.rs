//! Minting: the caveats of a new token, in the one order that verifying takes
//! (docs/PROTOCOL.md §2).

use alloc::vec::Vec;
use core::num::NonZeroU32;

use crate::caveat::{
    Kind, MAX_LIST_ITEMS, SERVICES, is_capability, is_method, is_minted_path, is_service,
};
use crate::mac::{Padded, Tag};
use crate::macaroon::reference;
use crate::macaroon::v2::{self, field_len};
use crate::{Identifier, Keyring, PaymentHash, Token, content_digest_text, hex, scan};

/// Every minted macaroon's location.
const LOCATION: &str = "l402";

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
    /// How many uses are sold. The caveat is written for a single use, too.
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
        let mut length = Length(0);
        self.write_caveats(&mut length);
        encoded_len(length)
    }

    fn check(&self) -> Result<(), MintError> {
        if !is_service(self.service) {
            return Err(MintError::InvalidService);
        }
        if !is_method(self.method) {
            return Err(MintError::InvalidMethod);
        }
        if !is_minted_path(self.path) {
            return Err(MintError::InvalidPath);
        }
        if self.capabilities.len() > MAX_LIST_ITEMS
            || !self.capabilities.iter().all(|capability| is_capability(capability))
        {
            return Err(MintError::InvalidCapability);
        }
        if self.encoded_len() > MAX_MINTED_TOKEN_BYTES {
            return Err(MintError::TooLong);
        }
        Ok(())
    }

    /// The caveats in the order that verifying takes (docs/PROTOCOL.md §2).
    fn write_caveats(&self, out: &mut impl Caveats) {
        let tier = Decimal::new(self.tier.into());
        let services = [SERVICES.as_bytes(), b"=", self.service.as_bytes(), b":", tier.as_bytes()];
        out.caveat(services.into_iter());

        let mut write = |kind: Kind, value: &[&[u8]]| {
            let name = [self.service.as_bytes(), kind.suffix().as_bytes(), b"="];
            out.caveat(name.into_iter().chain(value.iter().copied()));
        };
        write(Kind::ValidUntil, &[Decimal::new(self.valid_until).as_bytes()]);
        write(Kind::Method, &[self.method.as_bytes()]);
        write(Kind::Path, &[self.path.as_bytes()]);
        write(Kind::MaxPriceMsat, &[Decimal::new(self.max_price_msat).as_bytes()]);
        // Also when it is 1: where the mint leaves it out, the holder could write it instead.
        write(Kind::Uses, &[Decimal::new(self.uses.get().into()).as_bytes()]);
        if let Some(query) = &self.query {
            let mut text = [0; 64];
            hex::encode_to(query, &mut text);
            write(Kind::Query, &[&text]);
        }
        if let Some(digest) = &self.digest {
            write(Kind::Digest, &[content_digest_text(digest).as_bytes()]);
        }
        if let Some((first, rest)) = self.capabilities.split_first() {
            let name = [self.service.as_bytes(), Kind::Capabilities.suffix().as_bytes(), b"="];
            let rest = rest.iter().flat_map(|capability| [b",".as_slice(), capability.as_bytes()]);
            out.caveat(name.into_iter().chain([first.as_bytes()]).chain(rest));
        }
    }
}

/// Why a token was not minted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// A capability is empty, or has a comma, a space or a byte outside printable ASCII; or there
    /// are more than 64.
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
        request.check()?;
        self.mint_with(&request.payment_hash, |draft| request.write_caveats(draft))
    }

    /// Mints a token with caveats of the caller's own instead of L402's, for a server that
    /// [authenticates](Self::authenticate) and reads them itself; [`verify`](Self::verify) refuses
    /// what does not begin as [`mint`](Self::mint) begins it.
    ///
    /// # Errors
    /// [`MintError::TooLong`] and [`MintError::TokenTextCollision`].
    pub fn mint_chain(
        &self,
        payment_hash: &PaymentHash,
        caveats: &[&[u8]],
    ) -> Result<Token, MintError> {
        let mut length = Length(0);
        caveats.iter().for_each(|caveat| length.caveat([*caveat].into_iter()));
        if encoded_len(length) > MAX_MINTED_TOKEN_BYTES {
            return Err(MintError::TooLong);
        }
        self.mint_with(payment_hash, |draft| {
            caveats.iter().for_each(|caveat| draft.caveat([*caveat].into_iter()));
        })
    }

    fn mint_with(
        &self,
        payment_hash: &PaymentHash,
        write_caveats: impl FnOnce(&mut Draft),
    ) -> Result<Token, MintError> {
        let (identifier, key) = self.minting(payment_hash);
        let identifier = identifier.to_bytes();
        let mut draft = Draft { bytes: Vec::with_capacity(MAX_MINTED_TOKEN_BYTES), signature: key };
        draft.signature.link(&Padded::new(&identifier));
        draft.bytes.push(reference::VERSION);
        draft.field(reference::LOCATION, LOCATION.as_bytes());
        draft.field(reference::IDENTIFIER, &identifier);
        draft.bytes.push(reference::END);
        write_caveats(&mut draft);
        draft.bytes.push(reference::END);
        let signature = draft.signature.to_bytes();
        draft.field(reference::SIGNATURE, &signature);

        let token = Token::from_bytes(&draft.bytes);
        let collides = scan::contains(token.as_str().as_bytes(), *b"LSAT");
        if collides { Err(MintError::TokenTextCollision) } else { Ok(token) }
    }
}

/// Bytes of a macaroon before base64, around its caveats.
fn encoded_len(caveats: Length) -> usize {
    1 + field_len(LOCATION.len()) + field_len(Identifier::LEN) + 1 + caveats.0 + 1 + field_len(32)
}

/// What caveats are written to: a length, or a macaroon.
trait Caveats {
    fn caveat<'a>(&mut self, parts: impl Iterator<Item = &'a [u8]> + Clone);
}

struct Length(usize);

impl Caveats for Length {
    fn caveat<'a>(&mut self, parts: impl Iterator<Item = &'a [u8]> + Clone) {
        self.0 += field_len(parts.map(<[u8]>::len).sum()) + 1;
    }
}

/// A macaroon that is being written and signed.
struct Draft {
    bytes: Vec<u8>,
    signature: Tag,
}

impl Draft {
    fn field(&mut self, kind: u8, content: &[u8]) {
        v2::field_head(&mut self.bytes, kind, content.len());
        self.bytes.extend_from_slice(content);
    }
}

impl Caveats for Draft {
    fn caveat<'a>(&mut self, parts: impl Iterator<Item = &'a [u8]> + Clone) {
        let len = parts.clone().map(<[u8]>::len).sum();
        v2::field_head(&mut self.bytes, reference::IDENTIFIER, len);
        let start = self.bytes.len();
        parts.for_each(|part| self.bytes.extend_from_slice(part));
        self.signature.link(&Padded::new(&self.bytes[start..]));
        self.bytes.push(reference::END);
    }
}

/// A number's decimal digits, on the stack.
struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    fn new(mut number: u64) -> Self {
        let (mut digits, mut start) = ([0; 20], 20);
        loop {
            start -= 1;
            digits[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return Self { digits, start };
            }
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.digits[self.start..]
    }
}

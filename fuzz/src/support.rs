//! Keys, requests and invoices that targets share.

use hmac::{Hmac, KeyInit, Mac};
use plannt_core::macaroon::Macaroon;
use plannt_core::{
    Identifier, Keyring, MintRequest, Network, PaymentHash, Preimage, RequestContext, RootKey,
    query_digest,
};

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const VALID_UNTIL: u64 = NOW + 3_600;
pub(crate) const PRICE_MSAT: u64 = 21_000;
pub(crate) const ROOT_KEY: [u8; 32] = [0x11; 32];

pub(crate) fn preimage() -> Preimage {
    Preimage::from_bytes([0x22; 32])
}

pub(crate) fn payment_hash() -> PaymentHash {
    preimage().payment_hash()
}

pub(crate) fn keyring() -> Keyring {
    Keyring::new(Network::Regtest, RootKey::from_bytes(ROOT_KEY))
}

pub(crate) fn mint_request() -> MintRequest<'static> {
    MintRequest::new(payment_hash(), "demo", "GET", "/v1/demo", VALID_UNTIL, PRICE_MSAT)
}

/// The request that [`mint_request`]'s token is bought for.
pub(crate) fn request() -> RequestContext<'static> {
    RequestContext {
        now: NOW,
        service: "demo",
        tier: 0,
        method: "GET",
        path: "/v1/demo",
        query: query_digest(b""),
        requires_query: false,
        digest: None,
        requires_digest: false,
        lowest_price_msat: PRICE_MSAT,
        capability: None,
        strict: false,
    }
}

/// HMAC-SHA256 by another implementation than the core's own.
pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// The signature by its definition: of the identifier, then of each caveat (docs/PROTOCOL.md §1).
pub(crate) fn signature<'a>(
    macaroon_key: &[u8],
    identifier: &[u8],
    caveats: impl IntoIterator<Item = (&'a [u8], Option<&'a [u8]>)>,
) -> [u8; 32] {
    let mut generator = [0; 32];
    generator[..23].copy_from_slice(b"macaroons-key-generator");
    let mut signature = hmac(&hmac(&generator, &[macaroon_key]), &[identifier]);
    for (id, verification_id) in caveats {
        signature = match verification_id {
            None => hmac(&signature, &[id]),
            Some(verification_id) => {
                let (one, two) = (hmac(&signature, &[verification_id]), hmac(&signature, &[id]));
                hmac(&signature, &[&one, &two])
            }
        };
    }
    signature
}

/// What the root key makes a macaroon of, for the shared network and payment hash.
pub(crate) fn macaroon_key() -> [u8; 32] {
    hmac(&ROOT_KEY, &[b"l402/macaroon/0", b"bcrt", &[0], payment_hash().as_bytes()])
}

/// A macaroon with the right MAC over any caveats, made without the code that mints.
pub(crate) fn signed<C: AsRef<[u8]>>(caveats: &[C]) -> Option<Macaroon> {
    let hash = payment_hash();
    let token_id = hmac(&ROOT_KEY, &[hash.as_bytes()]);
    let identifier = Identifier { payment_hash: hash, token_id }.to_bytes();
    let mut macaroon = Macaroon::create(&macaroon_key(), &identifier, Some("l402")).unwrap();
    for caveat in caveats {
        macaroon.attenuate(caveat.as_ref()).ok()?;
    }
    Some(macaroon)
}

/// The lines of an input that stands for several header lines.
pub(crate) fn lines(data: &[u8]) -> Vec<&[u8]> {
    data.split(|byte| *byte == b'\n').collect()
}

/// A length taken from the input's first byte, and the rest.
pub(crate) fn first(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(first, rest)| (*first, rest))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

//! A bench for the verifier: tokens of any shape, made without the code that mints.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use hmac::{Hmac, KeyInit, Mac};
use plannt_core::macaroon::Macaroon;
use plannt_core::{
    Credential, Identifier, Keyring, MintRequest, Network, PaymentHash, Preimage, RequestContext,
    RootKey, Verified, VerifyError, authorization_value, base64, query_digest,
};

pub const NOW: u64 = 1_800_000_000;
pub const VALID_UNTIL: u64 = NOW + 3_600;
pub const ROOT_KEY: [u8; 32] = [0x11; 32];

pub fn preimage() -> Preimage {
    Preimage::from_bytes([0x22; 32])
}

pub fn payment_hash() -> PaymentHash {
    preimage().payment_hash()
}

pub fn keyring() -> Keyring {
    Keyring::new(Network::Regtest, RootKey::from_bytes(ROOT_KEY))
}

/// What the tests buy: one use of `GET /v1/demo` for 21 sat.
pub fn mint_request() -> MintRequest<'static> {
    MintRequest::new(payment_hash(), "demo", "GET", "/v1/demo", VALID_UNTIL, 21_000)
}

/// The request that it was bought for.
pub fn request() -> RequestContext<'static> {
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
        lowest_price_msat: 21_000,
        capability: None,
        strict: false,
    }
}

/// The caveats of [`mint_request`], and more.
pub fn minted_and(more: &[&str]) -> Vec<String> {
    let minted = [
        "services=demo:0",
        "demo_valid_until=1800003600",
        "demo_method=GET",
        "demo_path=/v1/demo",
        "demo_max_price_msat=21000",
        "demo_uses=1",
    ];
    minted.iter().chain(more).map(|caveat| caveat.to_string()).collect()
}

pub fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// A macaroon of docs/PROTOCOL.md §1 without caveats, under any root key and for any currency.
pub fn bare(root_key: &[u8; 32], currency: &str, hash: &PaymentHash) -> Macaroon {
    let token_id = hmac(root_key, hash.as_bytes());
    let label = [b"l402/macaroon/0", currency.as_bytes(), &[0], hash.as_bytes()].concat();
    let identifier = Identifier { payment_hash: *hash, token_id }.to_bytes();
    Macaroon::create(&hmac(root_key, &label), &identifier, Some("l402")).unwrap()
}

/// A token with the right MAC over any caveats.
pub fn signed<C: AsRef<[u8]>>(caveats: &[C]) -> String {
    let mut macaroon = bare(&ROOT_KEY, "bcrt", &payment_hash());
    for caveat in caveats {
        macaroon.attenuate(caveat.as_ref()).unwrap();
    }
    base64::encode(&macaroon.to_v2())
}

pub fn verify_with(
    keyring: &Keyring,
    tokens: &str,
    preimage: &Preimage,
    request: &RequestContext<'_>,
) -> Result<Verified, VerifyError> {
    let header = authorization_value(tokens, preimage);
    let credential = Credential::from_authorization([header.as_bytes()])?.unwrap();
    keyring.verify(&credential, request)
}

pub fn verify(tokens: &str, request: &RequestContext<'_>) -> Result<Verified, VerifyError> {
    verify_with(&keyring(), tokens, &preimage(), request)
}

/// The minted chain with further caveats, at the request that it was bought for.
pub fn attenuated(more: &[&str]) -> Result<Verified, VerifyError> {
    verify(&signed(&minted_and(more)), &request())
}

pub fn out_of_scope<T>(condition: &str) -> Result<T, VerifyError> {
    Err(VerifyError::OutOfScope { condition: condition.into() })
}

//! plannt-core: the three-caveat macaroon through the code that mints and verifies, and the token
//! that a server really sells, with six.

use plannt_core::caveat::split;
use plannt_core::macaroon::MacaroonRef;
use plannt_core::{
    Credential, Keyring, MintRequest, Network, PaymentHash, Preimage, RequestContext, RootKey,
    Token, Verified, base64, query_digest,
};

use crate::token::{CAVEATS, NOW, PREIMAGE, ROOT_KEY};

pub(crate) const VALID_UNTIL: u64 = NOW + 3_600;

pub(crate) fn keyring() -> Keyring {
    Keyring::new(Network::Regtest, RootKey::from_bytes(ROOT_KEY))
}

pub(crate) fn preimage() -> Preimage {
    Preimage::from_bytes(PREIMAGE)
}

pub(crate) fn mint(ring: &Keyring, payment_hash: &PaymentHash) -> Token {
    ring.mint_chain(payment_hash, &CAVEATS.map(str::as_bytes)).expect("short, and without LSAT")
}

/// base64, parsing, both derivations, the chain, the preimage, and the three caveats.
pub(crate) fn verify(ring: &Keyring, token: &str, preimage: &Preimage, now: u64) -> bool {
    let mut buffer = [0; 512];
    let Ok(len) = base64::decode_to_slice(token.as_bytes(), &mut buffer) else { return false };
    let Ok(macaroon) = MacaroonRef::parse(&buffer[..len]) else { return false };
    if ring.authenticate(&macaroon, Some(preimage)).is_none() {
        return false;
    }
    let mut holds = 0;
    for caveat in macaroon.caveats() {
        holds += match split(caveat.id) {
            Some(("services", "demo:0")) | Some(("demo_capabilities", "read")) => 1,
            Some(("demo_valid_until", until)) if until.parse().is_ok_and(|t: u64| now < t) => 1,
            _ => return false,
        };
    }
    holds == CAVEATS.len()
}

pub(crate) fn mint_request() -> MintRequest<'static> {
    let hash = preimage().payment_hash();
    MintRequest::new(hash, "demo", "GET", "/v1/demo", VALID_UNTIL, 21_000)
}

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
        lowest_price_msat: 21_000,
        capability: None,
        strict: false,
    }
}

pub(crate) fn verify_sold(
    ring: &Keyring,
    credential: &Credential<'_>,
    request: &RequestContext<'_>,
) -> Verified {
    ring.verify(credential, request).expect("minted for this request")
}

pub(crate) fn credential(header: &str) -> Credential<'_> {
    Credential::from_authorization([header.as_bytes()]).expect("well-formed").expect("L402")
}

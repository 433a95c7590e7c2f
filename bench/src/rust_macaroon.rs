//! The `macaroon` crate, wrapped into the whole L402 operation.

use macaroon::{ByteString, Format, Macaroon, MacaroonKey, Verifier};
use subtle::ConstantTimeEq;

use crate::token::{
    CAPABILITIES, CAVEATS, CURRENCY, LOCATION, NOW, ROOT_KEY, SERVICES, hmac, sha256,
};

pub(crate) const VERSION: &str = "0.3.0";

fn macaroon_key(payment_hash: &[u8]) -> MacaroonKey {
    let parts = [b"l402/macaroon/0", CURRENCY.as_bytes(), &[0], payment_hash];
    MacaroonKey::generate(&hmac(&ROOT_KEY, &parts))
}

pub(crate) fn mint(payment_hash: &[u8; 32]) -> String {
    let token_id = hmac(&ROOT_KEY, &[payment_hash]);
    let identifier = [&[0, 0], &payment_hash[..], &token_id].concat();
    let key = macaroon_key(payment_hash);
    let macaroon = Macaroon::create(Some(LOCATION.into()), &key, identifier.into());
    let mut macaroon = macaroon.expect("an identifier");
    for caveat in CAVEATS {
        macaroon.add_first_party_caveat(caveat.into());
    }
    macaroon.serialize(Format::V2).expect("short")
}

/// What a verifier knows before any request.
pub(crate) fn verifier() -> Verifier {
    let mut verifier = Verifier::default();
    verifier.satisfy_exact(SERVICES.into());
    verifier.satisfy_exact(CAPABILITIES.into());
    verifier.satisfy_general(in_time);
    verifier
}

fn in_time(caveat: &ByteString) -> bool {
    let until =
        std::str::from_utf8(&caveat.0).ok().and_then(|c| c.strip_prefix("demo_valid_until="));
    until.and_then(|until| until.parse().ok()).is_some_and(|until: u64| NOW < until)
}

pub(crate) fn verify(verifier: &Verifier, token: &str, preimage: &[u8; 32]) -> bool {
    let Ok(macaroon) = Macaroon::deserialize(token) else { return false };
    let identifier = macaroon.identifier();
    let Ok(identifier) = <&[u8; 66]>::try_from(&*identifier.0) else { return false };
    let (payment_hash, token_id) = identifier[2..].split_at(32);
    if identifier[..2] != [0, 0] || !bool::from(hmac(&ROOT_KEY, &[payment_hash]).ct_eq(token_id)) {
        return false;
    }
    verifier.verify(&macaroon, &macaroon_key(payment_hash), Vec::new()).is_ok()
        && bool::from(sha256(preimage).ct_eq(payment_hash))
}

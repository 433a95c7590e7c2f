//! Each refusal of docs/PROTOCOL.md §3, and the order in which they decide.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use plannt_core::macaroon::{Macaroon, MacaroonError};
use plannt_core::{
    Credential, CredentialError, Keyring, Network, Preimage, RequestContext, RootKey, VerifyError,
    base64,
};

const INVALID: VerifyError = VerifyError::Invalid;

/// Another bit of the signature, base64 of the rest as it was.
fn tampered(token: &str) -> String {
    let mut bytes = base64::decode(token).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    base64::encode(&bytes)
}

/// The chain with a third-party caveat, signed as a holder can sign it.
fn with_third_party(caveats: &[String]) -> String {
    let mut macaroon = bare(&ROOT_KEY, "bcrt", &payment_hash());
    for caveat in caveats {
        macaroon.attenuate(caveat.as_bytes()).unwrap();
    }
    let (vid, id) = ([7u8; 72], b"third");
    let signature = macaroon.signature();
    let pair = [hmac(signature, &vid), hmac(signature, id)].concat();
    let signature = hmac(signature, &pair);
    let mut bytes = macaroon.to_v2();
    bytes.truncate(bytes.len() - 1 - 2 - 32);
    bytes.extend([&[2, 5], id.as_slice(), &[4, 72], &vid, &[0, 0, 6, 32], &signature].concat());
    base64::encode(&bytes)
}

#[test]
fn accepts_what_was_bought() {
    let verified = verify(&signed(&minted_and(&[])), &request()).unwrap();
    assert_eq!(verified.payment_hash, payment_hash());
    assert_eq!((verified.uses, verified.valid_until), (1, VALID_UNTIL));
    assert_eq!(verified.keep_until, VALID_UNTIL + plannt_core::SPEND_GRACE_SECONDS);
}

#[test]
fn malformed_tokens() {
    let malformed = |token: &str| verify(token, &request()).unwrap_err();
    let token = signed(&minted_and(&[]));
    let trailing = base64::encode(&[base64::decode(&token).unwrap(), vec![0]].concat());
    assert_eq!(
        malformed(&trailing),
        VerifyError::Malformed(CredentialError::Macaroon(MacaroonError::TrailingBytes))
    );
    // The wire has v2 binary alone.
    let v1 = Macaroon::parse(&base64::decode(&token).unwrap()).unwrap().to_v1().unwrap();
    assert_eq!(malformed(&base64::encode(&v1)).code(), "malformed_credential");
    assert_eq!(malformed(&base64::encode(b"{}")).code(), "malformed_credential");
    let many = minted_and(&["a=b"; 59]);
    assert_eq!(many.len(), 65);
    assert_eq!(malformed(&signed(&many)), VerifyError::Malformed(CredentialError::TooManyCaveats));
    assert!(verify(&signed(&many[..64]), &request()).is_ok());
    let long = minted_and(&[&format!("a={}", "b".repeat(8_192))]);
    assert_eq!(malformed(&signed(&long)), VerifyError::Malformed(CredentialError::TokenTooLarge));
    // Large, but not too large.
    let large = minted_and(&[&format!("a={}", "b".repeat(7_000))]);
    assert!(verify(&signed(&large), &request()).is_ok());
}

#[test]
fn forged_tampered_or_under_another_key() {
    let invalid = |token: &str| assert_eq!(verify(token, &request()), Err(INVALID));
    let token = signed(&minted_and(&[]));
    invalid(&tampered(&token));
    // Another root key; another network's macaroon key; a key that is right for the id alone.
    for (root_key, currency) in [([0x12; 32], "bcrt"), (ROOT_KEY, "bc"), (ROOT_KEY, "tb")] {
        let mut macaroon = bare(&root_key, currency, &payment_hash());
        for caveat in minted_and(&[]) {
            macaroon.attenuate(caveat.as_bytes()).unwrap();
        }
        invalid(&base64::encode(&macaroon.to_v2()));
    }
    // Signed with a key of the forger's choice, under a right identifier.
    let identifier = bare(&ROOT_KEY, "bcrt", &payment_hash()).identifier().to_vec();
    for key in [[0; 32], ROOT_KEY] {
        let mut macaroon = Macaroon::create(&key, &identifier, Some("l402")).unwrap();
        for caveat in minted_and(&[]) {
            macaroon.attenuate(caveat.as_bytes()).unwrap();
        }
        invalid(&base64::encode(&macaroon.to_v2()));
    }
}

/// A token id that no key of the ring made leaves no key to sign with, not even one of zeros.
#[test]
fn unknown_token_id_has_no_key() {
    let identifier = [&[0, 0], payment_hash().as_bytes().as_slice(), &[9; 32]].concat();
    let mut macaroon = Macaroon::create(&[0; 32], &identifier, Some("l402")).unwrap();
    for caveat in minted_and(&[]) {
        macaroon.attenuate(caveat.as_bytes()).unwrap();
    }
    assert_eq!(verify(&base64::encode(&macaroon.to_v2()), &request()), Err(INVALID));
}

#[test]
fn identifiers_of_another_form() {
    let right = bare(&ROOT_KEY, "bcrt", &payment_hash()).identifier().to_vec();
    for identifier in
        [&right[..65], &[right.as_slice(), &[0]].concat(), b"", &[&[0, 1], &right[2..]].concat()]
    {
        let mut macaroon = Macaroon::create(&ROOT_KEY, identifier, None).unwrap();
        macaroon.attenuate(b"services=demo:0").unwrap();
        assert_eq!(verify(&base64::encode(&macaroon.to_v2()), &request()), Err(INVALID));
    }
}

#[test]
fn third_party_caveats() {
    assert_eq!(verify(&with_third_party(&minted_and(&[])), &request()), Err(INVALID));
}

#[test]
fn wrong_preimage() {
    let token = signed(&minted_and(&[]));
    let wrong = Preimage::from_bytes([0x23; 32]);
    assert_eq!(verify_with(&keyring(), &token, &wrong, &request()), Err(INVALID));
    let hash = Preimage::from_bytes(*payment_hash().as_bytes());
    assert_eq!(verify_with(&keyring(), &token, &hash, &request()), Err(INVALID));
}

#[test]
fn preimage_caveats_agree_with_the_header() {
    let hex = preimage().expose_hex();
    let right = format!("preimage={}", *hex);
    assert!(attenuated(&[&right]).is_ok());
    assert!(
        attenuated(&[&right, &right, &right.to_uppercase().replace("PREIMAGE", "preimage")])
            .is_ok()
    );
    let wrong = format!("preimage={}", "23".repeat(32));
    assert_eq!(attenuated(&[&wrong]), Err(INVALID));
    assert_eq!(attenuated(&[&right, &wrong]), Err(INVALID));
    for malformed in ["preimage=", "preimage=22", &format!("{right}22"), "preimage=zz"] {
        assert_eq!(attenuated(&[malformed]), Err(INVALID), "{malformed}");
    }
}

#[test]
fn a_preimage_caveat_stands_in_for_the_header() {
    let by_metadata = |caveats: &[String]| {
        let bytes = base64::decode(&signed(caveats)).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let credential = Credential::from_grpc_metadata(hex.as_bytes()).unwrap();
        keyring().verify(&credential, &request())
    };
    let right = format!("preimage={}", preimage().expose_hex().as_str());
    assert!(by_metadata(&minted_and(&[&right])).is_ok());
    assert_eq!(by_metadata(&minted_and(&[])), Err(INVALID));
    let wrong = format!("preimage={}", "23".repeat(32));
    assert_eq!(by_metadata(&minted_and(&[&wrong])), Err(INVALID));
    assert_eq!(by_metadata(&minted_and(&[&wrong, &right])), Err(INVALID));
}

#[test]
fn chains_that_do_not_begin_as_minted() {
    let minted = minted_and(&[]);
    for missing in 0..5 {
        let mut caveats = minted.clone();
        let caveat = caveats.remove(missing);
        assert_eq!(verify(&signed(&caveats), &request()), Err(INVALID), "without {caveat}");
        // Said later, where a holder can say it, it does not count.
        caveats.push(caveat.clone());
        assert_eq!(verify(&signed(&caveats), &request()), Err(INVALID), "late {caveat}");
        let mut twice = minted.clone();
        twice.insert(missing, caveat.clone());
        // The fifth's double is a caveat like any other, and narrows nothing.
        assert_eq!(verify(&signed(&twice), &request()).is_ok(), missing == 4, "twice {caveat}");
    }
    assert_eq!(verify(&signed::<&str>(&[]), &request()), Err(INVALID));
    let beginnings = [
        (0, "services=demo:0,demo:0"),
        (0, "services=demo:0,other:0"),
        (0, "services="),
        (0, "services=demo"),
        (0, "services=demo:01"),
        (0, "service=demo:0"),
        (0, "SERVICES=demo:0"),
        (1, "other_valid_until=1800003600"),
        (1, "demo_valid_until="),
        (1, "demo_valid_until=x"),
        (1, "demo_valid_until=01800003600"),
        (2, "demo_method=get"),
        (2, "demo_method="),
        (3, "demo_path="),
        (3, "demo_path=*"),
        (3, "demo_path=v1"),
        (4, "demo_max_price_msat="),
        (4, "demo_max_price_msat=21 000"),
        (4, "demo_max_price_sat=21"),
    ];
    for (at, caveat) in beginnings {
        let mut caveats = minted.clone();
        caveats[at] = caveat.into();
        assert_eq!(verify(&signed(&caveats), &request()), Err(INVALID), "{caveat}");
    }
}

#[test]
fn a_bound_query_or_body_cannot_be_left_out() {
    let token = signed(&minted_and(&[]));
    let query = RequestContext { requires_query: true, ..request() };
    let digest = RequestContext { requires_digest: true, digest: Some([0; 32]), ..request() };
    assert_eq!(verify(&token, &query), Err(INVALID));
    assert_eq!(verify(&token, &digest), Err(INVALID));
    // What is out of scope says so first, and an unbound chain is no matter of time.
    let elsewhere = RequestContext { path: "/v1/data", ..query };
    assert_eq!(verify(&token, &elsewhere), out_of_scope("demo_path"));
    assert_eq!(verify(&token, &RequestContext { now: u64::MAX, ..query }), Err(INVALID));
}

#[test]
fn expiry_is_exact() {
    let token = signed(&minted_and(&[]));
    let at = |now| verify(&token, &RequestContext { now, ..request() });
    assert!(at(VALID_UNTIL - 1).is_ok() && at(0).is_ok());
    assert_eq!(at(VALID_UNTIL), Err(VerifyError::Expired));
    assert_eq!(at(u64::MAX), Err(VerifyError::Expired));
    let mut caveats = minted_and(&[]);
    caveats[1] = format!("demo_valid_until={}", u64::MAX);
    assert_eq!(verify(&signed(&caveats), &request()).unwrap().keep_until, u64::MAX);
}

/// Every failure with every later one at once: the earlier decides.
#[test]
fn the_first_failure_decides() {
    let expired = RequestContext { now: u64::MAX, ..request() };
    let elsewhere = RequestContext { path: "/v1/data", ..expired };
    let strict = RequestContext { strict: true, ..elsewhere };
    let later =
        [("demo_max_price_msat=1e3", "demo_max_price_msat"), ("demo_color=red", "demo_color")];
    // Narrowing before malformed values before strict unknowns before scope before expiry.
    let chain = minted_and(&[later[1].0, later[0].0, "demo_method=PUT"]);
    assert_eq!(verify(&signed(&chain), &strict), out_of_scope("demo_method"));
    assert_eq!(verify(&signed(&chain[..8]), &strict), out_of_scope(later[0].1));
    assert_eq!(verify(&signed(&chain[..7]), &strict), out_of_scope(later[1].1));
    assert_eq!(verify(&signed(&chain[..6]), &strict), out_of_scope("demo_path"));
    assert_eq!(verify(&signed(&chain[..6]), &expired), Err(VerifyError::Expired));
    // What makes the credential itself invalid comes before all of that.
    assert_eq!(verify(&tampered(&signed(&chain)), &strict), Err(INVALID));
    assert_eq!(verify(&with_third_party(&chain), &strict), Err(INVALID));
    let wrong = Preimage::from_bytes([0x23; 32]);
    assert_eq!(verify_with(&keyring(), &signed(&chain), &wrong, &strict), Err(INVALID));
    assert_eq!(verify(&signed(&chain[1..]), &strict), Err(INVALID));
    // And what cannot be read comes before everything.
    let unread = base64::encode(&base64::decode(&signed(&chain[1..])).unwrap()[1..]);
    assert_eq!(
        verify_with(&keyring(), &unread, &wrong, &strict).unwrap_err().code(),
        "malformed_credential"
    );
}

#[test]
fn several_tokens_are_one_use() {
    let (a, b) = (signed(&minted_and(&[])), signed(&minted_and(&["demo_valid_until=1800000100"])));
    let mut later = minted_and(&[]);
    later[1] = "demo_valid_until=1800007200".into();
    later[5] = "demo_uses=5".into();
    let c = signed(&later);
    let all = |tokens: &[&str]| verify(&tokens.join(","), &request());
    let verified = all(&[&a, &b, &c]).unwrap();
    assert_eq!(verified.uses, 1);
    assert_eq!(verified.valid_until, 1_800_000_100);
    assert_eq!(verified.keep_until, 1_800_007_200 + 300);
    assert_eq!(all(&[&c, &c]).unwrap().uses, 5);

    // Each has to hold, and the earliest kind of failure decides, wherever it stands.
    let elsewhere = signed(&minted_and(&["demo_method=PUT"]));
    let expired = signed(&minted_and(&["demo_valid_until=1"]));
    assert_eq!(all(&[&a, &elsewhere]), out_of_scope("demo_method"));
    assert_eq!(all(&[&expired, &a, &elsewhere]), out_of_scope("demo_method"));
    assert_eq!(all(&[&expired, &elsewhere, &tampered(&a)]), Err(INVALID));
    assert_eq!(
        all(&[&tampered(&a), &base64::encode(&[2]), &a]).unwrap_err().code(),
        "malformed_credential"
    );
}

#[test]
fn several_tokens_have_one_payment_hash() {
    let other = Preimage::from_bytes([0x33; 32]);
    let mut macaroon = bare(&ROOT_KEY, "bcrt", &other.payment_hash());
    for caveat in minted_and(&[]) {
        macaroon.attenuate(caveat.as_bytes()).unwrap();
    }
    let (ours, theirs) = (signed(&minted_and(&[])), base64::encode(&macaroon.to_v2()));
    assert!(verify_with(&keyring(), &theirs, &other, &request()).is_ok());
    for preimage in [preimage(), other] {
        for tokens in [[&*ours, &*theirs], [&*theirs, &*ours]] {
            assert_eq!(
                verify_with(&keyring(), &tokens.join(","), &preimage, &request()),
                Err(INVALID)
            );
        }
    }
}

#[test]
fn rotation_keeps_old_keys_verifying() {
    let old = keyring().mint(&mint_request()).unwrap();
    let mut rotated = keyring();
    rotated.rotate(RootKey::from_bytes([0x44; 32]));
    assert_eq!(rotated.len(), 2);
    let new = rotated.mint(&mint_request()).unwrap();
    assert_ne!(old, new);
    for token in [&old, &new] {
        assert!(verify_with(&rotated, token.as_str(), &preimage(), &request()).is_ok());
    }
    assert_eq!(verify(new.as_str(), &request()), Err(INVALID));
    let ring = Keyring::new(Network::Regtest, RootKey::from_bytes([0x55; 32]))
        .with_verifying(RootKey::from_bytes([0x44; 32]))
        .with_verifying(RootKey::from_bytes(ROOT_KEY));
    for token in [&old, &new] {
        assert!(verify_with(&ring, token.as_str(), &preimage(), &request()).is_ok());
    }
    let dropped = Keyring::new(Network::Regtest, RootKey::from_bytes([0x44; 32]));
    assert_eq!(verify_with(&dropped, old.as_str(), &preimage(), &request()), Err(INVALID));
}

#[test]
fn codes_are_stable_and_say_no_more_than_they_may() {
    let expected = [
        (VerifyError::Expired, "expired", None),
        (VerifyError::Invalid, "invalid_credential", None),
        (VerifyError::Malformed(CredentialError::EmptyToken), "malformed_credential", None),
        (
            VerifyError::OutOfScope { condition: "demo_path".into() },
            "out_of_scope",
            Some("demo_path"),
        ),
    ];
    for (error, code, condition) in expected {
        assert_eq!((error.code(), error.condition()), (code, condition));
    }
}

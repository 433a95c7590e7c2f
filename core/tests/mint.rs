//! What a minted token is, to the byte.
#![allow(clippy::unwrap_used)]

mod common;

use std::num::NonZeroU32;

use common::*;
use plannt_core::macaroon::MacaroonRef;
use plannt_core::{
    Keyring, MAX_MINTED_TOKEN_BYTES, MintError, MintRequest, Network, PaymentHash, Preimage,
    RequestContext, RootKey, VerifyError, base64, content_digest, content_digest_text,
    query_digest,
};

fn caveats(token: &plannt_core::Token) -> Vec<String> {
    let macaroon = token.parse_macaroon().unwrap();
    macaroon.caveats().map(|caveat| String::from_utf8(caveat.id.to_vec()).unwrap()).collect()
}

#[test]
fn is_what_the_protocol_says() {
    let token = keyring().mint(&mint_request()).unwrap();
    assert_eq!(token.as_str(), signed(&minted_and(&[])), "made without the minting code");
    assert_eq!(base64::decode(token.as_str()).unwrap().len(), mint_request().encoded_len());
    assert_eq!(token.parse_macaroon().unwrap().location(), Some("l402"));
    assert_eq!(format!("{token:?}"), "Token([redacted])");
    assert_eq!(token.to_string(), token.as_str());
}

#[test]
fn writes_all_that_is_sold_in_order() {
    let request = MintRequest {
        tier: 255,
        uses: NonZeroU32::MAX,
        query: Some(query_digest(b"a=1")),
        digest: Some(content_digest(b"body")),
        capabilities: &["read", "write"],
        path: "/v1/*",
        ..mint_request()
    };
    let token = keyring().mint(&request).unwrap();
    let expected = [
        "services=demo:255".to_owned(),
        "demo_valid_until=1800003600".to_owned(),
        "demo_method=GET".to_owned(),
        "demo_path=/v1/*".to_owned(),
        "demo_max_price_msat=21000".to_owned(),
        "demo_uses=4294967295".to_owned(),
        format!("demo_query={}", PaymentHash::from_bytes(query_digest(b"a=1"))),
        format!("demo_digest={}", content_digest_text(&content_digest(b"body"))),
        "demo_capabilities=read,write".to_owned(),
    ];
    assert_eq!(caveats(&token), expected);
    assert_eq!(base64::decode(token.as_str()).unwrap().len(), request.encoded_len());
    let wanted = RequestContext {
        tier: 255,
        query: query_digest(b"a=1"),
        requires_query: true,
        digest: Some(content_digest(b"body")),
        requires_digest: true,
        capability: Some("write"),
        strict: true,
        path: "/v1/x",
        ..common::request()
    };
    assert_eq!(verify(token.as_str(), &wanted).unwrap().uses, u32::MAX);
}

#[test]
fn is_at_most_1024_bytes() {
    let path = |len: usize| format!("/{}", "a".repeat(len - 1));
    let spare = MAX_MINTED_TOKEN_BYTES - mint_request().encoded_len() + "/v1/demo".len();
    // The caveat's length takes a second byte above 127.
    let longest = path(spare - 1);
    let request = MintRequest { path: &longest, ..mint_request() };
    assert_eq!(request.encoded_len(), MAX_MINTED_TOKEN_BYTES);
    let token = keyring().mint(&request).unwrap();
    assert_eq!(base64::decode(token.as_str()).unwrap().len(), MAX_MINTED_TOKEN_BYTES);
    let longer = path(spare);
    let request = MintRequest { path: &longer, ..mint_request() };
    assert_eq!(keyring().mint(&request).unwrap_err(), MintError::TooLong);
    assert_eq!(MintError::TooLong.code(), "token_too_long");
}

#[test]
fn refuses_what_would_not_verify() {
    let refused = |request: MintRequest<'_>| keyring().mint(&request).unwrap_err();
    for service in ["", "Demo", "de_mo", "demo:0", "demo ", "demo,other", "dé", "demo="] {
        let error = refused(MintRequest { service, ..mint_request() });
        assert_eq!(error, MintError::InvalidService, "{service}");
    }
    for method in ["", "get", "Get", "GET ", "GE,T", "GET=1", "GÉT", "GET\n"] {
        let error = refused(MintRequest { method, ..mint_request() });
        assert_eq!(error, MintError::InvalidMethod, "{method:?}");
    }
    for path in ["", "*", "v1", "/a b", "/a\n", "/a\0", "/*/x", "/**", "/a?b", "/a#b", "/é", " /a"]
        .into_iter()
        // A normalized path has them in escapes alone, whatever its route allows.
        .chain(["/a\\b", "/a\"b", "/<a>", "/[a]", "/{a}", "/a|b", "/a^b", "/a`b", "/\u{7f}"])
    {
        let error = refused(MintRequest { path, ..mint_request() });
        assert_eq!(error, MintError::InvalidPath, "{path:?}");
    }
    for capabilities in [&[""][..], &["a,b"], &["a b"], &["ä"], &["read", ""], &["x"; 65]] {
        let error = refused(MintRequest { capabilities, ..mint_request() });
        assert_eq!(error, MintError::InvalidCapability, "{capabilities:?}");
    }
}

/// Printable text never spells it, but hashes and MACs do: about one token in 70,000.
#[test]
fn never_hands_out_a_text_with_lsat() {
    let keyring = keyring();
    let mint = |i: u32| {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&i.to_be_bytes());
        keyring.mint(&MintRequest { payment_hash: PaymentHash::from_bytes(hash), ..mint_request() })
    };
    // The first hash of this row whose token would hold it: found once by trying them all.
    const FIRST: u32 = 37_492;
    for i in FIRST - 500..FIRST {
        assert!(!mint(i).unwrap().as_str().contains("LSAT"));
    }
    assert_eq!(mint(FIRST), Err(MintError::TokenTextCollision));
    assert_eq!(MintError::TokenTextCollision.code(), "token_text_collision");
    assert!(mint(FIRST + 1).is_ok(), "another invoice does it");
}

#[test]
fn a_chain_of_ones_own_is_authenticated_and_not_verified() {
    let caveats = [b"services=demo:0".as_slice(), b"color=red"];
    let ring = keyring();
    let token = ring.mint_chain(&payment_hash(), &caveats).unwrap();
    let macaroon = token.parse_macaroon().unwrap();
    assert_eq!(macaroon.caveats().map(|c| c.id).collect::<Vec<_>>(), caveats);
    assert_eq!(token.as_str(), signed(&caveats));

    let bytes = macaroon.to_v2();
    let macaroon = MacaroonRef::parse(&bytes).unwrap();
    let other = Preimage::from_bytes([9; 32]);
    assert_eq!(ring.authenticate(&macaroon, Some(&preimage())), Some(payment_hash()));
    assert_eq!(ring.authenticate(&macaroon, Some(&other)), None);
    assert_eq!(ring.authenticate(&macaroon, None), None);
    let foreign = Keyring::new(Network::Bitcoin, RootKey::from_bytes(ROOT_KEY));
    assert_eq!(foreign.authenticate(&macaroon, Some(&preimage())), None);
    let mut forged = bytes.clone();
    *forged.last_mut().unwrap() ^= 1;
    let forged = MacaroonRef::parse(&forged).unwrap();
    assert_eq!(ring.authenticate(&forged, Some(&preimage())), None);
    assert_eq!(verify(token.as_str(), &request()), Err(VerifyError::Invalid));
}

#[test]
fn a_chain_of_ones_own_is_bounded() {
    let room = MAX_MINTED_TOKEN_BYTES - (1 + 6 + 68 + 1 + 1 + 34) - 4;
    let longest = vec![b'x'; room];
    let token = keyring().mint_chain(&payment_hash(), &[&longest]).unwrap();
    assert_eq!(base64::decode(token.as_str()).unwrap().len(), MAX_MINTED_TOKEN_BYTES);
    let longer = vec![b'x'; room + 1];
    let refused = keyring().mint_chain(&payment_hash(), &[&longer]);
    assert_eq!(refused.unwrap_err(), MintError::TooLong);
}

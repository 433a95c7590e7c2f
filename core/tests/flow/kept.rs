//! Which requests a kept credential is tried for: those that its readable caveats allow.

use plannt_core::flow::{BodyFacts, RequestFacts, token_fits, token_valid_until};
use plannt_core::{
    Keyring, MintRequest, Network, RootKey, attenuate_token, content_digest, query_digest,
};

use crate::support::*;

fn to(method: &str, target: &str, body: &[u8]) -> RequestFacts {
    RequestFacts {
        method: method.into(),
        target: target.into(),
        body: BodyFacts::of(body),
        ..request()
    }
}

#[test]
fn method_path_and_time_decide() {
    let token = token_for(1, "GET", "/v1/demo", NOW + 10);
    assert!(token_fits(&token, &to("GET", "/v1/demo?any=query", b""), NOW + 9));
    assert!(!token_fits(&token, &to("GET", "/v1/demo", b""), NOW + 10));
    assert!(!token_fits(&token, &to("POST", "/v1/demo", b""), NOW));
    assert!(!token_fits(&token, &to("GET", "/v1/demo/", b""), NOW));
    assert!(!token_fits(&token, &to("GET", "/v1/Demo", b""), NOW));
    assert!(token_fits(&token, &to("GET", "/v1/%64emo", b""), NOW));
    assert_eq!(token_valid_until(&token), Some(NOW + 10));
}

#[test]
fn a_final_star_is_a_prefix() {
    let token = token_for(1, "GET", "/v1/*", NOW + 10);
    assert!(token_fits(&token, &to("GET", "/v1/anything/below", b""), NOW));
    assert!(!token_fits(&token, &to("GET", "/v2/", b""), NOW));
}

#[test]
fn a_bound_query_and_body_decide() {
    let keyring = Keyring::new(Network::Regtest, RootKey::from_bytes([1; 32]));
    let mut wanted = MintRequest::new(hash(1), "demo", "POST", "/v1", NOW + 10, 1);
    wanted.query = Some(query_digest(b"a=1"));
    wanted.digest = Some(content_digest(b"body"));
    let token = keyring.mint(&wanted).unwrap().into_string();
    assert!(token_fits(&token, &to("POST", "/v1?a=1", b"body"), NOW));
    assert!(!token_fits(&token, &to("POST", "/v1?a=2", b"body"), NOW));
    assert!(!token_fits(&token, &to("POST", "/v1?a=1", b"other"), NOW));
    let once = RequestFacts { body: BodyFacts::Once, ..to("POST", "/v1?a=1", b"") };
    assert!(!token_fits(&token, &once, NOW));
}

#[test]
fn what_cannot_be_read_is_left_to_the_server() {
    assert!(token_fits("opaque", &request(), NOW));
    assert_eq!(token_valid_until("opaque"), None);
    let token = token_for(1, "GET", "/v1/demo", NOW + 10);
    let more = ["other_method=POST", "demo_unknown=x", "no value"];
    let token = attenuate_token(&token, &more).unwrap();
    assert!(token_fits(token.as_str(), &request(), NOW));
}

#[test]
fn a_holders_narrower_time_decides() {
    let token = token_for(1, "GET", "/v1/demo", NOW + 1_000);
    let token = attenuate_token(&token, &[&format!("demo_valid_until={}", NOW + 5)]).unwrap();
    assert_eq!(token_valid_until(token.as_str()), Some(NOW + 5));
    assert!(!token_fits(token.as_str(), &request(), NOW + 5));
}

//! What a server does with a credential: mint, read, verify; as sold, attenuated, and refused.
#![allow(clippy::unwrap_used)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use common::*;
use criterion::{Criterion, criterion_group, criterion_main};
use plannt_core::macaroon::{Macaroon, MacaroonRef};
use plannt_core::{Credential, RootKey, attenuate_token, authorization_value, base64};

fn mint(c: &mut Criterion) {
    let (ring, request) = (keyring(), mint_request());
    c.bench_function("mint", |b| b.iter(|| ring.mint(black_box(&request)).unwrap()));
    let token = ring.mint(&request).unwrap();
    let more = ["demo_valid_until=1800000060"];
    c.bench_function("attenuate", |b| {
        b.iter(|| attenuate_token(black_box(token.as_str()), &more).unwrap());
    });
}

fn parse(c: &mut Criterion) {
    let token = keyring().mint(&mint_request()).unwrap();
    let bytes = base64::decode(token.as_str()).unwrap();
    let macaroon = Macaroon::parse(&bytes).unwrap();
    let (v1, json) = (macaroon.to_v1().unwrap(), macaroon.to_json().unwrap());
    let mut group = c.benchmark_group("parse");
    let mut buffer = [0; 1_024];
    group.bench_function("base64", |b| {
        b.iter(|| base64::decode_to_slice(black_box(token.as_str().as_bytes()), &mut buffer));
    });
    group.bench_function("v2, borrowed", |b| b.iter(|| MacaroonRef::parse(black_box(&bytes))));
    group.bench_function("v2", |b| b.iter(|| Macaroon::from_v2(black_box(&bytes))));
    group.bench_function("v1", |b| b.iter(|| Macaroon::from_v1(black_box(&v1))));
    group.bench_function("v2 json", |b| b.iter(|| Macaroon::from_json(black_box(json.as_bytes()))));
    group.finish();
}

fn verify(c: &mut Criterion) {
    let request = request();
    let sold = keyring().mint(&mint_request()).unwrap().into_string();
    let forged = {
        let mut bytes = base64::decode(&sold).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        base64::encode(&bytes)
    };
    let many: Vec<String> = (0..58).map(|i| format!("note={i}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let rotated =
        (1..8).fold(keyring(), |ring, i| ring.with_verifying(RootKey::from_bytes([i; 32])));
    let mut group = c.benchmark_group("verify");
    for (name, ring, token) in [
        ("as sold", &keyring(), sold.clone()),
        ("with 8 keys", &rotated, sold.clone()),
        ("with 64 caveats", &keyring(), signed(&minted_and(&many))),
        ("two tokens", &keyring(), [&*sold, &*sold].join(",")),
        ("forged", &keyring(), forged),
    ] {
        let header = authorization_value(&token, &preimage());
        let credential = Credential::from_authorization([header.as_bytes()]).unwrap().unwrap();
        assert_eq!(ring.verify(&credential, &request).is_ok(), name != "forged");
        group.bench_function(name, |b| b.iter(|| ring.verify(black_box(&credential), &request)));
    }
    group.finish();
}

criterion_group!(benches, mint, parse, verify);
criterion_main!(benches);

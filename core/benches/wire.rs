//! Reading and writing headers, at both ends.
#![allow(clippy::unwrap_used)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use common::*;
use criterion::{Criterion, criterion_group, criterion_main};
use plannt_core::{
    Credential, PathRules, authorization_value, challenge_header, normalize_path, parse_challenges,
    read_challenge,
};

/// As long as a real one.
fn invoice() -> String {
    ["lnbcrt210n1", &"p".repeat(290)].concat()
}

fn challenge(c: &mut Criterion) {
    let token = keyring().mint(&mint_request()).unwrap();
    let ours = challenge_header(token.as_str(), &invoice());
    let joined = format!("Bearer realm=\"api\", charset=\"UTF-8\", {ours}");
    let body =
        format!(r#"{{"error":"Payment Required","invoice":"{}","macaroon":"{token}"}}"#, invoice());
    let mut group = c.benchmark_group("challenge");
    group.bench_function("write", |b| {
        b.iter(|| challenge_header(black_box(token.as_str()), black_box(&invoice())));
    });
    group.bench_function("read", |b| {
        b.iter(|| read_challenge([black_box(ours.as_bytes())], None).unwrap().unwrap());
    });
    group.bench_function("read, behind another scheme", |b| {
        b.iter(|| read_challenge([black_box(joined.as_bytes())], None).unwrap().unwrap());
    });
    group.bench_function("read, from the body", |b| {
        b.iter(|| read_challenge([], Some(black_box(body.as_bytes()))).unwrap().unwrap());
    });
    group.bench_function("grammar alone", |b| {
        b.iter(|| parse_challenges(black_box(joined.as_bytes())))
    });
    group.finish();
}

fn authorization(c: &mut Criterion) {
    let token = keyring().mint(&mint_request()).unwrap();
    let header = authorization_value(token.as_str(), &preimage());
    let bearer = format!("Bearer {}", "x".repeat(header.len()));
    let long = authorization_value(&"A".repeat(10_000), &preimage());
    let mut group = c.benchmark_group("authorization");
    group.bench_function("write", |b| {
        b.iter(|| authorization_value(black_box(token.as_str()), black_box(&preimage())));
    });
    for (name, line) in [
        ("read", header.as_str()),
        ("read, 10 kB", long.as_str()),
        ("read, another scheme", bearer.as_str()),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                Credential::from_authorization([black_box(line.as_bytes())]).unwrap().is_some()
            });
        });
    }
    group.finish();
}

fn path(c: &mut Criterion) {
    let rules = PathRules::default();
    let mut group = c.benchmark_group("path");
    for (name, path) in
        [("plain", "/v1/models/llama/chat"), ("escaped", "/v1/%7euser/%e2%82%ac/a%2ab")]
    {
        group.bench_function(name, |b| {
            b.iter(|| normalize_path(black_box(path), &rules).unwrap().len())
        });
    }
    group.finish();
}

criterion_group!(benches, challenge, authorization, path);
criterion_main!(benches);

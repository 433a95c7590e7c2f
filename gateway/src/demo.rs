//! The demo service's own answers.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use plannt_core::Network;
use serde::Serialize;
use serde_json::Value;

use crate::body::{self, Body};
use crate::routes::Routes;

/// What `GET /v1/demo` sells.
pub(crate) fn demo() -> Response<Body> {
    json(&serde_json::json!({"result": "verified"}))
}

/// What `GET /v1/data` sells: how bitcoin's subsidy falls.
pub(crate) fn data() -> Response<Body> {
    let epochs: Vec<Value> = (0..8u32)
        .map(|epoch| {
            serde_json::json!({
                "height": epoch * 210_000,
                "subsidy_sats": 5_000_000_000_u64 >> epoch,
            })
        })
        .collect();
    json(&serde_json::json!({"result": epochs, "title": "Block subsidy by halving"}))
}

/// `GET /status`, free.
#[derive(Serialize)]
struct Status<'a> {
    ok: bool,
    network: String,
    service: &'a str,
    prices: Vec<Price<'a>>,
}

#[derive(Serialize)]
struct Price<'a> {
    method: &'a str,
    path: &'a str,
    price_msat: u64,
    price_sats: u64,
}

pub(crate) fn status(routes: &Routes, network: Network, service: &str) -> Response<Body> {
    let prices = routes
        .price_list()
        .map(|(method, path, price_msat)| Price {
            method: method.as_str(),
            path,
            price_msat,
            price_sats: price_msat.div_ceil(1_000),
        })
        .collect();
    json(&Status { ok: true, network: network.to_string(), service, prices })
}

pub(crate) fn json(value: &impl Serialize) -> Response<Body> {
    let text = serde_json::to_string(value).unwrap_or_default();
    let mut response = Response::new(body::full(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

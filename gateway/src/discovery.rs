//! What is sold, for programs that look before they buy: `GET /.well-known/l402.json` (docs/DISCOVERY.md).

use std::borrow::Cow;
use std::collections::BTreeSet;

use http::Response;
use plannt_core::Network;
use plannt_gate::Terms;
use serde::Serialize;

use crate::body::Body;
use crate::demo::json;
use crate::routes::{Listed, Routes};

#[derive(Serialize)]
struct Discovery<'a> {
    protocol: &'static str,
    /// The version of the protocol that a challenge names.
    version: &'static str,
    network: String,
    services: Vec<Service<'a>>,
    /// The first that fits a request says what it costs.
    routes: Vec<Route<'a>>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Service<'a> {
    name: &'a str,
    tier: u8,
}

#[derive(Serialize)]
struct Route<'a> {
    method: &'a str,
    path: Cow<'a, str>,
    /// 0 is free.
    price_msat: u64,
    price_sats: u64,
    #[serde(flatten)]
    sold: Option<Sold<'a>>,
}

/// What a payment buys.
#[derive(Serialize)]
struct Sold<'a> {
    service: &'a str,
    uses: u32,
    /// How long a credential is good, seconds.
    valid_seconds: u64,
    /// What of the request it holds for.
    binds: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capability: Option<&'a str>,
    /// The longest body, bytes, where the body is bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_body_bytes: Option<usize>,
}

pub(crate) fn answer(routes: &Routes, network: Network, service: &str) -> Response<Body> {
    let mut services = BTreeSet::from([Service { name: service, tier: 0 }]);
    services.extend(
        routes
            .listed()
            .filter_map(|route| route.terms)
            .map(|terms| Service { name: &terms.service, tier: terms.tier }),
    );
    json(&Discovery {
        protocol: "L402",
        version: "0",
        network: network.to_string(),
        services: services.into_iter().collect(),
        routes: routes.listed().map(route).collect(),
    })
}

fn route(listed: Listed<'_>) -> Route<'_> {
    let price_msat = listed.terms.map_or(0, |terms| terms.price_msat.get());
    Route {
        method: listed.method,
        path: listed.path,
        price_msat,
        price_sats: price_msat.div_ceil(1_000),
        sold: listed.terms.map(sold),
    }
}

fn sold(terms: &Terms) -> Sold<'_> {
    let bound = [("query", terms.binds_query), ("body", terms.binds_body.is_some())];
    Sold {
        service: &terms.service,
        uses: terms.uses.get(),
        valid_seconds: terms.validity_seconds,
        binds: ["method", "path"]
            .into_iter()
            .chain(bound.into_iter().filter_map(|(name, is_bound)| is_bound.then_some(name)))
            .collect(),
        capability: terms.capability.as_deref(),
        max_body_bytes: terms.binds_body,
    }
}

//! What is offered, and what it costs.

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::request::Parts;
use plannt_gate::{Pricer, Pricing, Terms};

use crate::config::{FreePath, Offer};
use crate::prices::Prices;

/// What answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Data,
    Demo,
    Discovery,
    Generate,
    Status,
    Upstream,
}

/// One route: a method and path, or for a proxy all of them.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) target: Target,
    matches: Matches,
    /// `None`: free.
    terms: Option<Arc<Terms>>,
}

#[derive(Clone, Debug)]
enum Matches {
    All,
    Exact(Method, &'static str),
    Free(FreePath),
}

/// Where the gateway tells what it sells (RFC 8615).
pub(crate) const DISCOVERY_PATH: &str = "/.well-known/l402.json";

/// A route as a buyer sees it.
pub(crate) struct Listed<'a> {
    /// `*` is any.
    pub(crate) method: &'a str,
    /// A final `*` stands for whatever follows.
    pub(crate) path: Cow<'a, str>,
    /// `None`: free.
    pub(crate) terms: Option<&'a Terms>,
}

/// All routes; the first that matches answers.
#[derive(Clone, Debug)]
pub(crate) struct Routes(Arc<[Route]>);

impl Routes {
    pub(crate) fn new(
        offer: &Offer,
        service: &str,
        validity: Duration,
        body: usize,
        prices: &mut Prices,
    ) -> Self {
        let mut paid = |route: &str, price_msat: NonZeroU64| {
            let mut terms = Terms::new(service, price_msat);
            terms.validity_seconds = validity.as_secs();
            terms.lowest_price_msat = prices.lowest(route, price_msat);
            terms
        };
        let exact = |method, path, target, terms: Option<Terms>| Route {
            target,
            matches: Matches::Exact(method, path),
            terms: terms.map(Arc::new),
        };
        let discovery = exact(Method::GET, DISCOVERY_PATH, Target::Discovery, None);
        let routes = match offer {
            Offer::Demo { generate } => {
                let mut routes = vec![
                    discovery,
                    exact(Method::GET, "/status", Target::Status, None),
                    exact(
                        Method::GET,
                        "/v1/demo",
                        Target::Demo,
                        Some(paid("GET /v1/demo", msat(21))),
                    ),
                    exact(
                        Method::GET,
                        "/v1/data",
                        Target::Data,
                        Some(paid("GET /v1/data", msat(100))),
                    ),
                ];
                if generate.is_some() {
                    let mut terms = paid("POST /v1/generate", msat(250));
                    terms.binds_body = Some(body);
                    routes.push(exact(Method::POST, "/v1/generate", Target::Generate, Some(terms)));
                }
                routes
            }
            Offer::Upstream { price_msat, free_paths, .. } => {
                let mut terms = paid("*", *price_msat);
                // Another query is another resource.
                terms.binds_query = true;
                let free = free_paths.iter().map(|path| Route {
                    target: Target::Upstream,
                    matches: Matches::Free(path.clone()),
                    terms: None,
                });
                let all = Route {
                    target: Target::Upstream,
                    matches: Matches::All,
                    terms: Some(Arc::new(terms)),
                };
                [discovery].into_iter().chain(free).chain([all]).collect()
            }
        };
        Self(routes.into())
    }

    /// The route of a method and a normalized path. `HEAD` asks about what `GET` would give, and where there is no
    /// `GET`, for the price of what is sold there.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<&Route> {
        let is_head = *method == Method::HEAD;
        let wanted = if is_head { &Method::GET } else { method };
        // Credentials name methods in upper case, so other methods can't be sold.
        let is_plain = method.as_str().bytes().all(|byte| byte.is_ascii_uppercase());
        let route = self.0.iter().find(|route| match &route.matches {
            Matches::All => is_plain,
            Matches::Exact(method, exact) => method == wanted && *exact == path,
            Matches::Free(free) => is_plain && free.matches(path),
        });
        route.or_else(|| {
            let is_sold = |route: &&Route| match &route.matches {
                Matches::Exact(_, exact) => *exact == path && route.terms.is_some(),
                Matches::All | Matches::Free(_) => false,
            };
            self.0.iter().filter(|_| is_head).find(is_sold)
        })
    }

    /// The routes that have a method and path of their own, with their prices in msat; 0 is free.
    pub(crate) fn price_list(&self) -> impl Iterator<Item = (&Method, &str, u64)> {
        let own = self.0.iter().filter(|route| route.target != Target::Discovery);
        own.filter_map(|route| match &route.matches {
            Matches::Exact(method, path) => {
                let price = route.terms.as_ref().map_or(0, |terms| terms.price_msat.get());
                Some((method, *path, price))
            }
            Matches::All | Matches::Free(_) => None,
        })
    }

    /// Every route in the order in which they are looked through, the discovery document's own left out.
    pub(crate) fn listed(&self) -> impl Iterator<Item = Listed<'_>> {
        let own = self.0.iter().filter(|route| route.target != Target::Discovery);
        own.map(|route| {
            let (method, path) = match &route.matches {
                Matches::All => ("*", "/*".into()),
                Matches::Exact(method, path) => (method.as_str(), (*path).into()),
                Matches::Free(FreePath::Exact(path)) => ("*", path.as_str().into()),
                Matches::Free(FreePath::Prefix(prefix)) => ("*", format!("{prefix}*").into()),
            };
            Listed { method, path, terms: route.terms.as_deref() }
        })
    }
}

impl Pricer for Routes {
    fn terms(&self, request: &Parts) -> Pricing {
        match self.find(&request.method, request.uri.path()) {
            None => Pricing::NotFound,
            Some(Route { terms: None, .. }) => Pricing::Free,
            Some(Route { terms: Some(terms), .. }) => Pricing::Paid(Arc::clone(terms)),
        }
    }
}

/// A price in sat, in msat; at least 1.
fn msat(sats: u64) -> NonZeroU64 {
    NonZeroU64::new(sats.saturating_mul(1_000)).unwrap_or(NonZeroU64::MIN)
}

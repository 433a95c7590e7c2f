//! What a request costs, and what a credential for it is bound to.

use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

use http::request::Parts;
use plannt_core::PathRules;

/// The terms of a paid request: what its challenge asks for, and what its credential must show.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Terms {
    /// The service's name, `[a-z0-9-]+`.
    pub service: String,
    /// The service's tier.
    pub tier: u8,
    /// The price now, in msat; an invoice rounds it up to the node's unit. What costs nothing is
    /// [`Pricing::Free`].
    pub price_msat: NonZeroU64,
    /// The lowest price that this request had during the last validity window, in msat: what was
    /// paid then is still good.
    pub lowest_price_msat: u64,
    /// How many requests one payment buys.
    pub uses: NonZeroU32,
    /// Whether a credential holds for the exact query only.
    pub binds_query: bool,
    /// Whether a credential holds for the exact body only, and then how many bytes a body may have.
    pub binds_body: Option<usize>,
    /// The capability that a credential must hold and that a minted one gets.
    pub capability: Option<String>,
    /// How long a credential is valid, in seconds; at least until 10 minutes after the invoice
    /// expires, and one from a pool expires half an hour later.
    pub validity_seconds: u64,
    /// The invoice's description, at most 639 bytes.
    pub memo: String,
}

impl Terms {
    /// Tier 0, one use, bound to method and path, valid for one hour.
    pub fn new(service: impl Into<String>, price_msat: NonZeroU64) -> Self {
        let service = service.into();
        Self {
            memo: service.clone(),
            service,
            tier: 0,
            price_msat,
            lowest_price_msat: price_msat.get(),
            uses: NonZeroU32::MIN,
            binds_query: false,
            binds_body: None,
            capability: None,
            validity_seconds: 3_600,
        }
    }
}

/// What a [`Pricer`] says to a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Pricing {
    /// Goes on without payment.
    Free,
    /// No such route: 404, never forwarded.
    NotFound,
    /// Costs this much.
    Paid(Arc<Terms>),
}

/// Knows the routes and their prices.
pub trait Pricer: Send + Sync {
    /// The terms of a request. Its path is normalized already (docs/PROTOCOL.md §2).
    fn terms(&self, request: &Parts) -> Pricing;

    /// What the route of this request takes in its path besides the plain form. The path is as it
    /// came: compare nothing but what [`normalize_path`](plannt_core::normalize_path) made of it.
    fn path_rules(&self, _request: &Parts) -> PathRules {
        PathRules::default()
    }
}

impl<F: Fn(&Parts) -> Pricing + Send + Sync> Pricer for F {
    fn terms(&self, request: &Parts) -> Pricing {
        self(request)
    }
}

impl<P: Pricer + ?Sized> Pricer for Arc<P> {
    fn terms(&self, request: &Parts) -> Pricing {
        (**self).terms(request)
    }

    fn path_rules(&self, request: &Parts) -> PathRules {
        (**self).path_rules(request)
    }
}

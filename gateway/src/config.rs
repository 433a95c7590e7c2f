//! What a gateway is told.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::uri::Scheme;
use http::{HeaderValue, Uri};
use plannt_core::{Network, PathRules, normalize_path};
use plannt_lightning::Invoicer;

use crate::GatewayError;
use crate::generate::GenerateUrl;

/// Everything that a [`Gateway`](crate::Gateway) needs to start.
///
/// [`demo`](Self::demo) and [`upstream`](Self::upstream) make one with sensible values; the other
/// methods change one setting each.
#[derive(Clone)]
pub struct GatewayConfig {
    pub(crate) challenges_per_minute: u32,
    pub(crate) cors: Cors,
    pub(crate) data_dir: PathBuf,
    pub(crate) hosts: BTreeSet<String>,
    pub(crate) invoice_pool: usize,
    pub(crate) invoicer: Arc<dyn Invoicer>,
    pub(crate) limits: Limits,
    pub(crate) listen: SocketAddr,
    pub(crate) network: Network,
    pub(crate) offer: Offer,
    pub(crate) service: String,
    pub(crate) strict_settlement: bool,
    pub(crate) timeouts: Timeouts,
    pub(crate) validity: Duration,
}

/// What is sold.
#[derive(Clone, Debug)]
pub(crate) enum Offer {
    Demo { generate: Option<GenerateUrl> },
    Upstream { url: Uri, price_msat: NonZeroU64, free_paths: Vec<FreePath> },
}

/// A path that costs nothing: one path, or every path with a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FreePath {
    Exact(String),
    Prefix(String),
}

impl FreePath {
    pub(crate) fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Prefix(prefix) => path.starts_with(prefix.as_str()),
        }
    }
}

/// Where the pages may come from whose scripts may read the answers (docs/PROTOCOL.md §3, "Around the credential").
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cors {
    /// Any origin.
    AnyOrigin,
    /// No CORS: preflights are requests like any other, and answers carry no CORS headers but the upstream's.
    Off,
    /// These origins, such as `https://shop.example`.
    Origins(Vec<HeaderValue>),
}

/// Sizes, in bytes, above which a request is refused before any invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// A body that is bound to its credential, and so is read whole (413). Other bodies stream, unlimited.
    pub body: usize,
    /// Connections at a time; more wait in the system's queue.
    pub connections: usize,
    /// The header section (431). The credential has its own limit of 16 KiB.
    pub head: usize,
    /// The request target (414). A path that is too long for a token is refused earlier.
    pub target: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 1024 * 1024, connections: 10_000, head: 64 * 1024, target: 8 * 1024 }
    }
}

/// How long each step may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Between two pieces of a request body (408 where an answer is still possible).
    pub body: Duration,
    /// For the whole of a body that is bound to its credential, and so is kept in memory for a client who has not
    /// paid (408).
    pub bound_body: Duration,
    /// To connect to the upstream, its name's look-up and TLS included (504, and the use is given back).
    pub connect: Duration,
    /// For the whole head of a request (408).
    pub head: Duration,
    /// Between two requests of one connection.
    pub idle: Duration,
    /// How long an idle connection to the upstream is kept for the next request. Shorter than the upstream keeps
    /// it: a request that is written while the upstream hangs up is lost, and counts as delivered.
    pub pool_idle: Duration,
    /// From the request's start until the upstream's answer begins (504).
    pub response: Duration,
    /// For which a client may take nothing of an answer before it is cut off.
    pub send: Duration,
    /// How long running requests are waited for when the gateway stops.
    pub shutdown: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            body: Duration::from_secs(30),
            bound_body: Duration::from_secs(120),
            connect: Duration::from_secs(5),
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            pool_idle: Duration::from_secs(4),
            response: Duration::from_secs(300),
            send: Duration::from_secs(60),
            shutdown: Duration::from_secs(30),
        }
    }
}

impl GatewayConfig {
    /// The demo service: `GET /v1/demo` for 21 sat, `GET /v1/data` for 100 sat, `GET /status` free; with
    /// [`generate_url`](Self::generate_url) also `POST /v1/generate` for 250 sat. CORS is on for any origin.
    ///
    /// `data_dir` holds the keyring and the spend store; the first start makes them.
    pub fn demo(
        invoicer: Arc<dyn Invoicer>,
        network: Network,
        data_dir: impl Into<PathBuf>,
    ) -> Self {
        let offer = Offer::Demo { generate: None };
        // One machine plays all the clients of a demo.
        Self::new(invoicer, network, data_dir.into(), offer, "demo", Cors::AnyOrigin)
            .challenges_per_minute(600)
    }

    /// A reverse proxy for the server at `url` that sells every path and method for `price_msat`,
    /// bound to method, path and query. CORS is off, so that the upstream's own stays as it is.
    ///
    /// A path in `url` is put before the request's.
    ///
    /// # Errors
    /// [`GatewayError::Config`] for a URL that is not plain `http` or `https`, or a price of 0.
    pub fn upstream(
        invoicer: Arc<dyn Invoicer>,
        network: Network,
        data_dir: impl Into<PathBuf>,
        url: &str,
        price_msat: u64,
    ) -> Result<Self, GatewayError> {
        let price_msat = NonZeroU64::new(price_msat)
            .ok_or_else(|| GatewayError::config("the price must be above 0"))?;
        let url = upstream_url(url)?;
        if url.query().is_some() {
            return Err(GatewayError::config("the upstream URL must have no query"));
        }
        let offer = Offer::Upstream { url, price_msat, free_paths: Vec::new() };
        Ok(Self::new(invoicer, network, data_dir.into(), offer, "api", Cors::Off))
    }

    fn new(
        invoicer: Arc<dyn Invoicer>,
        network: Network,
        data_dir: PathBuf,
        offer: Offer,
        service: &str,
        cors: Cors,
    ) -> Self {
        Self {
            challenges_per_minute: 60,
            cors,
            data_dir,
            hosts: BTreeSet::new(),
            invoice_pool: 0,
            invoicer,
            limits: Limits::default(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8402)),
            network,
            offer,
            service: service.to_owned(),
            strict_settlement: false,
            timeouts: Timeouts::default(),
            validity: Duration::from_secs(60 * 60),
        }
    }

    /// The address to listen on; `127.0.0.1:8402` unless set. Port 0 takes a free one.
    #[must_use]
    pub fn listen(mut self, listen: SocketAddr) -> Self {
        self.listen = listen;
        self
    }

    /// Where the demo's `POST /v1/generate` goes: an OpenAI-compatible server.
    ///
    /// Read as OpenAI's clients read a base URL: `/chat/completions` (for a body with `messages`) or `/completions`
    /// (for one with `prompt`) is appended, after `/v1` where the URL has no path. A URL that already ends in
    /// `/completions` is used as given.
    ///
    /// # Errors
    /// [`GatewayError::Config`] for a URL that is not plain `http` or `https`, or where nothing generates: on a
    /// proxy.
    pub fn generate_url(mut self, url: &str) -> Result<Self, GatewayError> {
        match &mut self.offer {
            Offer::Demo { generate } => *generate = Some(GenerateUrl::new(upstream_url(url)?)?),
            Offer::Upstream { .. } => {
                return Err(GatewayError::config("only the demo service has a generate URL"));
            }
        }
        Ok(self)
    }

    /// Paths of the upstream that cost nothing; one that ends in `*` stands for all that begin so.
    ///
    /// # Errors
    /// [`GatewayError::Config`] for a path that is not in its normalized form, or on the demo service.
    pub fn free_paths<'a>(
        mut self,
        paths: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, GatewayError> {
        let Offer::Upstream { free_paths, .. } = &mut self.offer else {
            return Err(GatewayError::config("only a proxy has free paths to set"));
        };
        for path in paths {
            let (plain, prefix) = path.strip_suffix('*').map_or((path, false), |it| (it, true));
            let is_normal = normalize_path(plain, &PathRules::default())
                .is_ok_and(|normal| normal.as_ref() == plain);
            if !is_normal {
                return Err(GatewayError::config(format!(
                    "the free path {path:?} is not in its normalized form"
                )));
            }
            let path = plain.to_owned();
            free_paths.push(if prefix { FreePath::Prefix(path) } else { FreePath::Exact(path) });
        }
        Ok(self)
    }

    /// The service's name in its credentials: `[a-z0-9-]+`; `demo`, and for a proxy `api`, unless set.
    #[must_use]
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = name.into();
        self
    }

    /// How many invoices are kept ahead of demand for each price, in memory and under the data folder, so that a challenge
    /// does not wait for the node; 0, as at first, is none ([`PoolOptions`](plannt_gate::PoolOptions)).
    #[must_use]
    pub fn invoice_pool(mut self, size: usize) -> Self {
        self.invoice_pool = size;
        self
    }

    /// Whether the node is asked, besides the preimage, that the invoice is settled for the full price
    /// ([`GateBuilder::require_settled`](plannt_gate::GateBuilder::require_settled)); no unless set.
    #[must_use]
    pub fn strict_settlement(mut self, strict: bool) -> Self {
        self.strict_settlement = strict;
        self
    }

    /// How long a credential is valid; an hour unless set.
    #[must_use]
    pub fn validity(mut self, validity: Duration) -> Self {
        self.validity = validity;
        self
    }

    /// Challenges a minute for one client, above 0; 60, and for the demo 600, unless set. A client is the peer address (IPv6: its /64).
    #[must_use]
    pub fn challenges_per_minute(mut self, challenges: u32) -> Self {
        self.challenges_per_minute = challenges;
        self
    }

    /// Who may read the answers in a browser.
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.cors = cors;
        self
    }

    /// The hosts that the service answers to, such as `api.example` or `api.example:8402` (without a port: any).
    /// Empty, as at first: it is the default for every host.
    #[must_use]
    pub fn hosts<T: AsRef<str>>(mut self, hosts: impl IntoIterator<Item = T>) -> Self {
        self.hosts = hosts.into_iter().map(|host| host.as_ref().to_ascii_lowercase()).collect();
        self
    }

    /// Sizes.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Times.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }
}

impl fmt::Debug for GatewayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayConfig")
            .field("listen", &self.listen)
            .field("data_dir", &self.data_dir)
            .field("network", &self.network)
            .field("service", &self.service)
            .field("offer", &self.offer)
            .finish_non_exhaustive()
    }
}

/// Reads the URL of a server that requests are sent to.
fn upstream_url(url: &str) -> Result<Uri, GatewayError> {
    // The message leaves the URL out: it may hold a password.
    let fail = |message: &str| GatewayError::config(format!("the upstream URL {message}"));
    let url: Uri = url.parse().map_err(|_| fail("is not a URL"))?;
    if ![Some(&Scheme::HTTP), Some(&Scheme::HTTPS)].contains(&url.scheme()) {
        return Err(fail("must begin with http:// or https://"));
    }
    match url.authority() {
        Some(authority) if authority.as_str().contains('@') => {
            Err(fail("must hold no user name or password"))
        }
        Some(authority) if !authority.host().is_empty() => Ok(url),
        _ => Err(fail("has no host")),
    }
}

//! A devnet, a gate with a real store, and an upstream behind it that remembers what reached it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use plannt_core::{Network, Preimage, RootKey, authorization_value};
use plannt_gate::{
    Clock, Gate, GateBody, GateBuilder, GateLayer, KeyringStore, NotReached, Pricer, Pricing,
    SpendStore, SqliteOptions, SqliteStore, SystemClock, Terms,
};
use plannt_lightning::devnet::{Devnet, DevnetConfig, DevnetHandle};
use plannt_lightning::{
    Invoicer, PayOutcome, PayRequest, Payer, invoicer_from_url, payer_from_url,
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::{Layer, service_fn};

use super::http::{Answer, Ask};

pub struct World {
    pub addr: SocketAddr,
    pub devnet: DevnetHandle,
    pub gate: Gate,
    pub store: Arc<SqliteStore>,
    pub upstream: Arc<Upstream>,
    pub prices: Arc<Prices>,
    pub clock: Arc<AtomicU64>,
    payer: Arc<dyn Payer>,
    _folder: TempDir,
}

type Swap<A, B> = Box<dyn FnOnce(A) -> B>;

/// What a test may put in place of the usual parts.
pub struct Setup {
    pub store: Swap<Arc<SqliteStore>, Arc<dyn SpendStore>>,
    pub invoicer: Swap<Arc<dyn Invoicer>, Arc<dyn Invoicer>>,
    pub builder: Swap<GateBuilder, GateBuilder>,
    pub network: Network,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            store: Box::new(|store| store),
            invoicer: Box::new(|invoicer| invoicer),
            builder: Box::new(|builder| builder),
            network: Network::Regtest,
        }
    }
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    pub async fn start_with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = DevnetConfig::new(folder.path().join("devnet"));
        let devnet = Devnet::start(config).await.unwrap();
        let payer = payer_from_url(&devnet.payer_url()).unwrap();
        let invoicer = (setup.invoicer)(invoicer_from_url(&devnet.invoicer_url()).unwrap());
        let now = SystemClock.now();
        // Pruned by the tests alone.
        let options = SqliteOptions { prune_interval: None, ..SqliteOptions::default() };
        let data_dir = folder.path().join("gate");
        let opened =
            KeyringStore::open_or_create_with(&data_dir, setup.network, now, options).unwrap();
        let clock = Arc::new(AtomicU64::new(now));
        let time = clock.clone();
        let store = (setup.store)(opened.store.clone());
        let builder = Gate::builder(opened.keyring.keyring(), invoicer, store)
            .clock(move || time.load(Ordering::SeqCst));
        let gate = (setup.builder)(builder).build().unwrap();
        let (upstream, prices) = (Arc::<Upstream>::default(), Arc::<Prices>::default());
        let addr = serve(gate.clone(), prices.clone(), upstream.clone()).await;
        let store = opened.store;
        Self { addr, devnet, gate, store, upstream, prices, clock, payer, _folder: folder }
    }

    pub async fn send(&self, ask: Ask) -> Answer {
        ask.send(self.addr).await
    }

    /// How many invoices the node has made.
    pub async fn invoices(&self) -> usize {
        self.devnet.invoices().await.unwrap().len()
    }

    pub async fn pay(&self, bolt11: &str) -> Preimage {
        let facts = plannt_core::read_invoice(bolt11).unwrap();
        let request = PayRequest {
            bolt11: bolt11.to_owned(),
            payment_hash: facts.payment_hash,
            amount_msat: facts.amount_msat.unwrap(),
            max_fee_msat: 1_000,
            timeout: Duration::from_secs(10),
        };
        match self.payer.pay(&request).await {
            PayOutcome::Paid(payment) => payment.preimage,
            outcome => panic!("{outcome:?}"),
        }
    }

    /// Pays for what is asked; token and preimage.
    pub async fn buy(&self, ask: &Ask) -> (String, Preimage) {
        let answer = ask.send(self.addr).await;
        assert_eq!(answer.status, 402, "{answer:?}");
        let challenge = answer.challenge().unwrap();
        (challenge.token, self.pay(&challenge.invoice).await)
    }

    /// Pays for what is asked; the `Authorization` value.
    pub async fn credential(&self, ask: &Ask) -> String {
        let (token, preimage) = self.buy(ask).await;
        authorization_value(&token, &preimage).to_string()
    }
}

/// The priced routes, all of service `demo`.
pub struct Prices {
    pub price_msat: AtomicU64,
    pub lowest_price_msat: AtomicU64,
}

impl Default for Prices {
    fn default() -> Self {
        Self { price_msat: AtomicU64::new(21_000), lowest_price_msat: AtomicU64::new(21_000) }
    }
}

pub const BODY_LIMIT: usize = 64;

impl Pricer for Prices {
    fn terms(&self, request: &Parts) -> Pricing {
        let price = NonZeroU64::new(self.price_msat.load(Ordering::SeqCst)).unwrap();
        let mut terms = Terms::new("demo", price);
        terms.lowest_price_msat = self.lowest_price_msat.load(Ordering::SeqCst);
        match request.uri.path() {
            "/free" => return Pricing::Free,
            "/v1/bundle" => terms.uses = NonZeroU32::new(3).unwrap(),
            "/v1/query" => terms.binds_query = true,
            "/v1/generate" => terms.binds_body = Some(BODY_LIMIT),
            "/v1/capable" => terms.capability = Some("write".into()),
            "/v1/other" => terms.service = "other".into(),
            "/v1/brief" => terms.validity_seconds = 1,
            "/v1/demo" | "/v1/data" | "/v1/demo/" | "/grpc.Service/Call" => {}
            path if path.starts_with("/v1/long/") => {}
            _ => return Pricing::NotFound,
        }
        Pricing::Paid(Arc::new(terms))
    }
}

/// A request as it came through.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

#[derive(Default)]
pub struct Upstream {
    pub seen: Mutex<Vec<Seen>>,
    /// Answers 502 as if no connection could be made.
    pub unreachable: AtomicBool,
}

impl Upstream {
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub fn last(&self) -> Seen {
        self.seen.lock().unwrap().last().unwrap().clone()
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<GateBody<Incoming>>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let response = Response::builder()
            .header("x-l402", "valid; remaining=99")
            .header("x-l402-price-msat", "1")
            .header("cache-control", "public, max-age=60, s-maxage=600");
        if self.unreachable.load(Ordering::SeqCst) {
            let response = response.status(502).extension(NotReached);
            return Ok(response.body(Full::new(Bytes::from_static(b"unreachable"))).unwrap());
        }
        let (parts, body) = request.into_parts();
        let seen = Seen {
            method: parts.method.to_string(),
            target: parts.uri.to_string(),
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        };
        self.seen.lock().unwrap().push(seen);
        Ok(response.body(Full::new(Bytes::from_static(b"{\"result\":\"verified\"}"))).unwrap())
    }
}

async fn serve(gate: Gate, prices: Arc<Prices>, upstream: Arc<Upstream>) -> SocketAddr {
    let inner = service_fn(move |request| upstream.clone().answer(request));
    let service = TowerToHyperService::new(GateLayer::new(gate, prices).layer(inner));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                // A client that has gone is no matter here.
                let _ = server.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    addr
}

/// A key that nobody else has.
pub fn stranger() -> RootKey {
    RootKey::from_bytes([0xa5; 32])
}

//! A world of a test: a devnet, a journal's folder, and a server that answers as the test says.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request as AxumRequest, State};
use axum::response::Response as AxumResponse;
use plannt_client::{Client, ClientBuilder, ClientError, Clock, FeeLimit, Journal, Request};
use plannt_core::{
    Credential, Keyring, MintRequest, Network, PaymentHash, RootKey, challenge_header, read_invoice,
};
use plannt_lightning::devnet::{Devnet, DevnetConfig, DevnetHandle};
use plannt_lightning::{InvoiceRequest, Invoicer, Payer, invoicer_from_url, payer_from_url};
use tokio::net::TcpListener;

pub(crate) const PRICE_MSAT: u64 = 21_000;
pub(crate) const FEE_MSAT: u64 = 1_000;

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) authorization: Vec<String>,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The hash of the L402 credential, where its preimage proves it.
    pub(crate) proven: Option<PaymentHash>,
    /// The how-manieth request of this server it is, from 0.
    pub(crate) index: usize,
}

/// What the server does with a request.
pub(crate) enum Reply {
    /// Sends this.
    Answer(AxumResponse),
    /// A 402 with a fresh invoice of the devnet.
    Challenge,
    /// Never answers.
    Hang,
}

type Rule = Box<dyn Fn(&Seen) -> Reply + Send + Sync>;

struct ServerState {
    invoicer: Arc<dyn Invoicer>,
    seen: Mutex<Vec<Seen>>,
    uses: Mutex<HashMap<PaymentHash, u32>>,
    rule: Mutex<Rule>,
}

pub(crate) struct World {
    pub(crate) devnet: DevnetHandle,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) url: String,
    state: Arc<ServerState>,
}

impl World {
    /// A server that sells `uses` uses for each payment, as a gateway does.
    pub(crate) async fn selling(uses: u32) -> Self {
        let world = Self::ruled(|_| Reply::Challenge).await;
        let state = world.state.clone();
        world.rule(move |seen| {
            let Some(hash) = seen.proven else { return Reply::Challenge };
            let mut all = state.uses.lock().unwrap();
            let used = all.entry(hash).or_default();
            if *used >= uses {
                return Reply::Challenge;
            }
            *used += 1;
            let left = uses - *used;
            let says = if left == 0 { "spent".into() } else { format!("valid; remaining={left}") };
            Reply::Answer(
                AxumResponse::builder().header("x-l402", says).body("goods".into()).unwrap(),
            )
        });
        world
    }

    pub(crate) async fn ruled(rule: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = DevnetConfig::new(folder.path().join("devnet")).fee_msat(7);
        let devnet = Devnet::start(config).await.unwrap();
        let state = Arc::new(ServerState {
            invoicer: invoicer_from_url(&devnet.invoicer_url()).unwrap(),
            seen: Mutex::default(),
            uses: Mutex::default(),
            rule: Mutex::new(Box::new(rule)),
        });
        let url = serve(state.clone()).await;
        Self { devnet, folder, url, state }
    }

    /// Another server over the same rule.
    pub(crate) async fn second_server(&self) -> String {
        serve(self.state.clone()).await
    }

    pub(crate) fn rule(&self, rule: impl Fn(&Seen) -> Reply + Send + Sync + 'static) {
        *self.state.rule.lock().unwrap() = Box::new(rule);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    pub(crate) fn journal_path(&self) -> PathBuf {
        self.folder.path().join("home/journal.db")
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::open(self.journal_path()).unwrap()
    }

    pub(crate) fn payer(&self) -> Arc<dyn Payer> {
        payer_from_url(&self.devnet.payer_url()).unwrap()
    }

    /// A client as a new process would make it: with a journal opened anew.
    pub(crate) fn builder(&self) -> ClientBuilder {
        self.builder_with(self.payer())
    }

    pub(crate) fn builder_with(&self, payer: Arc<dyn Payer>) -> ClientBuilder {
        Client::builder(payer, Network::Regtest)
            .journal_path(self.journal_path())
            .max_payment_msat(100_000)
            .max_fee(FeeLimit::fixed(FEE_MSAT))
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn get(&self, target: &str) -> Request {
        Request::get(&format!("{}{target}", self.url)).unwrap()
    }

    /// How many payments succeeded.
    pub(crate) async fn paid(&self) -> usize {
        let payments = self.devnet.payments().await.unwrap();
        payments.iter().filter(|p| p.status == "SUCCEEDED").count()
    }

    /// How many payments were asked for at all.
    pub(crate) async fn attempts(&self) -> usize {
        self.devnet.payments().await.unwrap().len()
    }
}

async fn serve(state: Arc<ServerState>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(answer).with_state(state);
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

async fn answer(State(state): State<Arc<ServerState>>, request: AxumRequest) -> AxumResponse {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default().to_vec();
    let lines: Vec<&[u8]> =
        parts.headers.get_all("authorization").iter().map(|v| v.as_bytes()).collect();
    let mut seen = Seen {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        authorization: lines.iter().map(|l| String::from_utf8_lossy(l).into_owned()).collect(),
        proven: Credential::from_authorization(lines.iter().copied())
            .ok()
            .flatten()
            .and_then(proven),
        headers: parts.headers.clone(),
        body,
        index: 0,
    };
    {
        let mut all = state.seen.lock().unwrap();
        seen.index = all.len();
        all.push(seen.clone());
    }
    let reply = (state.rule.lock().unwrap())(&seen);
    match reply {
        Reply::Answer(response) => response,
        Reply::Challenge => challenge_response(&issue(&*state.invoicer, PRICE_MSAT).await),
        Reply::Hang => std::future::pending().await,
    }
}

fn proven(credential: Credential<'_>) -> Option<PaymentHash> {
    let mut buffer = [0; plannt_core::MAX_TOKEN_BYTES];
    let bytes = credential.tokens().next()?.decode_to(&mut buffer).ok()?;
    let macaroon = plannt_core::macaroon::Macaroon::parse(bytes).ok()?;
    let hash = plannt_core::Identifier::parse(macaroon.identifier()).ok()?.payment_hash;
    credential.preimage().filter(|preimage| preimage.proves(&hash)).map(|_| hash)
}

async fn issue(invoicer: &dyn Invoicer, amount_msat: u64) -> String {
    let request = InvoiceRequest { amount_msat, memo: "one call".into(), expiry_seconds: 600 };
    invoicer.issue(&request).await.unwrap()
}

/// A token for an invoice, good for any path.
pub(crate) fn token_for(invoice: &str) -> String {
    token(read_invoice(invoice).unwrap().payment_hash, now() + 3_600, "/*")
}

pub(crate) fn token(hash: PaymentHash, valid_until: u64, path: &str) -> String {
    let keyring = Keyring::new(Network::Regtest, RootKey::from_bytes([1; 32]));
    let request = MintRequest::new(hash, "demo", "GET", path, valid_until, PRICE_MSAT);
    keyring.mint(&request).unwrap().into_string()
}

pub(crate) fn challenge_response(invoice: &str) -> AxumResponse {
    response_402(&challenge_header(&token_for(invoice), invoice))
}

pub(crate) fn response_402(line: &str) -> AxumResponse {
    AxumResponse::builder()
        .status(402)
        .header("www-authenticate", line)
        .body(Body::from("{\"error\":\"Payment Required\"}"))
        .unwrap()
}

pub(crate) fn status(status: u16) -> Reply {
    Reply::Answer(AxumResponse::builder().status(status).body("body".into()).unwrap())
}

pub(crate) fn now() -> u64 {
    plannt_client::SystemClock.now()
}

pub(crate) fn code(result: Result<plannt_client::Response, ClientError>) -> &'static str {
    match result {
        Ok(response) => panic!("answered: {response:?}"),
        Err(error) => error.code(),
    }
}

/// Waits for something that another task brings about.
pub(crate) async fn eventually<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it never came to be");
}

/// A clock that a test moves.
#[derive(Default)]
pub(crate) struct Ahead(AtomicU64);

impl Ahead {
    pub(crate) fn by(seconds: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(seconds)))
    }
}

impl Clock for Ahead {
    fn now(&self) -> u64 {
        now() + self.0.load(Ordering::SeqCst)
    }
}

//! A gateway over real sockets, with a devnet as its node.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

pub mod upstream;
pub mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use plannt_core::{ChallengeSource, Network, Preimage, authorization_value, read_challenge};
use plannt_gateway::{Gateway, GatewayConfig, GatewayError};
use plannt_lightning::devnet::{Devnet, DevnetConfig, DevnetHandle};
use plannt_lightning::{
    Invoicer, PayOutcome, PayRequest, Payer, invoicer_from_url, payer_from_url,
};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use self::wire::{Answer, Wire};

/// A node that issues invoices, and a wallet that pays them.
pub struct Lightning {
    pub devnet: DevnetHandle,
    pub invoicer: Arc<dyn Invoicer>,
    payer: Arc<dyn Payer>,
    _dir: TempDir,
}

impl Lightning {
    pub async fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let devnet = Devnet::start(DevnetConfig::new(dir.path())).await.unwrap();
        let invoicer = invoicer_from_url(&devnet.invoicer_url()).unwrap();
        let payer = payer_from_url(&devnet.payer_url()).unwrap();
        Self { devnet, invoicer, payer, _dir: dir }
    }

    pub async fn pay(&self, bolt11: &str) -> Preimage {
        let facts = plannt_core::read_invoice(bolt11).unwrap();
        let request = PayRequest {
            bolt11: bolt11.to_owned(),
            payment_hash: facts.payment_hash,
            amount_msat: facts.amount_msat.unwrap(),
            max_fee_msat: 10_000,
            timeout: Duration::from_secs(10),
        };
        match self.payer.pay(&request).await {
            PayOutcome::Paid(payment) => payment.preimage,
            other => panic!("not paid: {other:?}"),
        }
    }
}

/// A gateway that serves, until it is dropped or [stopped](Self::stop).
pub struct Running {
    pub addr: SocketAddr,
    pub lightning: Lightning,
    pub dir: TempDir,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), GatewayError>>,
}

impl Running {
    /// The demo service, with what `change` sets.
    pub async fn demo(change: impl FnOnce(GatewayConfig) -> GatewayConfig) -> Self {
        let lightning = Lightning::start().await;
        let dir = TempDir::new().unwrap();
        let invoicer = Arc::clone(&lightning.invoicer);
        let config = GatewayConfig::demo(invoicer, Network::Regtest, dir.path());
        Self::start(lightning, dir, change(config)).await
    }

    /// A proxy for the server at `url`, with what `change` sets; each request costs 5 sat.
    pub async fn proxy(url: &str, change: impl FnOnce(GatewayConfig) -> GatewayConfig) -> Self {
        let lightning = Lightning::start().await;
        let dir = TempDir::new().unwrap();
        let invoicer = Arc::clone(&lightning.invoicer);
        let config =
            GatewayConfig::upstream(invoicer, Network::Regtest, dir.path(), url, 5_000).unwrap();
        Self::start(lightning, dir, change(config)).await
    }

    async fn start(lightning: Lightning, dir: TempDir, config: GatewayConfig) -> Self {
        let bound = Gateway::bind(config.listen("127.0.0.1:0".parse().unwrap())).await.unwrap();
        let addr = bound.local_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(bound.serve(async {
            let _ = stopped.await;
        }));
        Self { addr, lightning, dir, stop: Some(stop), task }
    }

    /// Stops it, and starts another on the same folder and node.
    pub async fn restart(self, change: impl FnOnce(GatewayConfig) -> GatewayConfig) -> Self {
        let invoicer = Arc::clone(&self.lightning.invoicer);
        let config = GatewayConfig::demo(invoicer, Network::Regtest, self.dir.path());
        self.restart_as(change(config)).await
    }

    /// Stops a proxy, and starts another for the server at `url` on the same folder and node.
    pub async fn restart_proxy(self, url: &str, price_msat: u64) -> Self {
        let invoicer = Arc::clone(&self.lightning.invoicer);
        let dir = self.dir.path();
        let config = GatewayConfig::upstream(invoicer, Network::Regtest, dir, url, price_msat);
        self.restart_as(config.unwrap()).await
    }

    async fn restart_as(mut self, config: GatewayConfig) -> Self {
        self.begin_stop();
        self.stopped().await;
        Self::start(self.lightning, self.dir, config).await
    }

    /// The address of a second demo service on the same folder and node, which runs as long as the
    /// test does.
    pub async fn second(&self) -> SocketAddr {
        let invoicer = Arc::clone(&self.lightning.invoicer);
        let config = GatewayConfig::demo(invoicer, Network::Regtest, self.dir.path());
        let bound = Gateway::bind(config.listen("127.0.0.1:0".parse().unwrap())).await.unwrap();
        let addr = bound.local_addr();
        tokio::spawn(bound.serve(std::future::pending()));
        addr
    }

    /// Tells it to stop.
    pub fn begin_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has stopped.
    pub async fn stopped(&mut self) {
        tokio::time::timeout(Duration::from_secs(20), &mut self.task)
            .await
            .expect("stops in time")
            .unwrap()
            .unwrap();
    }

    pub async fn wire(&self) -> Wire {
        Wire::connect(self.addr).await
    }

    /// One request on a connection of its own.
    pub async fn send(&self, method: &str, target: &str, headers: &[&str]) -> Answer {
        self.send_body(method, target, headers, b"").await
    }

    pub async fn send_body(
        &self,
        method: &str,
        target: &str,
        headers: &[&str],
        body: &[u8],
    ) -> Answer {
        let mut wire = self.wire().await;
        wire.request(method, target, headers, body).await;
        wire.answer_to(method).await
    }

    pub async fn get(&self, target: &str, headers: &[&str]) -> Answer {
        self.send("GET", target, headers).await
    }

    /// Pays for a request and gives the line that presents its credential.
    pub async fn buy(&self, method: &str, target: &str, body: &[u8]) -> String {
        let answer = self.send_body(method, target, &[], body).await;
        self.pay_for(&answer).await
    }

    /// Pays a challenge.
    pub async fn pay_for(&self, answer: &Answer) -> String {
        let challenge = challenge_of(answer);
        let preimage = self.lightning.pay(&challenge.1).await;
        let value = authorization_value(&challenge.0, &preimage);
        format!("Authorization: {}", value.as_str())
    }
}

/// Token and invoice of a 402, read as a client reads them.
pub fn challenge_of(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 402, "{answer:?}");
    let lines = answer.header_values("www-authenticate");
    let lines = lines.iter().map(|line| line.as_bytes());
    let challenge = read_challenge(lines, Some(&answer.body)).unwrap().unwrap();
    assert_eq!(challenge.source, ChallengeSource::Header);
    (challenge.token, challenge.invoice)
}

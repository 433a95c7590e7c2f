//! One call with everything around it, each connection of it by way of a proxy, and what is true of it in the end.

use std::time::{Duration, Instant};

use plannt_core::PaymentHash;
use plannt_e2e::{Proxy, free_port, wait_for};
use tempfile::TempDir;
use tokio::process::Child;

use super::world::World;
use crate::plannt::{Call, Gateway, Ran};

/// How the story of a paid call ends.
pub(super) const PAID: &str = "Paid once";

pub(super) struct Scene<'w> {
    pub(super) world: &'w World,
    /// Between the payer and its node.
    pub(super) wallet: Proxy,
    /// Between the payer and the gateway.
    pub(super) service: Proxy,
    gateway: Option<Gateway>,
    gateway_port: u16,
    call: Call,
    folder: TempDir,
    /// How each run of the call ended.
    runs: Vec<Ran>,
}

impl<'w> Scene<'w> {
    pub(super) async fn new(world: &'w World, arguments: &'static [&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let node = world.node_url();
        let gateway = Gateway::start(folder.path(), &node, free_port()).await;
        let wallet = Proxy::start(world.wallet()).await;
        let service = Proxy::start(gateway.address).await;
        let call = Call {
            home: folder.path().join("payer"),
            wallet: world.wallet_url(wallet.address()),
            service: service.address(),
            arguments,
        };
        Self {
            world,
            wallet,
            service,
            gateway_port: gateway.address.port(),
            gateway: Some(gateway),
            call,
            folder,
            runs: Vec::new(),
        }
    }

    /// Starts the call.
    pub(super) fn begin(&self) -> Child {
        self.call.start()
    }

    /// Waits for its end.
    pub(super) async fn end(&mut self, child: Child) {
        let ran = Ran::of(child).await;
        self.runs.push(ran);
    }

    /// `kill -9` to the payer.
    pub(super) async fn kill(&mut self, mut child: Child) {
        child.start_kill().unwrap();
        self.end(child).await;
    }

    /// Runs the same command from its start to its end.
    pub(super) async fn again(&mut self) {
        let child = self.begin();
        self.end(child).await;
    }

    /// Runs it until it brings the goods, or the payer's node says no more of the payment than it did: it knows of none, or has it
    /// in flight for good (lnd's issue 5152: killed between noting an attempt and giving it to the channel).
    pub(super) async fn until_resolved(&mut self) {
        if self.until_stuck().await {
            // In flight and in no channel. Now and then lnd goes on with such a payment when it is started again.
            self.world.kill_payers_node().await;
            self.world.start_payers_node().await;
            self.until_stuck().await;
        }
    }

    /// Whether the payer's node has the payment in flight, and nothing comes of it.
    async fn until_stuck(&mut self) -> bool {
        let (begun, mut nowhere) = (Instant::now(), 0);
        while !self.runs.iter().any(Ran::delivered) {
            assert!(begun.elapsed() < Duration::from_secs(120), "no end: {:?}", self.runs.last());
            self.world.forget_failures().await;
            self.again().await;
            if self.runs.last().is_some_and(|ran| ran.code == Some(5)) {
                if !self.world.knows(&self.hash().await).await {
                    return false;
                }
                // In a channel it is late, and comes to an end.
                nowhere = if self.world.is_in_a_channel().await { 0 } else { nowhere + 1 };
                if nowhere == 20 {
                    return true;
                }
            }
        }
        false
    }

    /// `kill -9`, and waits for the end.
    pub(super) async fn kill_gateway(&mut self) {
        self.gateway.take().unwrap().kill().await;
    }

    pub(super) async fn start_gateway(&mut self) {
        let (folder, node) = (self.folder.path(), self.world.node_url());
        self.gateway = Some(Gateway::start(folder, &node, self.gateway_port).await);
    }

    /// The payment of this call, which is on its way and has not arrived.
    pub(super) async fn is_in_flight(&self) {
        let hash = self.hash().await;
        assert!(!self.world.has_paid(&hash).await && !self.world.was_paid(&hash).await);
    }

    /// Waits until both nodes say that it is paid.
    pub(super) async fn wait_until_paid(&self) {
        let hash = self.hash().await;
        wait_for("the payment", async || {
            match self.world.has_paid(&hash).await && self.world.was_paid(&hash).await {
                true => Ok(()),
                false => Err("it is not paid"),
            }
        })
        .await;
    }

    async fn hash(&self) -> PaymentHash {
        *self.call.hashes().await.last().expect("a payment in the journal")
    }

    /// Holds the runs of the call to what must be true whatever happened, and tells what did.
    pub(super) async fn story(self) -> String {
        let delivered = self.runs.iter().filter(|ran| ran.delivered()).count();
        let (mut paid, mut settled) = (0, 0);
        for hash in self.call.hashes().await {
            paid += usize::from(self.world.has_paid(&hash).await);
            settled += usize::from(self.world.was_paid(&hash).await);
        }
        let runs = &self.runs;
        assert!(paid <= 1, "the wallet has paid {paid} times for one call: {runs:?}");
        assert!(delivered <= settled, "access without a settled invoice: {runs:?}");
        assert_eq!(delivered, paid, "what was paid for was not delivered: {runs:?}");
        let mut told: Vec<_> = self.runs.iter().map(tell).collect();
        if told.len() > 3 {
            told.dedup();
        }
        format!("{}. {}", told.join("; then "), if paid == 1 { PAID } else { "Not paid" })
    }
}

/// How a run ended, as the table says it.
fn tell(ran: &Ran) -> String {
    let code = ran.error().unwrap_or_default();
    match ran.code {
        None => "killed".into(),
        Some(0) if ran.stdout.contains("\"unavailable\"") => "no challenge".into(),
        Some(0) if !ran.delivered() => panic!("an answer that is not the goods: {ran:?}"),
        Some(0) if ran.stderr.contains("paid nothing") => "delivered for what was paid".into(),
        Some(0) => "paid and delivered".into(),
        Some(exit) => format!("exit {exit} `{code}`"),
    }
}

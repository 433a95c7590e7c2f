//! The two networks that faults are played on, with what a fault needs: the devnet, and real nodes.

use std::net::SocketAddr;

use plannt_core::PaymentHash;
use plannt_e2e::{free_port, wait_for};
use plannt_lightning::devnet::{Control, DevnetFile, Fault, FaultKind, Operation};
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::plannt::Devnet;
use crate::shared::{Exclusive, network};

pub(super) enum World {
    /// `plannt devnet`, a process of its own. Both of its nodes are one process, so that the death of the receiver's alone is
    /// played by faults.
    Devnet {
        home: TempDir,
        address: SocketAddr,
        process: Mutex<Option<Devnet>>,
    },
    Nodes(Exclusive),
}

impl World {
    pub(super) async fn devnet() -> Self {
        let home = tempfile::tempdir().unwrap();
        let process = Devnet::start(home.path(), free_port()).await;
        Self::Devnet { home, address: process.address, process: Mutex::new(Some(process)) }
    }

    pub(super) async fn nodes() -> Self {
        Self::Nodes(network().await)
    }

    /// Where the payer's node listens.
    pub(super) fn wallet(&self) -> SocketAddr {
        match self {
            Self::Devnet { address, .. } => *address,
            Self::Nodes(network) => ([127, 0, 0, 1], network.bob.rest_port()).into(),
        }
    }

    /// The URL of the payer's node, by way of a proxy.
    pub(super) fn wallet_url(&self, proxy: SocketAddr) -> String {
        match self {
            Self::Devnet { address, .. } => {
                self.file().payer_url.replace(&address.to_string(), &proxy.to_string())
            }
            Self::Nodes(network) => network.bob.url_at(&proxy.to_string()),
        }
    }

    /// The URL of the receiver's node.
    pub(super) fn node_url(&self) -> String {
        match self {
            Self::Devnet { .. } => self.file().invoicer_url,
            Self::Nodes(network) => network.alice.url(),
        }
    }

    /// The next payment is made as far as being in flight, and stays there.
    pub(super) async fn hold_payment(&self) {
        match self {
            Self::Devnet { .. } => self.fault(Operation::Pay, FaultKind::Stuck, Some(1)).await,
            Self::Nodes(network) => network.hold_payments().await,
        }
    }

    /// Waits until it is in flight.
    pub(super) async fn wait_until_in_flight(&self) {
        match self {
            Self::Devnet { .. } => {
                wait_for("a payment in flight", async || match self.in_flight().await.len() {
                    0 => Err("none"),
                    _ => Ok(()),
                })
                .await;
            }
            Self::Nodes(network) => network.wait_for_payment_in_flight().await,
        }
    }

    /// Lets it come to its end, which is that it is paid.
    pub(super) async fn let_payment_go(&self) {
        match self {
            Self::Devnet { .. } => {
                for hash in self.in_flight().await {
                    self.control().settle(&hash).await.unwrap();
                }
            }
            Self::Nodes(network) => network.let_payments_go(),
        }
    }

    pub(super) async fn kill_payers_node(&self) {
        match self {
            Self::Devnet { process, .. } => process.lock().await.take().unwrap().kill().await,
            Self::Nodes(network) => {
                network.bob.kill();
                network.cut_peers();
            }
        }
    }

    pub(super) async fn start_payers_node(&self) {
        match self {
            Self::Devnet { home, address, process } => {
                *process.lock().await = Some(Devnet::start(home.path(), address.port()).await);
            }
            Self::Nodes(network) => {
                network.bob.start().await;
                network.connect().await;
            }
        }
    }

    pub(super) async fn kill_receivers_node(&self) {
        match self {
            Self::Devnet { .. } => {
                self.fault(Operation::Issue, FaultKind::Down, None).await;
                self.fault(Operation::LookUpInvoice, FaultKind::Down, None).await;
                // What a node says whose only peer is offline.
                self.fault(Operation::Pay, FaultKind::NoBalance, None).await;
            }
            Self::Nodes(network) => {
                network.alice.kill();
                network.cut_peers();
                network.wait_until_disconnected().await;
            }
        }
    }

    pub(super) async fn start_receivers_node(&self) {
        match self {
            Self::Devnet { .. } => self.control().clear_faults().await.unwrap(),
            Self::Nodes(network) => {
                network.alice.start().await;
                network.connect().await;
            }
        }
    }

    /// Whether the payer's node has paid under this hash.
    pub(super) async fn has_paid(&self, hash: &PaymentHash) -> bool {
        match self {
            Self::Devnet { .. } => {
                let payments = self.control().payments().await.unwrap();
                let mut ours = payments.iter().filter(|p| p.payment_hash == hash.to_string());
                ours.any(|p| p.status == "SUCCEEDED")
            }
            Self::Nodes(network) => network.bob.has_paid(hash).await,
        }
    }

    /// Whether the receiver's node has the money.
    pub(super) async fn was_paid(&self, hash: &PaymentHash) -> bool {
        match self {
            Self::Devnet { .. } => {
                let invoices = self.control().invoices().await.unwrap();
                let mut ours = invoices.iter().filter(|i| i.payment_hash == hash.to_string());
                ours.any(|i| i.state == "SETTLED")
            }
            Self::Nodes(network) => network.alice.was_paid(hash).await,
        }
    }

    /// How many payments the payer's node has made.
    pub(super) async fn paid(&self) -> usize {
        match self {
            Self::Devnet { .. } => {
                let payments = self.control().payments().await.unwrap();
                payments.iter().filter(|payment| payment.status == "SUCCEEDED").count()
            }
            Self::Nodes(network) => network.bob.paid().await,
        }
    }

    /// How many invoices of the receiver's node are settled.
    pub(super) async fn settled(&self) -> usize {
        match self {
            Self::Devnet { .. } => {
                let invoices = self.control().invoices().await.unwrap();
                invoices.iter().filter(|invoice| invoice.state == "SETTLED").count()
            }
            Self::Nodes(network) => network.alice.settled().await,
        }
    }

    async fn in_flight(&self) -> Vec<PaymentHash> {
        let payments = self.control().payments().await.unwrap();
        let in_flight = payments.iter().filter(|p| p.status == "IN_FLIGHT");
        in_flight.map(|p| p.payment_hash.parse().unwrap()).collect()
    }

    async fn fault(&self, operation: Operation, kind: FaultKind, count: Option<u32>) {
        self.control().set_fault(&Fault { operation, kind, count }).await.unwrap();
    }

    fn control(&self) -> Control {
        Control::open(&self.folder()).unwrap()
    }

    fn file(&self) -> DevnetFile {
        DevnetFile::read(&self.folder()).unwrap()
    }

    fn folder(&self) -> std::path::PathBuf {
        let Self::Devnet { home, .. } = self else { unreachable!("only the devnet has files") };
        home.path().join("devnet")
    }
}

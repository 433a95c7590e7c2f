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
    Devnet(Box<OnDevnet>),
    Nodes(Exclusive),
}

/// `plannt devnet`, a process of its own. Both of its nodes are one process, so that the death of the receiver's alone is
/// played by faults.
pub(super) struct OnDevnet {
    home: TempDir,
    address: SocketAddr,
    process: Mutex<Option<Devnet>>,
}

impl World {
    pub(super) async fn devnet() -> Self {
        let home = tempfile::tempdir().unwrap();
        let process = Devnet::start(home.path(), free_port()).await;
        let (address, process) = (process.address, Mutex::new(Some(process)));
        Self::Devnet(Box::new(OnDevnet { home, address, process }))
    }

    pub(super) async fn nodes() -> Self {
        Self::Nodes(network().await)
    }

    /// Where the payer's node listens.
    pub(super) fn wallet(&self) -> SocketAddr {
        match self {
            Self::Devnet(devnet) => devnet.address,
            Self::Nodes(network) => ([127, 0, 0, 1], network.bob.rest_port()).into(),
        }
    }

    /// The URL of the payer's node, by way of a proxy.
    pub(super) fn wallet_url(&self, proxy: SocketAddr) -> String {
        match self {
            Self::Devnet(devnet) => {
                let url = devnet.file().payer_url;
                url.replace(&devnet.address.to_string(), &proxy.to_string())
            }
            Self::Nodes(network) => network.bob.url_at(&proxy.to_string()),
        }
    }

    /// The URL of the receiver's node.
    pub(super) fn node_url(&self) -> String {
        match self {
            Self::Devnet(devnet) => devnet.file().invoicer_url,
            Self::Nodes(network) => network.alice.url(),
        }
    }

    /// The next payment is made as far as being in flight, and stays there.
    pub(super) async fn hold_payment(&self) {
        match self {
            Self::Devnet(devnet) => devnet.fault(Operation::Pay, FaultKind::Stuck, Some(1)).await,
            Self::Nodes(network) => network.hold_payments().await,
        }
    }

    /// Waits until it is in flight.
    pub(super) async fn wait_until_in_flight(&self) {
        match self {
            Self::Devnet(devnet) => {
                wait_for("a payment in flight", async || match devnet.in_flight().await.len() {
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
            Self::Devnet(devnet) => {
                for hash in devnet.in_flight().await {
                    devnet.control().settle(&hash).await.unwrap();
                }
            }
            Self::Nodes(network) => network.let_payments_go(),
        }
    }

    pub(super) async fn kill_payers_node(&self) {
        match self {
            Self::Devnet(devnet) => devnet.process.lock().await.take().unwrap().kill().await,
            Self::Nodes(network) => {
                network.bob.kill();
                network.cut_peers();
            }
        }
    }

    pub(super) async fn start_payers_node(&self) {
        match self {
            Self::Devnet(devnet) => {
                let process = Devnet::start(devnet.home.path(), devnet.address.port()).await;
                *devnet.process.lock().await = Some(process);
            }
            Self::Nodes(network) => {
                network.bob.start().await;
                network.connect().await;
            }
        }
    }

    pub(super) async fn kill_receivers_node(&self) {
        match self {
            Self::Devnet(devnet) => {
                devnet.fault(Operation::Issue, FaultKind::Down, None).await;
                devnet.fault(Operation::LookUpInvoice, FaultKind::Down, None).await;
                // What a node says whose only peer is offline.
                devnet.fault(Operation::Pay, FaultKind::NoBalance, None).await;
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
            Self::Devnet(devnet) => devnet.control().clear_faults().await.unwrap(),
            Self::Nodes(network) => {
                network.alice.start().await;
                network.connect().await;
            }
        }
    }

    /// The payer's node is ready to try again what has failed.
    pub(super) async fn forget_failures(&self) {
        match self {
            Self::Devnet(_) => {}
            Self::Nodes(network) => network.forget_failures().await,
        }
    }

    /// Whether the payer's node knows of a payment under this hash, however it is.
    pub(super) async fn knows(&self, hash: &PaymentHash) -> bool {
        match self {
            Self::Devnet(devnet) => {
                let payments = devnet.control().payments().await.unwrap();
                payments.iter().any(|p| p.payment_hash == hash.to_string())
            }
            Self::Nodes(network) => network.bob.payment(hash).await.is_some(),
        }
    }

    /// Whether the payer's channel has a payment in it, or can't say since its peer is away.
    pub(super) async fn is_in_a_channel(&self) -> bool {
        match self {
            Self::Devnet(devnet) => !devnet.in_flight().await.is_empty(),
            Self::Nodes(network) => !network.is_idle().await,
        }
    }

    /// Whether the payer's node has paid under this hash.
    pub(super) async fn has_paid(&self, hash: &PaymentHash) -> bool {
        match self {
            Self::Devnet(devnet) => {
                let payments = devnet.control().payments().await.unwrap();
                let mut ours = payments.iter().filter(|p| p.payment_hash == hash.to_string());
                ours.any(|p| p.status == "SUCCEEDED")
            }
            Self::Nodes(network) => network.bob.has_paid(hash).await,
        }
    }

    /// Whether the receiver's node has the money.
    pub(super) async fn was_paid(&self, hash: &PaymentHash) -> bool {
        match self {
            Self::Devnet(devnet) => {
                let invoices = devnet.control().invoices().await.unwrap();
                let mut ours = invoices.iter().filter(|i| i.payment_hash == hash.to_string());
                ours.any(|i| i.state == "SETTLED")
            }
            Self::Nodes(network) => network.alice.was_paid(hash).await,
        }
    }

    /// How many payments the payer's node has made.
    pub(super) async fn paid(&self) -> usize {
        match self {
            Self::Devnet(devnet) => {
                let payments = devnet.control().payments().await.unwrap();
                payments.iter().filter(|payment| payment.status == "SUCCEEDED").count()
            }
            Self::Nodes(network) => network.bob.paid().await,
        }
    }

    /// How many invoices of the receiver's node are settled.
    pub(super) async fn settled(&self) -> usize {
        match self {
            Self::Devnet(devnet) => {
                let invoices = devnet.control().invoices().await.unwrap();
                invoices.iter().filter(|invoice| invoice.state == "SETTLED").count()
            }
            Self::Nodes(network) => network.alice.settled().await,
        }
    }
}

impl OnDevnet {
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
        self.home.path().join("devnet")
    }
}

//! A Lightning network in one process, for demos and tests.
//!
//! It speaks the part of LND's REST interface that [`crate::lnd`] uses, over HTTPS with its own
//! certificate, and issues real signed BOLT 11 invoices for regtest. Each account is a node with a
//! key and a macaroon of its own; a payment moves msat between accounts and survives a crash. And
//! it can be told to fail in every way a node fails: see [`Faults`].
//!
//! ```
//! # use plannt_lightning::{devnet::{Devnet, DevnetConfig}, InvoiceRequest, payer_from_url, invoicer_from_url};
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! # let folder = tempfile::tempdir()?;
//! let devnet = Devnet::start(DevnetConfig::new(folder.path())).await?;
//! let merchant = invoicer_from_url(&devnet.invoicer_url())?;
//! let request = InvoiceRequest { amount_msat: 21_000, memo: "demo".into(), expiry_seconds: 600 };
//! assert!(merchant.issue(&request).await?.starts_with("lnbcrt210n1"));
//! let payer = payer_from_url(&devnet.payer_url())?;
//! assert_eq!(payer.balance_msat().await?, 10_000_000_000);
//! devnet.shutdown().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod control;
mod error;
mod fault;
mod files;
mod http;
mod ledger;
mod network;
mod records;
mod rpc;
mod server;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use plannt_core::PaymentHash;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use url::form_urlencoded;

use self::files::{CERTIFICATE, DEVNET_JSON, DataDir};
use self::ledger::Ledger;
use self::network::{Network, unix_now};
use self::server::Server;

pub use self::config::{Account, DevnetConfig, DevnetFile, MERCHANT, PAYER};
pub use self::control::Control;
pub use self::error::DevnetError;
pub use self::fault::{Fault, FaultKind, Faults, Operation};
pub use self::records::{InvoiceRecord, PaymentRecord};

/// Starts devnets.
#[derive(Debug)]
pub struct Devnet;

impl Devnet {
    /// Opens the data folder (or makes it), binds, and serves in the background.
    ///
    /// # Errors
    /// [`DevnetError::InUse`] when another devnet has the folder open;
    /// [`DevnetError::Io`], [`DevnetError::Store`], [`DevnetError::Tls`] when something in it, or
    /// the address, cannot be used; [`DevnetError::Config`].
    pub async fn start(config: DevnetConfig) -> Result<DevnetHandle, DevnetError> {
        let opened = tokio::task::spawn_blocking(move || {
            let data_dir = DataDir::open(&config.data_dir)?;
            let tls = data_dir.tls()?;
            let ledger = Ledger::open(&data_dir.database()?)?;
            let network = Network::new(ledger, &config)?;
            for account in &network.accounts {
                data_dir.write(&macaroon_file(&account.name), &account.macaroon)?;
            }
            Ok::<_, DevnetError>((data_dir, tls, network, config.listen))
        });
        let (data_dir, tls, network, listen) = opened
            .await
            .map_err(|e| DevnetError::Store { message: e.to_string() })
            .and_then(|opened| opened)?;
        let network = Arc::new(network);

        let bind = async |address: SocketAddr| {
            let bound = Server::bind(address).await;
            bound.map_err(DevnetError::io(format!("listening at {address}")))
        };
        let (listener, local_addr) = bind(listen).await?;
        let (control_listener, control_addr) = bind((Ipv4Addr::LOCALHOST, 0).into()).await?;

        let urls = |account: &str, address| url(&data_dir, account, address);
        let file = DevnetFile {
            payer_url: urls(PAYER, local_addr),
            invoicer_url: urls(MERCHANT, local_addr),
            control_url: urls(PAYER, control_addr),
            pid: std::process::id(),
            listen: local_addr,
        };
        let json = serde_json::to_vec_pretty(&file)
            .map_err(|e| DevnetError::Store { message: e.to_string() })?;
        data_dir.write(DEVNET_JSON, &json)?;

        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let node = Server {
            listener,
            acceptor: acceptor.clone(),
            router: http::router(Arc::clone(&network)),
            faults: Some(network.faults.clone()),
        };
        let control = Server {
            listener: control_listener,
            acceptor,
            router: http::control_router(Arc::clone(&network)),
            faults: None,
        };
        let servers = vec![
            tokio::spawn(node.run(network.stopping())),
            tokio::spawn(control.run(network.stopping())),
        ];
        Ok(DevnetHandle { network, local_addr, data_dir: Mutex::new(Some(data_dir)), servers })
    }
}

/// A running devnet. Dropping it stops it too, without waiting for the end.
pub struct DevnetHandle {
    network: Arc<Network>,
    local_addr: SocketAddr,
    /// `None` once it is stopped.
    data_dir: Mutex<Option<DataDir>>,
    servers: Vec<JoinHandle<()>>,
}

impl DevnetHandle {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The `lnd://` URL of the account that buys.
    pub fn payer_url(&self) -> String {
        self.url(PAYER).expect("there is always a payer")
    }

    /// The `lnd://` URL of the account that sells.
    pub fn invoicer_url(&self) -> String {
        self.url(MERCHANT).expect("there is always a merchant")
    }

    /// The `lnd://` URL of an account, with the paths of the certificate and of its macaroon.
    pub fn url(&self, account: &str) -> Option<String> {
        self.network.accounts.iter().find(|a| a.name == account)?;
        let data_dir = self.data_dir.lock().expect("no panic while held");
        data_dir.as_ref().map(|dir| url(dir, account, self.local_addr))
    }

    /// The failure switches.
    pub fn faults(&self) -> &Faults {
        &self.network.faults
    }

    /// Every payment that was asked for, oldest first.
    ///
    /// # Errors
    /// [`DevnetError::Store`].
    pub async fn payments(&self) -> Result<Vec<PaymentRecord>, DevnetError> {
        self.network.run(|n| n.ledger.payments()).await
    }

    /// The invoices of the requests to pay since the start, oldest first, at most the last 10,000:
    /// also of those that a node refuses without making a payment of them.
    pub fn asked_to_pay(&self) -> Vec<String> {
        self.network.asked()
    }

    /// Every invoice, oldest first.
    ///
    /// # Errors
    /// [`DevnetError::Store`].
    pub async fn invoices(&self) -> Result<Vec<InvoiceRecord>, DevnetError> {
        self.network.run(|n| n.ledger.invoices(unix_now())).await
    }

    /// Lets what is stuck in flight under this hash succeed.
    ///
    /// # Errors
    /// [`DevnetError::NotInFlight`], [`DevnetError::Store`].
    pub async fn settle(&self, hash: &PaymentHash) -> Result<(), DevnetError> {
        let hash = *hash;
        self.network.run(move |n| n.end_in_flight(&hash, true)).await
    }

    /// Lets what is stuck in flight under this hash fail; its payer has the money back.
    ///
    /// # Errors
    /// [`DevnetError::NotInFlight`], [`DevnetError::Store`].
    pub async fn fail(&self, hash: &PaymentHash) -> Result<(), DevnetError> {
        let hash = *hash;
        self.network.run(move |n| n.end_in_flight(&hash, false)).await
    }

    /// Stops serving, removes `devnet.json`, and lets go of the data folder.
    pub async fn shutdown(mut self) {
        self.network.stop();
        for server in std::mem::take(&mut self.servers) {
            // A panic in it is reported by the runtime.
            let _ = server.await;
        }
    }
}

impl Drop for DevnetHandle {
    fn drop(&mut self) {
        self.network.stop();
        for server in &self.servers {
            server.abort();
        }
        if let Some(data_dir) = self.data_dir.lock().expect("no panic while held").take() {
            data_dir.remove(DEVNET_JSON);
        }
    }
}

impl fmt::Debug for DevnetHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevnetHandle").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

fn macaroon_file(account: &str) -> String {
    format!("{account}.macaroon")
}

fn url(data_dir: &DataDir, account: &str, address: SocketAddr) -> String {
    let path = |name: &str| {
        let path = data_dir.join(name);
        let encoded: String =
            form_urlencoded::byte_serialize(path.as_os_str().as_encoded_bytes()).collect();
        // A form writes a space as a plus; slashes read better as they are.
        encoded.replace('+', "%20").replace("%2F", "/")
    };
    let (cert, macaroon) = (path(CERTIFICATE), path(&macaroon_file(account)));
    format!("lnd://{address}?cert={cert}&macaroon={macaroon}&network=regtest")
}

//! A Lightning network in one process.

mod config;
mod fault;

pub use config::{Account, DevnetConfig, DevnetFile};
pub use fault::{Fault, FaultKind, Faults, Operation};

use std::net::SocketAddr;

use plannt_core::PaymentHash;

/// Starts devnets.
#[derive(Debug)]
pub struct Devnet;

impl Devnet {
    /// Opens (or makes) the data folder, binds, and serves in the background.
    ///
    /// # Errors
    /// [`DevnetError`].
    pub async fn start(_config: DevnetConfig) -> Result<DevnetHandle, DevnetError> {
        todo!()
    }
}

/// A running devnet. Dropping it stops it, less tidily than [`DevnetHandle::shutdown`].
#[derive(Debug)]
pub struct DevnetHandle {
    faults: Faults,
}

/// A payment as the devnet recorded it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct PaymentRecord {
    /// Hex.
    pub payment_hash: String,
    /// Who paid.
    pub account: String,
    /// In msat.
    pub amount_msat: u64,
    /// In msat.
    pub fee_msat: u64,
    /// lnd's word: `IN_FLIGHT`, `SUCCEEDED`, `FAILED`.
    pub status: String,
    /// lnd's word: `FAILURE_REASON_…`.
    pub failure_reason: String,
    /// How many times a payment of this hash was asked for.
    pub requests: u64,
}

/// An invoice as the devnet recorded it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct InvoiceRecord {
    /// Hex.
    pub payment_hash: String,
    /// Who issued it.
    pub account: String,
    /// BOLT 11.
    pub payment_request: String,
    /// In msat.
    pub amount_msat: u64,
    /// Its description.
    pub memo: String,
    /// Unix seconds.
    pub expires_at: u64,
    /// lnd's word: `OPEN`, `SETTLED`, `CANCELED`, `ACCEPTED`.
    pub state: String,
}

impl DevnetHandle {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        todo!()
    }

    /// The `lnd://` URL of the account `payer`.
    pub fn payer_url(&self) -> String {
        self.url("payer").expect("the account payer always exists")
    }

    /// The `lnd://` URL of the account `merchant`.
    pub fn invoicer_url(&self) -> String {
        self.url("merchant").expect("the account merchant always exists")
    }

    /// The `lnd://` URL of an account.
    pub fn url(&self, _account: &str) -> Option<String> {
        todo!()
    }

    /// The failure switches.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Every payment that was asked for, oldest first.
    ///
    /// # Errors
    /// [`DevnetError::Store`].
    pub async fn payments(&self) -> Result<Vec<PaymentRecord>, DevnetError> {
        todo!()
    }

    /// Every invoice, oldest first.
    ///
    /// # Errors
    /// [`DevnetError::Store`].
    pub async fn invoices(&self) -> Result<Vec<InvoiceRecord>, DevnetError> {
        todo!()
    }

    /// Lets a payment that is stuck in flight succeed.
    ///
    /// # Errors
    /// [`DevnetError::NotInFlight`].
    pub async fn settle(&self, _hash: &PaymentHash) -> Result<(), DevnetError> {
        todo!()
    }

    /// Lets a payment that is stuck in flight fail.
    ///
    /// # Errors
    /// [`DevnetError::NotInFlight`].
    pub async fn fail(&self, _hash: &PaymentHash) -> Result<(), DevnetError> {
        todo!()
    }

    /// Stops serving, removes `devnet.json`, and releases the data folder.
    pub async fn shutdown(self) {
        todo!()
    }
}

/// Why a devnet did not start or could not do as told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevnetError {
    /// Another process has this data folder open.
    #[error("the devnet data folder is in use by another process")]
    InUse,
    /// A file, folder or socket.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// There is no such payment in flight.
    #[error("no payment with this hash is in flight")]
    NotInFlight,
    /// The database.
    #[error("devnet database: {message}")]
    Store {
        /// What it said.
        message: String,
    },
    /// The TLS certificate.
    #[error("devnet certificate: {message}")]
    Tls {
        /// What is wrong with it.
        message: String,
    },
}

impl DevnetError {
    /// A stable snake_case name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InUse => "devnet_in_use",
            Self::Io { .. } => "devnet_io",
            Self::NotInFlight => "devnet_not_in_flight",
            Self::Store { .. } => "devnet_store",
            Self::Tls { .. } => "devnet_tls",
        }
    }
}

//! How to reach a node.

use std::time::Duration;

use plannt_core::Network;

use crate::LightningError;

/// Where a node is, and how it and we prove who we are.
#[derive(Clone, Debug)]
pub struct LndConfig {
    /// The network that invoices have to be for, when known.
    pub network: Option<Network>,
    /// How much longer than a payment's own time limit to wait for its answer.
    pub answer_margin: Duration,
}

impl LndConfig {
    /// Reads `lnd://host:port?cert=<path>&macaroon=<path or hex>[&network=<name>][&wallet=<name>]`.
    ///
    /// # Errors
    /// [`LightningError::Config`].
    pub fn from_url(_url: &str) -> Result<Self, LightningError> {
        todo!()
    }
}

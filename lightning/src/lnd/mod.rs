//! lnd over its REST interface (lnd 0.20 and what speaks like it, such as the devnet).
//!
//! docs/PROTOCOL.md has no part in it; what it relies on is lnd's documented REST interface and
//! what its answers were measured to be.

mod config;

pub use config::LndConfig;

use async_trait::async_trait;
use plannt_core::{Network, PaymentHash};

use crate::{
    InvoiceRequest, InvoiceState, Invoicer, LightningError, PayOutcome, PayRequest, Payer,
    PaymentState,
};

/// One lnd node, for issuing and for paying, as far as its macaroon allows.
#[derive(Debug)]
pub struct Lnd {
    config: LndConfig,
}

impl Lnd {
    /// Prepares a client; connects at the first call.
    ///
    /// # Errors
    /// [`LightningError::Config`] when TLS cannot be set up.
    pub fn new(config: LndConfig) -> Result<Self, LightningError> {
        Ok(Self { config })
    }

    /// [`LndConfig::from_url`], then [`Lnd::new`].
    ///
    /// # Errors
    /// [`LightningError::Config`].
    pub fn from_url(url: &str) -> Result<Self, LightningError> {
        Self::new(LndConfig::from_url(url)?)
    }
}

#[async_trait]
impl Invoicer for Lnd {
    async fn issue(&self, _request: &InvoiceRequest) -> Result<String, LightningError> {
        todo!()
    }

    async fn look_up_invoice(&self, _hash: &PaymentHash) -> Result<InvoiceState, LightningError> {
        todo!()
    }

    fn network(&self) -> Option<Network> {
        self.config.network
    }
}

#[async_trait]
impl Payer for Lnd {
    async fn pay(&self, _request: &PayRequest) -> PayOutcome {
        todo!()
    }

    async fn look_up_payment(&self, _hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        todo!()
    }

    async fn balance_msat(&self) -> Result<u64, LightningError> {
        todo!()
    }

    fn wallet_id(&self) -> String {
        todo!()
    }

    fn network(&self) -> Option<Network> {
        self.config.network
    }
}

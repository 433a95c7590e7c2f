//! The wallet that pays: the one that was given, or the payer of the devnet that runs here.

use std::sync::Arc;

use plannt_core::{Network, PaymentHash};
use plannt_lightning::devnet::DevnetFile;
use plannt_lightning::{
    LightningError, PayFailure, PayOutcome, PayRequest, Payer, PaymentState, payer_from_url,
};

use crate::args::FetchArgs;
use crate::error::CliError;
use crate::home::Home;

pub(crate) struct Wallet {
    /// `None`: there is no wallet; prices can still be asked, and what is free fetched.
    payer: Option<Arc<dyn Payer>>,
    network: Network,
}

impl Wallet {
    /// Opens it; nothing is sent to it before there is something to pay.
    pub(super) fn find(args: &FetchArgs, home: &Home) -> Result<Self, CliError> {
        if let Some(url) = &args.wallet {
            let payer = payer_from_url(url)?;
            let network = args.network.or(payer.network()).unwrap_or(Network::Bitcoin);
            return Ok(Self { payer: Some(payer), network });
        }
        let network = args.network.unwrap_or(Network::Regtest);
        let payer = match DevnetFile::read(&home.devnet()) {
            Some(file) => Some(payer_from_url(&file.payer_url)?),
            None => None,
        };
        Ok(Self { payer, network })
    }

    pub(super) fn can_pay(&self) -> bool {
        self.payer.is_some()
    }

    pub(super) fn payer(&self) -> Arc<dyn Payer> {
        self.payer.clone().unwrap_or_else(|| Arc::new(NoWallet))
    }

    pub(super) fn network(&self) -> Network {
        self.network
    }
}

/// Stands where a wallet would, for calls that pay nothing; whatever it is asked, it does not pay.
struct NoWallet;

impl NoWallet {
    fn error() -> LightningError {
        LightningError::Config { message: "no wallet is configured".into() }
    }
}

#[async_trait::async_trait]
impl Payer for NoWallet {
    async fn pay(&self, _: &PayRequest) -> PayOutcome {
        PayOutcome::Failed(PayFailure::NotSent(Self::error()))
    }

    async fn look_up_payment(&self, _: &PaymentHash) -> Result<PaymentState, LightningError> {
        Err(Self::error())
    }

    async fn balance_msat(&self) -> Result<u64, LightningError> {
        Err(Self::error())
    }

    fn wallet_id(&self) -> String {
        "none".into()
    }
}

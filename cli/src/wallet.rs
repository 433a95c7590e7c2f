//! The wallet that pays: the one that was given, or the payer of the devnet that runs here.

use std::sync::Arc;

use plannt_client::NoWallet;
use plannt_core::Network;
use plannt_lightning::devnet::DevnetFile;
use plannt_lightning::{Payer, payer_from_url};

use crate::args::WalletArgs;
use crate::error::CliError;
use crate::home::Home;

pub(crate) struct Wallet {
    /// `None`: there is no wallet; prices can still be asked, and what is free fetched.
    payer: Option<Arc<dyn Payer>>,
    network: Network,
}

impl Wallet {
    /// Opens it; nothing is sent to it before there is something to pay.
    pub(crate) fn find(args: &WalletArgs, home: &Home) -> Result<Self, CliError> {
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

    pub(crate) fn can_pay(&self) -> bool {
        self.payer.is_some()
    }

    pub(crate) fn payer(&self) -> Arc<dyn Payer> {
        self.payer.clone().unwrap_or_else(|| Arc::new(NoWallet))
    }

    /// None: nothing can be paid.
    pub(crate) fn into_payer(self) -> Option<Arc<dyn Payer>> {
        self.payer
    }

    pub(crate) fn network(&self) -> Network {
        self.network
    }
}

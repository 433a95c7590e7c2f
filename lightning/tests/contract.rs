//! The contract tests, on the lnd backend with the devnet as its node.

use std::sync::Arc;

use plannt_lightning::contract::Fixture;
use plannt_lightning::devnet::{Devnet, DevnetConfig, DevnetHandle};
use plannt_lightning::{Invoicer, Payer, invoicer_from_url, payer_from_url};

struct OnDevnet {
    devnet: DevnetHandle,
    _folder: tempfile::TempDir,
}

async fn on_devnet() -> OnDevnet {
    let folder = tempfile::tempdir().expect("a folder");
    let config = DevnetConfig::new(folder.path()).fee_msat(3);
    OnDevnet { devnet: Devnet::start(config).await.expect("a devnet"), _folder: folder }
}

impl Fixture for OnDevnet {
    fn invoicer(&self) -> Arc<dyn Invoicer> {
        invoicer_from_url(&self.devnet.invoicer_url()).expect("an invoicer")
    }

    fn payer(&self) -> Arc<dyn Payer> {
        payer_from_url(&self.devnet.payer_url()).expect("a payer")
    }
}

plannt_lightning::invoicer_contract_tests!(on_devnet());
plannt_lightning::payer_contract_tests!(on_devnet());

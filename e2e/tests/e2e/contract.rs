//! The contract that the devnet keeps (lightning/tests/contract.rs), kept by real nodes: whatever either of them does that the
//! other doesn't shows here.

use std::sync::Arc;

use plannt_e2e::Network;
use plannt_lightning::contract::Fixture;
use plannt_lightning::{Invoicer, Payer, invoicer_from_url, payer_from_url};

use crate::shared::{Exclusive, network};

struct OnNodes {
    _network: Exclusive,
    invoicer: Arc<dyn Invoicer>,
    payer: Arc<dyn Payer>,
}

/// A backend at each end, by its URL.
async fn on_nodes(
    invoicer: impl Fn(&Network) -> String,
    payer: impl Fn(&Network) -> String,
) -> OnNodes {
    let network = network().await;
    OnNodes {
        invoicer: invoicer_from_url(&invoicer(&network)).unwrap(),
        payer: payer_from_url(&payer(&network)).unwrap(),
        _network: network,
    }
}

impl Fixture for OnNodes {
    fn invoicer(&self) -> Arc<dyn Invoicer> {
        Arc::clone(&self.invoicer)
    }

    fn payer(&self) -> Arc<dyn Payer> {
        Arc::clone(&self.payer)
    }
}

/// The contract tests of a backend: its name, and its URL for the node that sells and for the one that pays.
macro_rules! backend {
    ($name:ident, $invoicer:expr, $payer:expr) => {
        mod $name {
            use super::*;

            plannt_lightning::invoicer_contract_tests!(on_nodes($invoicer, $payer));
            plannt_lightning::payer_contract_tests!(on_nodes($invoicer, $payer));
        }
    };
}

backend!(lnd, |network| network.alice.url(), |network| network.bob.url());

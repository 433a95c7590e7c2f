//! The contract that the devnet keeps (lightning/tests/contract.rs), kept by real nodes: whatever either of them does that the
//! other doesn't shows here.

use std::sync::Arc;

use plannt_e2e::Lnd;
use plannt_lightning::contract::Fixture;
use plannt_lightning::{Invoicer, Payer, invoicer_from_url, payer_from_url};

use crate::shared::{Exclusive, network};
use crate::ways::{self, Way};

struct OnNodes {
    invoicer: Arc<dyn Invoicer>,
    payer: Arc<dyn Payer>,
    _ways: [Way; 2],
    _network: Exclusive,
}

/// The same way to either node.
async fn on_nodes(way: impl AsyncFn(&Lnd) -> Way) -> OnNodes {
    let network = network().await;
    let (alice, bob) = (way(&network.alice).await, way(&network.bob).await);
    OnNodes {
        invoicer: invoicer_from_url(&alice.url).unwrap(),
        payer: payer_from_url(&bob.url).unwrap(),
        _ways: [alice, bob],
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

/// The contract tests of a backend, by the way to a node that it is.
macro_rules! backend {
    ($way:ident) => {
        mod $way {
            use super::*;

            plannt_lightning::invoicer_contract_tests!(on_nodes(ways::$way));
            plannt_lightning::payer_contract_tests!(on_nodes(ways::$way));
        }
    };
}

backend!(lnbits);
backend!(lnd);
backend!(lnd_grpc);
backend!(nwc);

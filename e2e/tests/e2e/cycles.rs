//! The whole cycle through the real binary: a gateway whose node is one lnd, a wallet at the other.

use std::time::Instant;

use plannt_e2e::{Lnd, free_port};

use crate::plannt::{Call, Gateway};
use crate::shared::network;
use crate::ways::{self, Way};

/// How many cycles are timed, after a first one.
const CYCLES: u32 = 5;

/// Pays for the demo service, again and again, and prints how long that takes.
async fn cycle(
    name: &str,
    more: &[&str],
    node: impl AsyncFn(&Lnd) -> Way,
    wallet: impl AsyncFn(&Lnd) -> Way,
) {
    let network = network().await;
    let (node, wallet) = (node(&network.alice).await, wallet(&network.bob).await);
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("gateway");
    let gateway = Gateway::start_with(&home, &node.url, free_port(), more).await;
    let call = Call {
        home: folder.path().join("client"),
        wallet: wallet.url.clone(),
        service: gateway.address,
        arguments: &[],
    };
    let first = call.run().await;
    assert!(first.delivered(), "{}", first.stderr);
    let mut took = Vec::new();
    for _ in 0..CYCLES {
        let begun = Instant::now();
        let ran = call.run().await;
        took.push(begun.elapsed());
        assert!(ran.delivered(), "{}", ran.stderr);
    }
    // Each cycle is a payment of its own, which both nodes know.
    let hashes = call.hashes().await;
    assert_eq!(hashes.len(), 1 + CYCLES as usize);
    for hash in &hashes {
        assert!(network.bob.has_paid(hash).await && network.alice.was_paid(hash).await, "{hash}");
    }
    took.sort_unstable();
    println!(
        "paid cycle, {name}: {} ms (median of {CYCLES}: a `plannt` from its start to its end)",
        took[took.len() / 2].as_millis()
    );
}

/// A cycle test: the way to the gateway's node, to the node that pays, and what else the gateway is told.
macro_rules! cycle {
    ($name:ident, $node:ident, $wallet:ident $(, $more:literal)*) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            cycle(stringify!($name), &[$($more),*], ways::$node, ways::$wallet).await;
        }
    };
}

cycle!(lnbits_pays_lnd, lnd, lnbits);
cycle!(lnd_pays_lnbits, lnbits, lnd);
cycle!(lnd_pays_lnd, lnd, lnd);
cycle!(lnd_grpc_pays_lnd, lnd, lnd_grpc);
cycle!(lnd_pays_lnd_grpc, lnd_grpc, lnd);
cycle!(nwc_pays_lnd, lnd, nwc);
cycle!(lnd_pays_nwc, nwc, lnd);

// With the receiving node's own word that each invoice is settled, and with invoices ahead of demand.
cycle!(strict_lnbits, lnbits, lnd, "--strict-settlement");
cycle!(strict_lnd, lnd, lnd, "--strict-settlement", "--invoice-pool", "8");
cycle!(strict_lnd_grpc, lnd_grpc, lnd, "--strict-settlement", "--invoice-pool", "8");
cycle!(strict_nwc, nwc, lnd, "--strict-settlement");

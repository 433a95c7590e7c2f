//! The journal through each backend: a payer that is killed while its payment is in flight asks the same wallet what became of it,
//! and does not pay again.

use plannt_e2e::{Lnd, free_port, wait_for};

use crate::plannt::{Call, Gateway, Ran};
use crate::shared::network;
use crate::ways::{self, Way};

async fn killed_in_mid_payment(wallet: impl AsyncFn(&Lnd) -> Way) {
    let network = network().await;
    let (node, wallet) = (ways::lnd(&network.alice).await, wallet(&network.bob).await);
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&folder.path().join("gateway"), &node.url, free_port()).await;
    let call = Call {
        home: folder.path().join("client"),
        wallet: wallet.url.clone(),
        service: gateway.address,
        arguments: &[],
    };
    let paid = network.bob.paid().await;

    network.hold_payments().await;
    let mut child = call.start();
    network.wait_for_payment_in_flight().await;
    child.start_kill().unwrap();
    assert_eq!(Ran::of(child).await.code, None);
    let early = call.run().await;
    assert!(early.code == Some(5) && early.stderr.contains("[payment_unresolved]"), "{early:?}");

    network.let_payments_go();
    let hashes = call.hashes().await;
    let [hash] = &hashes[..] else { panic!("not one payment: {hashes:?}") };
    wait_for("the payment", async || match network.bob.has_paid(hash).await {
        true => Ok(()),
        false => Err("in flight"),
    })
    .await;
    let last = call.run().await;
    assert!(last.delivered() && last.stderr.contains("paid nothing"), "{last:?}");
    assert_eq!(call.hashes().await, hashes);
    assert_eq!(network.bob.paid().await - paid, 1);
    assert!(network.alice.was_paid(hash).await);
}

/// A test of the wallet behind one way.
macro_rules! killed_in_mid_payment {
    ($name:ident, $wallet:ident) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            killed_in_mid_payment(ways::$wallet).await;
        }
    };
}

killed_in_mid_payment!(a_payer_of_lnbits_is_killed, lnbits);
killed_in_mid_payment!(a_payer_of_lnd_is_killed, lnd);
killed_in_mid_payment!(a_payer_of_lnd_grpc_is_killed, lnd_grpc);
killed_in_mid_payment!(a_payer_of_nwc_is_killed, nwc);

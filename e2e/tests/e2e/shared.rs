//! The network that all tests share, one test at a time.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};

use plannt_e2e::Network;
use tokio::sync::{Mutex, MutexGuard, OnceCell};

static NETWORK: OnceCell<Network> = OnceCell::const_new();
static STARTED: AtomicBool = AtomicBool::new(false);
/// Balances are compared, and nodes are killed.
static TURN: Mutex<()> = Mutex::const_new(());

/// The network, for this test alone. What the nodes said is printed where the test fails.
pub(crate) struct Exclusive {
    network: &'static Network,
    _turn: MutexGuard<'static, ()>,
}

pub(crate) async fn network() -> Exclusive {
    let turn = TURN.lock().await;
    // What did not start for one test is not waited for by each of them.
    assert!(NETWORK.initialized() || !STARTED.swap(true, Ordering::SeqCst), "there is no network");
    Exclusive { network: NETWORK.get_or_init(Network::start).await, _turn: turn }
}

impl Deref for Exclusive {
    type Target = Network;

    fn deref(&self) -> &Network {
        self.network
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // What this test has held is in nobody else's way.
            self.network.let_payments_go();
            self.network.print_last_words();
        }
    }
}

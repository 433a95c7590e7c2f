//! A real Lightning network on one machine, for tests: btcd on regtest, two lnd nodes, and a channel between them.
//!
//! [`Network::start`] starts it from the programs that `e2e/build` made; [`Proxy`] stands in any connection and can hold, cut or
//! refuse it. This is test support: what goes wrong panics with the reason, and the nodes' last words are printed.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod btcd;
mod http;
mod lnd;
mod network;
mod ports;
mod process;
mod proxy;
mod records;

use std::future::Future;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

pub use lnd::Lnd;
pub use network::Network;
pub use ports::free_port;
pub use process::Process;
pub use proxy::{Direction, Hold, Proxy};

/// Runs what outlives a test: proxies, and the pumps of programs' output.
static BACKGROUND: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// Asks until there is an answer, for at most a minute.
///
/// # Panics
/// When there is none, with the last reason.
pub async fn wait_for<T, E: std::fmt::Display>(
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let begun = Instant::now();
    loop {
        match ask().await {
            Ok(value) => return value,
            Err(error) if begun.elapsed() > Duration::from_secs(60) => panic!("{what}: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    BACKGROUND.spawn(work);
}

//! A service of another kind in front of the devnet: its shapes, with real invoices and payments
//! behind them.

use std::sync::Arc;

use axum::Router;
use plannt_lightning::devnet::{Devnet, DevnetConfig, DevnetHandle};
use plannt_lightning::lnd::Lnd;
use plannt_lightning::{Invoicer, Payer, invoicer_from_url, payer_from_url};

/// The nodes behind a service.
pub(crate) struct Nodes {
    pub(crate) merchant: Lnd,
    pub(crate) payer: Lnd,
}

pub(crate) struct Facade {
    url: String,
    _devnet: DevnetHandle,
    _folder: tempfile::TempDir,
}

impl Facade {
    /// Serves `router` on this machine; `url` makes the client's URL of `host:port`.
    pub(crate) async fn start(
        router: impl FnOnce(Arc<Nodes>) -> Router,
        url: impl FnOnce(&str) -> String,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Whole satoshis, since most of these services count in them.
        let config = DevnetConfig::new(folder.path()).fee_msat(2_000);
        let devnet = Devnet::start(config).await.expect("a devnet");
        let nodes = Arc::new(Nodes {
            merchant: Lnd::from_url(&devnet.invoicer_url()).expect("a client"),
            payer: Lnd::from_url(&devnet.payer_url()).expect("a client"),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let router = router(nodes);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url: url(&address), _devnet: devnet, _folder: folder }
    }
}

impl plannt_lightning::contract::Fixture for Facade {
    fn invoicer(&self) -> Arc<dyn Invoicer> {
        invoicer_from_url(&self.url).expect("an invoicer")
    }

    fn payer(&self) -> Arc<dyn Payer> {
        payer_from_url(&self.url).expect("a payer")
    }
}

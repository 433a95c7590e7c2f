//! A service of another kind in front of the devnet: its shapes, with real invoices and payments
//! behind them.
#![allow(dead_code, reason = "each test crate uses its part")]

use std::path::Path;
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
    /// Serves what `serve` starts in front of the nodes; it returns the client's URL, and may leave
    /// files in the folder.
    pub(crate) async fn serve(serve: impl AsyncFnOnce(Arc<Nodes>, &Path) -> String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Whole satoshis, since most of these services count in them.
        let config = DevnetConfig::new(folder.path()).fee_msat(2_000);
        let devnet = Devnet::start(config).await.expect("a devnet");
        let nodes = Arc::new(Nodes {
            merchant: Lnd::from_url(&devnet.invoicer_url()).expect("a client"),
            payer: Lnd::from_url(&devnet.payer_url()).expect("a client"),
        });
        let url = serve(nodes, folder.path()).await;
        Self { url, _devnet: devnet, _folder: folder }
    }

    /// Serves `router` on this machine; `url` makes the client's URL of `host:port`.
    pub(crate) async fn start(
        router: impl FnOnce(Arc<Nodes>) -> Router,
        url: impl FnOnce(&str) -> String,
    ) -> Self {
        Self::serve(async |nodes, _: &Path| {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("an address").to_string();
            let router = router(nodes);
            tokio::spawn(async move { axum::serve(listener, router).await });
            url(&address)
        })
        .await
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

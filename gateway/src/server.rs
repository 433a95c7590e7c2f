//! Listening and stopping.

use std::net::SocketAddr;

use crate::{GatewayConfig, GatewayError};

/// A gateway that is not listening yet.
#[derive(Debug)]
pub struct Gateway(());

/// A gateway that listens: connections wait in its queue until it [serves](Self::serve).
#[derive(Debug)]
pub struct BoundGateway {
    local_addr: SocketAddr,
}

impl Gateway {
    /// Opens the listener, the keyring and the spend store.
    ///
    /// # Errors
    /// [`GatewayError`], before anything is served.
    pub async fn bind(config: GatewayConfig) -> Result<BoundGateway, GatewayError> {
        let _ = config;
        todo!()
    }
}

impl BoundGateway {
    /// The address that it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` completes, then lets running requests end, for a bounded time.
    ///
    /// # Errors
    /// [`GatewayError`] where the listener fails for good.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), GatewayError> {
        shutdown.await;
        todo!()
    }
}

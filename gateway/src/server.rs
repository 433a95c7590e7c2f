//! Listening and stopping.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::config::Timeouts;
use crate::connection::Connection;
use crate::front::{Front, Offered};
use crate::upstream::Upstream;
use crate::wire::{HeadLimits, Spelling, Timers};
use crate::{GatewayConfig, GatewayError, gating};

/// What the listener waits after the system could not accept a connection.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// A gateway that is not listening yet.
#[derive(Debug)]
pub struct Gateway(());

/// A gateway that listens: connections wait in its queue until it [serves](Self::serve).
pub struct BoundGateway {
    connections: usize,
    front: Arc<Front>,
    head: HeadLimits,
    listener: TcpListener,
    local_addr: SocketAddr,
    timeouts: Timeouts,
}

impl Gateway {
    /// Opens the keyring and the spend store, and the listener.
    ///
    /// # Errors
    /// [`GatewayError`], before anything is served.
    pub async fn bind(config: GatewayConfig) -> Result<BoundGateway, GatewayError> {
        let GatewayConfig { limits, timeouts, listen, .. } = config;
        let spelling = Spelling::learn().await.map_err(GatewayError::Start)?;
        let upstream = Upstream::new(timeouts)?;
        let (gate, routes) = gating::open(&config).await?;
        let offered = Offered::new(config.offer, routes, config.network, config.service, upstream);
        let front =
            Front::new(gate, offered, config.cors, config.hosts, (limits, timeouts), spelling);
        let bind = |source| GatewayError::Bind { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(bind)?;
        let local_addr = listener.local_addr().map_err(bind)?;
        Ok(BoundGateway {
            connections: limits.connections,
            front: Arc::new(front),
            head: HeadLimits { head: limits.head, target: limits.target },
            listener,
            local_addr,
            timeouts,
        })
    }
}

impl BoundGateway {
    /// The address that it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Each route that has a method and path of its own, with its price in msat; 0 is free. Empty for a proxy.
    pub fn price_list(&self) -> Vec<(String, u64)> {
        let routes = self.front.routes.price_list();
        routes.map(|(method, path, price)| (format!("{method} {path}"), price)).collect()
    }

    /// Serves until `shutdown` completes, then lets running requests end, for a bounded time.
    ///
    /// # Errors
    /// None at present: what the system refuses is tried again.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), GatewayError> {
        let Self { connections, front, head, listener, timeouts, .. } = self;
        let Timeouts { body, head: whole_head, idle, send, .. } = timeouts;
        let timers = Timers { head: whole_head, idle, body, send };
        // Everything that runs holds a receiver: the sender sees when nothing does any more.
        let (stop, running) = watch::channel(false);
        let permits = Arc::new(Semaphore::new(connections));
        let mut tasks = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accept = async {
                let permit = Arc::clone(&permits).acquire_owned().await;
                (listener.accept().await, permit)
            };
            let (accepted, permit) = tokio::select! {
                () = &mut shutdown => break,
                Some(_) = tasks.join_next() => continue,
                accepted = accept => accepted,
            };
            let (socket, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Too many open files, most likely: it passes.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                    continue;
                }
            };
            let connection = Connection::new(Arc::clone(&front), peer, running.clone());
            tasks.spawn(async move {
                connection.serve(socket, head, timers).await;
                drop(permit);
            });
        }
        drop((listener, running));
        stop.send_replace(true);
        if tokio::time::timeout(timeouts.shutdown, stop.closed()).await.is_err() {
            tracing::warn!("requests that did not end in time were cut off");
        }
        tasks.shutdown().await;
        Ok(())
    }
}

impl std::fmt::Debug for BoundGateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BoundGateway").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

//! HTTPS listeners that can play dead.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::fault::Faults;
use super::http::Cut;

/// A client that says nothing for so long is dropped.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

pub(super) struct Server {
    pub(super) listener: TcpListener,
    pub(super) acceptor: TlsAcceptor,
    pub(super) router: Router,
    /// Which faults drop its connections; none for the control listener.
    pub(super) faults: Option<Faults>,
}

impl Server {
    pub(super) async fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    }

    /// Serves until `stopping` is true; then all connections are gone.
    pub(super) async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => break,
                Some(_) = connections.join_next() => continue,
                accepted = self.listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "devnet: accepting a connection failed");
                    // Out of file handles, most likely: let connections end first.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            // Subscribed before the check, so that a fault set in between is seen by either.
            let cut = self.faults.as_ref().map(Faults::cut);
            if self.faults.as_ref().is_some_and(Faults::take_down) {
                continue;
            }
            connections.spawn(serve(stream, self.acceptor.clone(), self.router.clone(), cut));
        }
        connections.shutdown().await;
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    router: Router,
    cut: Option<watch::Receiver<()>>,
) {
    // Small answers; without it they wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let connection = async {
        let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)).await
        else {
            return;
        };
        let service = service_fn(move |request| answer(router.clone(), request));
        // It ends with an error where an answer is cut; there is nobody to tell.
        let _ = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service)
            .await;
    };
    let dead = async {
        match cut {
            Some(mut cut) => drop(cut.changed().await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = connection => {}
        () = dead => {}
    }
}

async fn answer(router: Router, request: Request<Incoming>) -> Result<Response<Body>, CutError> {
    let response = router.oneshot(request.map(Body::new)).await;
    let response = response.unwrap_or_else(|never: Infallible| match never {});
    match response.extensions().get::<Cut>() {
        Some(_) => Err(CutError),
        None => Ok(response),
    }
}

/// Makes hyper drop the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is to be cut")]
struct CutError;

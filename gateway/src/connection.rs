//! One connection: which protocol it speaks, and its requests, one task each.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::body::{self, Body, BoxError, Holding, Paced};
use crate::front::Front;
use crate::problem::Problem;
use crate::wire::{Exchange, GuardedIo, HeadLimits, Protocol, Timers};

/// Streams at a time on one HTTP/2 connection.
const STREAMS: u32 = 200;
/// How often an HTTP/2 client is asked whether it is still there, and how long it may think about it.
const PING: Duration = Duration::from_secs(20);

/// One client's connection.
pub(crate) struct Connection {
    front: Arc<Front>,
    peer: SocketAddr,
    stop: watch::Receiver<bool>,
}

type Guarded = TokioIo<GuardedIo<TcpStream>>;

impl Connection {
    pub(crate) fn new(front: Arc<Front>, peer: SocketAddr, stop: watch::Receiver<bool>) -> Self {
        Self { front, peer, stop }
    }

    /// Serves until the client or the gateway ends it.
    pub(crate) async fn serve(mut self, socket: TcpStream, limits: HeadLimits, timers: Timers) {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let head = limits.head;
        let mut io = GuardedIo::new(socket, limits, timers);
        let protocol = tokio::select! {
            protocol = io.sniff() => protocol,
            _ = self.stop.wait_for(|stop| *stop) => return,
        };
        let ended = match protocol {
            Ok(Some(Protocol::Http1)) => {
                let exchange = io.exchange();
                self.serve_http1(TokioIo::new(io), exchange).await
            }
            Ok(Some(Protocol::Http2)) => self.serve_http2(TokioIo::new(io), head, timers).await,
            Ok(None) | Err(_) => return,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke");
        }
    }

    async fn serve_http1(
        mut self,
        io: Guarded,
        exchange: Arc<Exchange>,
    ) -> Result<(), hyper::Error> {
        let Self { front, peer, stop } = &mut self;
        let running = stop.clone();
        let service = service_fn(|request: Request<Incoming>| {
            let (in_flight, problem) = exchange.begin();
            let answer = run(Arc::clone(front), request, *peer, problem, running.clone());
            async move {
                let response = answer.await;
                Ok::<_, Infallible>(response.map(|body| body::boxed(Holding::new(body, in_flight))))
            }
        });
        // The guard has the limits and the timers of the head.
        let mut connection = std::pin::pin!(
            http1::Builder::new()
                // A client that ends its sending side still waits for what it has paid for.
                .half_close(true)
                .serve_connection(io, service)
        );
        tokio::select! {
            ended = connection.as_mut() => return ended,
            _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
        }
        connection.await
    }

    async fn serve_http2(
        mut self,
        io: Guarded,
        head: usize,
        timers: Timers,
    ) -> Result<(), hyper::Error> {
        let Self { front, peer, stop } = &mut self;
        let (front, peer, running) = (Arc::clone(front), *peer, stop.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            // On HTTP/1 the guard sees to that.
            let request = request.map(|body| Paced::new(body::boxed(body), timers.body));
            let answer = run(Arc::clone(&front), request, peer, None, running.clone());
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let mut connection = std::pin::pin!(
            http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(PING)
                .keep_alive_timeout(PING)
                .max_concurrent_streams(STREAMS)
                .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX))
                .serve_connection(io, service)
        );
        tokio::select! {
            ended = connection.as_mut() => return ended,
            _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
        }
        connection.await
    }
}

/// Answers a request in a task of its own, which outlives a client that hangs up: a use that was taken
/// for a request which then did not reach its upstream is given back all the same.
fn run<B>(
    front: Arc<Front>,
    request: Request<B>,
    peer: SocketAddr,
    problem: Option<Problem>,
    running: watch::Receiver<bool>,
) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let request = request.map(body::boxed);
    let task = tokio::spawn(async move {
        let response = front.answer(request, peer, problem).await;
        drop(running);
        response
    });
    Box::pin(async move {
        task.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a request's task failed");
            Problem::internal().into_response()
        })
    })
}

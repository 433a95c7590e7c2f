//! A gRPC server over TLS that answers what a test says.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures_util::stream::{self, StreamExt};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::scripted::{Identity, server_config};

/// What a call gets back.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) messages: Vec<Vec<u8>>,
    pub(crate) end: End,
}

#[derive(Clone)]
pub(crate) enum End {
    /// The stream breaks.
    Cut,
    /// Nothing more comes.
    Hang,
    /// A plain HTTP answer with this status, of a server that speaks no gRPC.
    Http(u16),
    Status(i32, String),
}

/// A call as it came.
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) macaroon: String,
    /// The message, without the five bytes before it.
    pub(crate) message: Vec<u8>,
}

type Replies = Pin<Box<dyn Future<Output = Reply> + Send>>;

pub(crate) struct GrpcServer {
    pub(crate) port: u16,
    pub(crate) calls: Arc<Mutex<Vec<String>>>,
}

impl GrpcServer {
    pub(crate) async fn start(
        identity: &Identity,
        handler: impl Fn(Call) -> Replies + Send + Sync + 'static,
    ) -> Self {
        let mut tls = server_config(identity, identity);
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let calls: Arc<Mutex<Vec<String>>> = Arc::default();
        let (handler, seen) = (Arc::new(handler), Arc::clone(&calls));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, handler, seen) =
                    (acceptor.clone(), Arc::clone(&handler), Arc::clone(&seen));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(move |request| {
                        let (handler, seen) = (Arc::clone(&handler), Arc::clone(&seen));
                        async move {
                            let call = read(request).await;
                            seen.lock().expect("no panic").push(call.path.clone());
                            Ok::<_, Infallible>(write(handler(call).await))
                        }
                    });
                    let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    drop(http.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        Self { port, calls }
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().expect("no panic").clone()
    }
}

async fn read(request: Request<Incoming>) -> Call {
    let text = |value: Option<&HeaderValue>| {
        value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let path = request.uri().path().to_owned();
    let macaroon = text(request.headers().get("macaroon"));
    let body = request.into_body().collect().await.expect("a body").to_bytes();
    Call { path, macaroon, message: body[5..].to_vec() }
}

type Body =
    StreamBody<Pin<Box<dyn stream::Stream<Item = Result<Frame<Bytes>, &'static str>> + Send>>>;

fn write(reply: Reply) -> Response<Body> {
    let frames = reply.messages.into_iter().map(|message| {
        let mut frame = vec![0];
        frame.extend((message.len() as u32).to_be_bytes());
        frame.extend(message);
        Ok(Frame::data(Bytes::from(frame)))
    });
    let frames = stream::iter(frames.collect::<Vec<_>>());
    let mut response = Response::builder().header("content-type", "application/grpc");
    let body: Pin<Box<dyn stream::Stream<Item = _> + Send>> = match reply.end {
        // What was sent before it gets out first.
        End::Cut => Box::pin(frames.chain(stream::once(async {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            Err("cut")
        }))),
        End::Hang => Box::pin(frames.chain(stream::pending())),
        End::Http(status) => {
            response = Response::builder().status(status).header("content-type", "text/html");
            Box::pin(stream::empty())
        }
        End::Status(code, message) => {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", code.into());
            trailers.insert("grpc-message", message.parse().expect("a header"));
            Box::pin(frames.chain(stream::iter([Ok(Frame::trailers(trailers))])))
        }
    };
    response.body(StreamBody::new(body)).expect("a response")
}

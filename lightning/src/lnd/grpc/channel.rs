//! Connections to lnd's gRPC listener: HTTP/2 over TLS with the pinned certificate.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Uri;
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tonic::client::Grpc;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};
use tonic_prost::ProstCodec;

use super::super::answer::Refusal;
use crate::http::invalid;
use crate::lnd::LndConfig;
use crate::settings::config as config_error;
use crate::{LightningError, tls};

/// Under what routers and firewalls take for a dead connection.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Why a call gave no message.
pub(super) enum CallError {
    /// lnd's status, or one that the connection's end was made into.
    Status(Refusal),
    /// There is none.
    Other(LightningError),
}

pub(super) struct Connector {
    authority: String,
    endpoint: Endpoint,
    tls: TlsConnector,
    server_name: ServerName<'static>,
    macaroon: AsciiMetadataValue,
    /// Made at the first call, since it belongs to the runtime that it is made in.
    pooled: OnceLock<Channel>,
}

impl Connector {
    pub(super) fn new(config: &LndConfig) -> Result<Self, LightningError> {
        let not_an_address = |_| config_error("the node's address makes no URL");
        let authority = config.authority();
        let origin: Uri = format!("https://{authority}").parse().map_err(|_| not_an_address(()))?;
        let host = origin.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let server_name = ServerName::try_from(host)
            .map_err(|_| config_error("the node's address is no name for TLS"))?;
        // Of the scheme only: the TLS is the connector's own, with the pinned certificate.
        let endpoint = Endpoint::from_shared(format!("http://{authority}"))
            .map_err(|_| not_an_address(()))?
            .origin(origin)
            .connect_timeout(config.connect_timeout)
            .http2_keep_alive_interval(KEEP_ALIVE);
        let mut tls = tls::client_config(config.certificates())?;
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let mut macaroon = AsciiMetadataValue::try_from(config.macaroon_hex())
            .map_err(|_| config_error("the macaroon is not hex"))?;
        macaroon.set_sensitive(true);
        Ok(Self {
            authority: authority.to_owned(),
            endpoint,
            tls: TlsConnector::from(Arc::new(tls)),
            server_name,
            macaroon,
            pooled: OnceLock::new(),
        })
    }

    /// A connection that is kept, and made anew when it breaks; for what moves no money.
    pub(super) fn pooled(&self) -> Channel {
        let make = || self.endpoint.connect_with_connector_lazy(self.service());
        self.pooled.get_or_init(make).clone()
    }

    /// A connection of its own: if there is none, nothing was sent.
    pub(super) async fn fresh(&self) -> Result<Channel, LightningError> {
        let connected = self.endpoint.connect_with_connector(self.service()).await;
        connected.map_err(|error| unreachable(&error))
    }

    fn service(
        &self,
    ) -> impl tower::Service<
        Uri,
        Response = TokioIo<tokio_rustls::client::TlsStream<TcpStream>>,
        Error = std::io::Error,
        Future: Send,
    > + Send
    + use<> {
        let (authority, tls) = (self.authority.clone(), self.tls.clone());
        let server_name = self.server_name.clone();
        tower::service_fn(move |_: Uri| {
            let (authority, tls) = (authority.clone(), tls.clone());
            let server_name = server_name.clone();
            async move {
                let stream = TcpStream::connect(authority).await?;
                stream.set_nodelay(true)?;
                tls.connect(server_name, stream).await.map(TokioIo::new)
            }
        })
    }

    fn request<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("macaroon", self.macaroon.clone());
        request
    }

    /// Calls what answers once.
    pub(super) async fn unary<M, A>(
        &self,
        path: &'static str,
        message: M,
        limit: Duration,
    ) -> Result<A, CallError>
    where
        M: prost::Message + Send + Sync + 'static,
        A: prost::Message + Default + Send + Sync + 'static,
    {
        let mut client = Grpc::new(self.pooled());
        let request = self.request(message);
        let call = async {
            client.ready().await.map_err(|error| CallError::Other(unreachable(&error)))?;
            let codec = ProstCodec::<M, A>::default();
            client.unary(request, PathAndQuery::from_static(path), codec).await.map_err(status)
        };
        let answer = timeout(limit, call).await;
        answer
            .map_err(|_| CallError::Other(LightningError::TimeoutUnknown))?
            .map(|a| a.into_inner())
    }

    /// Calls what answers with a stream. The caller bounds the time.
    pub(super) async fn stream<M, A>(
        &self,
        channel: Channel,
        path: &'static str,
        message: M,
    ) -> Result<Streaming<A>, CallError>
    where
        M: prost::Message + Send + Sync + 'static,
        A: prost::Message + Default + Send + Sync + 'static,
    {
        let mut client = Grpc::new(channel);
        client.ready().await.map_err(|error| CallError::Other(unreachable(&error)))?;
        let (path, codec) = (PathAndQuery::from_static(path), ProstCodec::<M, A>::default());
        let answer = client.server_streaming(self.request(message), path, codec).await;
        answer.map(|answer| answer.into_inner()).map_err(status)
    }
}

/// A status of lnd, or what the connection's end was made into.
pub(super) fn status(status: Status) -> CallError {
    let of_connection = std::error::Error::source(&status).is_some();
    match status.code() {
        Code::Unavailable if of_connection => {
            CallError::Other(LightningError::NodeUnreachable { message: reason(&status) })
        }
        _ if of_connection => {
            CallError::Other(LightningError::ConnectionLost { message: reason(&status) })
        }
        // A message that is none, or too long.
        Code::Internal | Code::OutOfRange => CallError::Other(invalid("not an answer of lnd")),
        code => CallError::Status(Refusal::of_grpc(code.into(), status.message())),
    }
}

fn unreachable(error: &tonic::transport::Error) -> LightningError {
    LightningError::NodeUnreachable { message: reason(error) }
}

/// The innermost reason.
fn reason(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    crate::http::cut(&innermost.to_string())
}

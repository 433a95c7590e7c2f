//! TLS to a server under test, held to the machine's own roots.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::WireError;
use super::http::Connection;

pub(crate) struct Tls {
    config: ClientConfig,
}

impl Tls {
    pub(crate) fn new() -> Result<Self, WireError> {
        let config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(|error| WireError::url(format!("TLS can't be used: {error}")))?
            .with_no_client_auth();
        Ok(Self { config })
    }

    /// Agrees on one of `protocols`.
    pub(crate) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
        protocols: &[&[u8]],
    ) -> io::Result<Connection> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let mut config = self.config.clone();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        Ok(Connection::new(Box::new(stream)))
    }
}

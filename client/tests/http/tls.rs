//! `https`, without a provider for the whole process.

use std::sync::Arc;

use plannt_client::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::support::*;

/// Answers every request with 200, under a certificate for `localhost` that only the test knows.
async fn serve() -> (String, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let der = made.cert.der().to_vec();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(socket).await else { continue };
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret";
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    (url, der)
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_checked() {
    let world = World::selling(1).await;
    let (url, certificate) = serve().await;
    let unknown = world.client().send(Request::get(&url).unwrap()).await.unwrap_err();
    assert_eq!(unknown.code(), "connect");

    let trusting = world.builder().extra_root_certificate(certificate).build().unwrap();
    let response = trusting.send(Request::get(&url).unwrap()).await.unwrap();
    assert_eq!(response.body.bytes().await.unwrap(), b"secret");

    let broken = world.builder().extra_root_certificate(b"junk".to_vec()).build();
    assert_eq!(broken.unwrap_err().code(), "config");
    assert!(tokio_rustls::rustls::crypto::CryptoProvider::get_default().is_none());
}

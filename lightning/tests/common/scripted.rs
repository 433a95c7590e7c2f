//! A server that answers exactly what a test says, to see what the client makes of it.
#![allow(dead_code, reason = "each test crate uses its part")]

use std::path::Path;
use std::sync::{Arc, Mutex};

use plannt_core::Preimage;
use plannt_lightning::PayRequest;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// What to do with one request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Send these pieces, then close.
    Close(Vec<Vec<u8>>),
    /// Send these pieces, then keep silent until the client gives up.
    Hang(Vec<Vec<u8>>),
}

pub(crate) struct Scripted {
    pub(crate) port: u16,
    /// Each request as it came: head and body.
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
}

/// A certificate and a key, which need not belong together.
pub(crate) struct Identity {
    pub(crate) pem: String,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

pub(crate) fn identity() -> Identity {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    Identity {
        pem: made.cert.pem(),
        certificate: made.cert.der().clone(),
        key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der())),
    }
}

/// An answer with a body, then the end of the connection.
pub(crate) fn page(status: u16, body: &str) -> Answer {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} Status\r\nLocation: /\r\nContent-Length: {length}\r\n\r\n");
    Answer::Close(vec![head.into_bytes(), body.as_bytes().to_vec()])
}

/// A signed invoice whose preimage the test knows: it is of no node, but the client cannot tell.
pub(crate) fn request(preimage: &Preimage) -> PayRequest {
    use bitcoin::hashes::{Hash, sha256};
    use bitcoin::secp256k1::{Secp256k1, SecretKey};
    use lightning_invoice::{Currency, InvoiceBuilder, PaymentSecret};
    let key = SecretKey::from_slice(&[1; 32]).expect("a key");
    let invoice = InvoiceBuilder::new(Currency::Regtest)
        .description("scripted".into())
        .payment_hash(sha256::Hash::from_byte_array(*preimage.payment_hash().as_bytes()))
        .payment_secret(PaymentSecret([1; 32]))
        .current_timestamp()
        .min_final_cltv_expiry_delta(80)
        .amount_milli_satoshis(21_001)
        .build_signed(|message| Secp256k1::signing_only().sign_ecdsa_recoverable(message, &key));
    crate::common::pay_request(&invoice.expect("an invoice").to_string())
}

pub(crate) fn preimage() -> Preimage {
    Preimage::from_bytes([7; 32])
}

/// TLS as the holder of `certificate`, who signs with `key`.
pub(crate) fn server_config(certificate: &Identity, key: &Identity) -> ServerConfig {
    let signer = ring::sign::any_supported_type(&key.key).expect("a key");
    let certified = CertifiedKey::new(vec![certificate.certificate.clone()], signer);
    ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Fixed(Arc::new(certified))))
}

impl Scripted {
    /// Serves `certificate` signed for by `key`, one connection for each answer.
    pub(crate) async fn start(
        certificate: &Identity,
        key: &Identity,
        answers: Vec<Answer>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let acceptor = TlsAcceptor::from(Arc::new(server_config(certificate, key)));
        let requests = Arc::default();
        let seen: Arc<Mutex<Vec<String>>> = Arc::clone(&requests);
        tokio::spawn(async move {
            let mut answers = answers.into_iter();
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(stream) = acceptor.accept(stream).await else { continue };
                let Some(answer) = answers.next() else { continue };
                play(stream, answer, &seen).await;
            }
        });
        Self { port, requests }
    }

    /// The same without TLS, as services on one machine listen.
    pub(crate) async fn plain(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::default();
        let seen: Arc<Mutex<Vec<String>>> = Arc::clone(&requests);
        tokio::spawn(async move {
            let mut answers = answers.into_iter();
            while let Ok((stream, _)) = listener.accept().await {
                let Some(answer) = answers.next() else { continue };
                play(stream, answer, &seen).await;
            }
        });
        Self { port, requests }
    }

    pub(crate) fn url(&self, folder: &Path, identity: &Identity) -> String {
        let cert = folder.join("tls.cert");
        std::fs::write(&cert, &identity.pem).expect("written");
        let macaroon = "ab".repeat(40);
        format!("lnd://127.0.0.1:{}?cert={}&macaroon={macaroon}", self.port, cert.display())
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

async fn play(mut stream: impl Cut, answer: Answer, seen: &Mutex<Vec<String>>) {
    let request = read_request(&mut stream).await;
    seen.lock().expect("no panic").push(request);
    let (Answer::Close(pieces) | Answer::Hang(pieces)) = &answer;
    for piece in pieces {
        if stream.write_all(piece).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
    match answer {
        // Only the socket: a cut, not a proper end of TLS.
        Answer::Close(_) => stream.cut().await,
        Answer::Hang(_) => drop(stream.read(&mut [0]).await),
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            if body.len() >= length.unwrap_or(0usize) {
                return text;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return text;
        }
    }
}

/// A connection that can break.
trait Cut: AsyncRead + AsyncWrite + Unpin {
    async fn cut(&mut self);
}

impl Cut for TcpStream {
    async fn cut(&mut self) {
        drop(self.shutdown().await);
    }
}

impl Cut for TlsStream<TcpStream> {
    async fn cut(&mut self) {
        drop(self.get_mut().0.shutdown().await);
    }
}

#[derive(Debug)]
struct Fixed(Arc<CertifiedKey>);

impl ResolvesServerCert for Fixed {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

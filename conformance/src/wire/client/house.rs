//! The played servers: two origins that answer by a script, and remember what they saw.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plannt_core::macaroon::Macaroon;
use plannt_core::{
    Identifier, Keyring, MintRequest, Network, PaymentHash, Preimage, RootKey, base64,
    challenge_header, read_invoice,
};
use plannt_lightning::{InvoiceRequest, Invoicer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::reply::Reply;

/// What everything costs, msat.
pub(super) const PRICE_MSAT: u64 = 21_000;
/// The longest request that is read.
const MAX_REQUEST: usize = 4 * 1024 * 1024;

/// How a play answers.
pub(super) type Script =
    Arc<dyn Fn(Seen, House) -> Pin<Box<dyn Future<Output = Reply> + Send>> + Send + Sync>;

/// Makes a script of an async closure.
pub(super) fn script<F: Future<Output = Reply> + Send + 'static>(
    answer: impl Fn(Seen, House) -> F + Send + Sync + 'static,
) -> Script {
    Arc::new(move |seen, house| Box::pin(answer(seen, house)))
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// 0 for the origin of the URL, 1 for the other.
    pub(super) origin: usize,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
}

impl Seen {
    /// The values of its `Authorization` lines with our scheme.
    pub(super) fn credentials(&self) -> Vec<&str> {
        let ours = |value: &str| {
            let scheme = value.split(' ').next().unwrap_or_default();
            scheme.eq_ignore_ascii_case("L402") || scheme.eq_ignore_ascii_case("LSAT")
        };
        self.headers
            .iter()
            .filter(|(name, value)| name.eq_ignore_ascii_case("authorization") && ours(value))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    pub(super) fn has_credential(&self) -> bool {
        !self.credentials().is_empty()
    }
}

/// A token and the invoice that pays for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) token: String,
    pub(super) invoice: String,
    pub(super) hash: PaymentHash,
}

impl Offer {
    /// The header's value in the form of docs/PROTOCOL.md §3.
    pub(super) fn line(&self) -> String {
        challenge_header(&self.token, &self.invoice)
    }

    pub(super) fn challenge(&self) -> Reply {
        Reply::challenge(&[self.line()])
    }
}

/// The servers of one play. Cloning shares them.
#[derive(Clone)]
pub(super) struct House(Arc<Inner>);

struct Inner {
    merchant: Arc<dyn Invoicer>,
    origins: [SocketAddr; 2],
    offers: Mutex<Vec<Offer>>,
    seen: Mutex<Vec<Seen>>,
}

/// Keeps the servers of a play running.
pub(super) struct Open {
    pub(super) house: House,
    serving: Vec<JoinHandle<()>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.serving.iter().for_each(JoinHandle::abort);
    }
}

impl House {
    pub(super) async fn open(merchant: Arc<dyn Invoicer>, script: Script) -> std::io::Result<Open> {
        let listeners =
            [TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?];
        let origins = [listeners[0].local_addr()?, listeners[1].local_addr()?];
        let (offers, seen) = (Mutex::default(), Mutex::default());
        let house = Self(Arc::new(Inner { merchant, origins, offers, seen }));
        let serve = |(origin, listener): (usize, TcpListener)| {
            let (house, script) = (house.clone(), Arc::clone(&script));
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let (house, script) = (house.clone(), Arc::clone(&script));
                    // A client that hangs up ends its own connection only.
                    tokio::spawn(async move {
                        let _ = house.serve(stream, origin, script).await;
                    });
                }
            })
        };
        let serving = listeners.into_iter().enumerate().map(serve).collect();
        Ok(Open { house, serving })
    }

    /// A URL of one of the two origins.
    pub(super) fn url(&self, origin: usize, target: &str) -> String {
        format!("http://{}{target}", self.0.origins[origin])
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        lock(&self.0.seen).clone()
    }

    pub(super) fn offers(&self) -> Vec<Offer> {
        lock(&self.0.offers).clone()
    }

    /// A fresh offer whose invoice can be paid.
    pub(super) async fn offer(&self) -> Offer {
        self.offer_of(PRICE_MSAT, 600).await
    }

    pub(super) async fn offer_of(&self, amount_msat: u64, expiry_seconds: u32) -> Offer {
        let invoice = self.invoice(amount_msat, expiry_seconds).await;
        let hash = read_invoice(&invoice).expect("the devnet's invoice").payment_hash;
        self.remember(Offer { token: token(hash, now() + 3_600), invoice, hash })
    }

    pub(super) async fn invoice(&self, amount_msat: u64, expiry_seconds: u32) -> String {
        let request =
            InvoiceRequest { amount_msat, memo: "plannt conformance".into(), expiry_seconds };
        self.0.merchant.issue(&request).await.expect("the devnet issues invoices")
    }

    /// Takes credentials of this offer from now on.
    pub(super) fn remember(&self, offer: Offer) -> Offer {
        lock(&self.0.offers).push(offer.clone());
        offer
    }

    /// The offer that a request proves to have paid, if it does.
    pub(super) fn proven(&self, seen: &Seen) -> Option<Offer> {
        let credentials = seen.credentials();
        let [credential] = credentials[..] else { return None };
        let (token, preimage) = credential.split_once(' ')?.1.trim().rsplit_once(':')?;
        let hash = Preimage::from_hex(preimage).ok()?.payment_hash();
        self.offers().into_iter().find(|offer| offer.hash == hash && is_for(offer, token))
    }

    async fn serve(
        &self,
        mut stream: TcpStream,
        origin: usize,
        script: Script,
    ) -> std::io::Result<()> {
        let Some(seen) = read_request(&mut stream, origin).await? else { return Ok(()) };
        lock(&self.0.seen).push(seen.clone());
        let Reply { pieces, pause } = script(seen, self.clone()).await;
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                tokio::time::sleep(pause).await;
            }
            stream.write_all(piece).await?;
            stream.flush().await?;
        }
        stream.shutdown().await?;
        // Until the client hangs up, too: a reset could overtake the reply.
        let mut rest = [0; 4096];
        let drained = async { while matches!(stream.read(&mut rest).await, Ok(1..)) {} };
        let _ = tokio::time::timeout(Duration::from_secs(5), drained).await;
        Ok(())
    }
}

/// Whether a token is the offer's, as it was or attenuated: some clients add the preimage to it.
fn is_for(offer: &Offer, token: &str) -> bool {
    let hash = |token: &str| {
        let macaroon = Macaroon::parse(&base64::decode(token).ok()?).ok()?;
        Some(Identifier::parse(macaroon.identifier()).ok()?.payment_hash)
    };
    token == offer.token || hash(token) == Some(offer.hash)
}

/// A token for an invoice, good for any path.
pub(super) fn token(hash: PaymentHash, valid_until: u64) -> String {
    let keyring = Keyring::new(Network::Regtest, RootKey::from_bytes([1; 32]));
    let mut request = MintRequest::new(hash, "shop", "GET", "/*", valid_until, PRICE_MSAT);
    loop {
        // A text that collides with a scheme's name is avoided by another second.
        match keyring.mint(&request) {
            Ok(token) => return token.into_string(),
            Err(_) => request.valid_until += 1,
        }
    }
}

async fn read_request(stream: &mut TcpStream, origin: usize) -> std::io::Result<Option<Seen>> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 16 * 1024]);
    let head = loop {
        if let Some(end) = crate::wire::http::find(&bytes, b"\r\n\r\n") {
            break end;
        }
        let count = stream.read(&mut chunk).await?;
        if count == 0 || bytes.len() > MAX_REQUEST {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk[..count]);
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.split("\r\n");
    let mut start = lines.next().unwrap_or_default().split(' ');
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0_usize);
    while bytes.len() < head + 4 + length.min(MAX_REQUEST) {
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            break;
        }
        bytes.extend_from_slice(&chunk[..count]);
    }
    let (method, target) = (start.next().unwrap_or_default(), start.next().unwrap_or_default());
    Ok(Some(Seen { origin, method: method.into(), target: target.into(), headers }))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Unix seconds.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

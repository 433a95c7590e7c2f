//! A server with the flaws of many: no signature, no scope, times as text, replay by the header's text.

use std::collections::HashSet;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use plannt_core::macaroon::Macaroon;
use plannt_core::{
    Identifier, Keyring, MintRequest, Network, Preimage, RootKey, base64, caveat, read_invoice,
};
use plannt_lightning::devnet::{Devnet, DevnetConfig, DevnetHandle};
use plannt_lightning::{InvoiceRequest, Invoicer, invoicer_from_url};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Sloppy {
    pub(crate) devnet: DevnetHandle,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

struct Shop {
    invoicer: Arc<dyn Invoicer>,
    keyring: Keyring,
    /// The texts of the headers that were seen.
    spent: Mutex<HashSet<String>>,
}

impl Sloppy {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let devnet = Devnet::start(DevnetConfig::new(folder.path())).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shop = Arc::new(Shop {
            invoicer: invoicer_from_url(&devnet.invoicer_url()).unwrap(),
            keyring: Keyring::new(Network::Regtest, RootKey::from_bytes([7; 32])),
            spent: Mutex::default(),
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shop = Arc::clone(&shop);
                tokio::spawn(async move { shop.serve(stream).await });
            }
        });
        Self { devnet, address, _folder: folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Shop {
    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") && head.len() < 100_000 {
            stream.read_exact(&mut byte).await.ok()?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let credential = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let path = head.split(' ').nth(1).unwrap_or("/");
        let answer = match credential {
            None => self.challenge(path).await,
            Some((_, value)) if !self.is_right(value) => "401 Unauthorized\r\n".into(),
            Some((_, value)) if !self.spent.lock().unwrap().insert(value.to_owned()) => {
                self.challenge(path).await
            }
            Some(_) => "200 OK\r\n".into(),
        };
        let rest = "Content-Length: 2\r\nConnection: close\r\n\r\n{}";
        stream.write_all(format!("HTTP/1.1 {answer}{rest}").as_bytes()).await.ok()?;
        stream.shutdown().await.ok()
    }

    async fn challenge(&self, path: &str) -> String {
        let request =
            InvoiceRequest { amount_msat: 1_000, memo: "sloppy".into(), expiry_seconds: 600 };
        let invoice = self.invoicer.issue(&request).await.unwrap();
        let hash = read_invoice(&invoice).unwrap().payment_hash;
        let path = path.split('?').next().unwrap_or("/");
        let path = if path.len() < 100 { path } else { "/" };
        let mint = MintRequest::new(hash, "shop", "GET", path, now() + 3_600, 1_000);
        let Ok(token) = self.keyring.mint(&mint) else { return "404 Not Found\r\n".into() };
        let mut answer = "402 Payment Required\r\n".to_owned();
        let token = token.as_str();
        write!(answer, "WWW-Authenticate: L402 invoice=\"{invoice}\", macaroon=\"{token}\"\r\n")
            .unwrap();
        answer
    }

    /// Whether it looks paid: the preimage is that of the hash in the token, and no time in it is over.
    fn is_right(&self, value: &str) -> bool {
        let read = || {
            let (scheme, pair) = value.split_once(' ')?;
            let (tokens, preimage) = pair.trim().split_once(':')?;
            let token = tokens.split(',').next()?;
            let macaroon = Macaroon::parse(&base64::decode(token).ok()?).ok()?;
            let hash = Identifier::parse(macaroon.identifier()).ok()?.payment_hash;
            let paid = Preimage::from_hex(preimage.get(..64)?).ok()?.proves(&hash);
            let now = now().to_string();
            let in_time = macaroon
                .caveats()
                .filter_map(|it| caveat::split(it.id))
                .filter(|(condition, _)| condition.ends_with("_valid_until"))
                .all(|(_, time)| *time > *now);
            Some(scheme.eq_ignore_ascii_case("L402") && paid && in_time)
        };
        read().unwrap_or(false)
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

//! A server of any manners, which sells with the challenges of a real one.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use super::request;

/// What it does with a request.
pub(crate) enum Reply {
    /// A 402 with a fresh challenge.
    Challenge,
    /// These bytes, then the end of the connection.
    Bytes(&'static str),
    /// These bytes over and over, until the client is gone.
    Endless(&'static str),
}

/// A request, as far as a rule cares.
pub(crate) struct Asked<'a> {
    pub(crate) path: &'a str,
    pub(crate) has_credential: bool,
}

pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
}

impl Shop {
    /// Challenges come from the demo service at `source`.
    pub(crate) fn start(
        source: SocketAddr,
        rule: impl Fn(&Asked<'_>) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let rule = Arc::new(rule);
        thread::spawn(move || {
            for client in listener.incoming() {
                let rule = Arc::clone(&rule);
                thread::spawn(move || serve(client.unwrap(), source, &*rule));
            }
        });
        Self { address }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn serve(mut client: TcpStream, source: SocketAddr, rule: &dyn Fn(&Asked<'_>) -> Reply) {
    let mut head = Vec::new();
    let mut chunk = [0; 16 * 1024];
    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
        match client.read(&mut chunk) {
            Ok(n @ 1..) => head.extend_from_slice(&chunk[..n]),
            _ => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let asked = Asked {
        path: head.split(' ').nth(1).unwrap(),
        has_credential: head.to_ascii_lowercase().contains("authorization: l402 "),
    };
    // A client that has gone away is no failure.
    let _ = match rule(&asked) {
        Reply::Bytes(bytes) => client.write_all(bytes.as_bytes()),
        Reply::Endless(bytes) => loop {
            if client.write_all(bytes.as_bytes()).is_err() {
                break Ok(());
            }
        },
        Reply::Challenge => {
            let challenge = request(source, "GET", "/v1/demo", None, "");
            let line = challenge.header("WWW-Authenticate").unwrap();
            client.write_all(
                format!(
                    "HTTP/1.1 402 Payment Required\r\nWWW-Authenticate: {line}\r\nContent-Length: 0\r\n\
                     Connection: close\r\n\r\n"
                )
                .as_bytes(),
            )
        }
    };
}

//! `WWW-Authenticate`, spelled so.
//!
//! Header names have no case, but some deployed clients look for this one spelling (docs/PROTOCOL.md
//! §3), and the HTTP library writes names in lower case. It does keep the spelling of a response
//! that it read itself, in a private extension that its server side honours too: so one exchange
//! over a pipe in memory, at start-up, yields that extension.

use std::io;

use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::{Extensions, Request, Response};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use crate::body::Body;

/// Lines of the header in one response whose names are spelled; more would be in lower case.
const LINES: usize = 8;

/// The spelling of `WWW-Authenticate` on HTTP/1.1.
#[derive(Clone, Debug)]
pub(crate) struct Spelling(Extensions);

impl Spelling {
    /// Learns the spelling.
    ///
    /// # Errors
    /// Only where the HTTP library can't talk to itself.
    pub(crate) async fn learn() -> io::Result<Self> {
        let (client, mut server) = duplex(4096);
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{}\r\n",
            "WWW-Authenticate: L402\r\n".repeat(LINES)
        );
        let serve = async move {
            let mut seen = Vec::new();
            while !seen.ends_with(b"\r\n\r\n") {
                if server.read_buf(&mut seen).await? == 0 {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
                }
            }
            server.write_all(answer.as_bytes()).await?;
            Ok(server)
        };
        let ask = async {
            let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
                .preserve_header_case(true)
                .handshake(TokioIo::new(client))
                .await
                .map_err(io::Error::other)?;
            let request = Request::new(Empty::<Bytes>::new());
            let exchange = async { sender.send_request(request).await.map_err(io::Error::other) };
            tokio::select! {
                answer = exchange => answer,
                end = connection => Err(io::Error::other(format!("no answer: {end:?}"))),
            }
        };
        let (server, response) = tokio::join!(serve, ask);
        drop(server?);
        Ok(Self(response?.into_parts().0.extensions))
    }

    /// Spells the header in a response, where it has it.
    pub(crate) fn apply(&self, response: &mut Response<Body>) {
        if response.headers().contains_key(WWW_AUTHENTICATE) {
            response.extensions_mut().extend(self.0.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_extension_is_learnt() {
        let Spelling(extensions) = Spelling::learn().await.expect("an exchange in memory");
        assert_eq!(extensions.len(), 1);
    }
}

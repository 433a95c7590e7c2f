//! Requests as bytes on a socket, so that the answers' bytes can be looked at, too.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request; each goes over a connection of its own.
#[derive(Clone, Debug)]
pub struct Ask {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    chunked: bool,
}

impl Ask {
    pub fn new(method: &str, target: &str) -> Self {
        let (method, target) = (method.to_owned(), target.to_owned());
        Self { method, target, headers: Vec::new(), body: Vec::new(), chunked: false }
    }

    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub fn post(target: &str, body: &[u8]) -> Self {
        Self { body: body.to_owned(), ..Self::new("POST", target) }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With this credential.
    pub fn with(self, credential: &str) -> Self {
        self.header("Authorization", credential)
    }

    /// Sends the body in two chunks.
    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    pub fn method(&self) -> &str {
        &self.method
    }

    pub async fn send(&self, addr: SocketAddr) -> Answer {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let framing = match (self.chunked, self.body.is_empty()) {
            (true, _) => "transfer-encoding: chunked\r\n".to_owned(),
            (false, false) => format!("content-length: {}\r\n", self.body.len()),
            (false, true) => String::new(),
        };
        head.push_str(&format!("host: {addr}\r\nconnection: close\r\n{framing}"));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if self.chunked {
            for chunk in self.body.chunks(self.body.len().div_ceil(2).max(1)) {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(&self.body);
        }
        let mut socket = TcpStream::connect(addr).await.unwrap();
        // A server that has answered early may close before it has read all.
        let _ = socket.write_all(&bytes).await;
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer).await;
        Answer::parse(&answer)
    }
}

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// In their order, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_owned()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self { status, headers, body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The member `code` of the body.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap().to_owned()
    }

    pub fn detail(&self) -> Option<String> {
        self.json()["detail"].as_str().map(str::to_owned)
    }

    /// Asserts that it is a 402 with a fresh challenge and this code.
    #[track_caller]
    pub fn assert_challenge(&self, code: &str) {
        assert_eq!((self.status, self.code().as_str()), (402, code), "{self:?}");
        assert!(self.challenge().is_some(), "{self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.header("x-l402"), None);
    }

    /// Asserts that it is this error, and offers nothing to pay.
    #[track_caller]
    pub fn assert_error(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{self:?}");
        assert_eq!(self.challenge(), None, "{self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.header("content-type"), Some("application/json"));
        let retry = self.header("retry-after").map(|seconds| seconds.parse::<u64>().unwrap());
        assert_eq!(retry.is_some_and(|s| s > 0), matches!(status, 429 | 503), "{self:?}");
    }

    pub fn challenge(&self) -> Option<plannt_core::Challenge> {
        let lines = self.headers.iter().filter(|(name, _)| name == "www-authenticate");
        let lines = lines.map(|(_, value)| value.as_bytes());
        plannt_core::read_challenge(lines, Some(self.body.as_bytes())).unwrap()
    }
}

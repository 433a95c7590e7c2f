//! HTTP/1.1 as bytes: what is sent is exactly what the test wrote, and what comes back is kept as it came.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct Wire {
    pub stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Names as they were spelled.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Wire {
    pub async fn connect(addr: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(addr).await.unwrap(), buffer: Vec::new() }
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// A request with `Host`, and with `Content-Length` where there is a body.
    pub async fn request(&mut self, method: &str, target: &str, headers: &[&str], body: &[u8]) {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: shop.example\r\n");
        for line in headers {
            head += &format!("{line}\r\n");
        }
        if !body.is_empty() {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        self.write(head.as_bytes()).await;
        // A gateway may answer before it has read all of it.
        let _ = self.stream.write_all(body).await;
    }

    pub async fn answer(&mut self) -> Answer {
        self.answer_to("GET").await
    }

    /// The next answer; `method` says whether it has a body.
    pub async fn answer_to(&mut self, method: &str) -> Answer {
        timeout(PATIENCE, self.read_answer(method)).await.expect("an answer in time")
    }

    async fn read_answer(&mut self, method: &str) -> Answer {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.fill().await, "closed before an answer: {:?}", self.seen());
        };
        let head = String::from_utf8(self.buffer.drain(..end).collect()).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").unwrap_or((line.trim_end_matches(':'), "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        if method != "HEAD" && status != 204 && status != 304 {
            answer.body = self.read_body(&answer).await;
        }
        answer
    }

    async fn read_body(&mut self, answer: &Answer) -> Vec<u8> {
        if answer.header("transfer-encoding") == Some("chunked") {
            let mut body = Vec::new();
            loop {
                let size = self.line().await;
                let size = usize::from_str_radix(size.split(';').next().unwrap(), 16).unwrap();
                let chunk = self.exactly(size).await;
                body.extend_from_slice(&chunk);
                if size == 0 {
                    while !self.line().await.is_empty() {}
                    return body;
                }
                assert_eq!(self.line().await, "");
            }
        }
        match answer.header("content-length") {
            Some(length) => self.exactly(length.parse().unwrap()).await,
            None => {
                while self.fill().await {}
                std::mem::take(&mut self.buffer)
            }
        }
    }

    async fn line(&mut self) -> String {
        let end = loop {
            if let Some(at) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                break at;
            }
            assert!(self.fill().await, "closed in a line");
        };
        let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
        String::from_utf8(line[..end].to_vec()).unwrap()
    }

    async fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            assert!(self.fill().await, "closed in a body");
        }
        self.buffer.drain(..count).collect()
    }

    /// Whether anything more came.
    async fn fill(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.buffer).await, Ok(count) if count > 0)
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }

    /// Whether the other side closes without another byte.
    pub async fn is_closed(&mut self) -> bool {
        let more = timeout(PATIENCE, self.fill()).await.expect("closed in time");
        !more && self.buffer.is_empty()
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn header_values(&self, name: &str) -> Vec<String> {
        self.headers
            .iter()
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
            .collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Asserts status and code, and that an error has a detail wherever there is something to say.
    #[track_caller]
    pub fn expect(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
    }
}

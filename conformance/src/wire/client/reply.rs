//! What a played server sends back, piece by piece.

use std::time::Duration;

/// What stands in every delivered body.
pub(super) const DELIVERED: &str = "plannt-conformance: this was bought";

/// Bytes, the pauses between them, and the connection's end.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) pieces: Vec<Vec<u8>>,
    pub(super) pause: Duration,
}

impl Reply {
    /// Any bytes.
    pub(super) fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self { pieces: vec![bytes.into()], pause: Duration::ZERO }
    }

    /// Hangs up without a byte.
    pub(super) fn nothing() -> Self {
        Self { pieces: Vec::new(), pause: Duration::ZERO }
    }

    /// A response with these header lines; lengths are added.
    pub(super) fn new(status: &str, lines: &[String], body: &str) -> Self {
        let mut all = lines.to_vec();
        if !all.iter().any(|line| line.to_ascii_lowercase().starts_with("content-type:")) {
            all.push("Content-Type: application/json".into());
        }
        all.push(format!("Content-Length: {}", body.len()));
        all.push("Connection: close".into());
        Self::bytes(format!("HTTP/1.1 {status}\r\n{}\r\n\r\n{body}", all.join("\r\n")))
    }

    /// A 402 with these `WWW-Authenticate` values.
    pub(super) fn challenge(values: &[String]) -> Self {
        let lines: Vec<_> = values.iter().map(|v| format!("WWW-Authenticate: {v}")).collect();
        Self::new("402 Payment Required", &lines, "{\"error\":\"Payment Required\"}")
    }

    /// A 402 whose challenge is in its body alone.
    pub(super) fn body_challenge(body: &str) -> Self {
        Self::new("402 Payment Required", &[], body)
    }

    /// What was bought.
    pub(super) fn delivered() -> Self {
        Self::delivered_with(&[])
    }

    pub(super) fn delivered_with(lines: &[String]) -> Self {
        Self::new("200 OK", lines, &format!("{{\"result\":\"{DELIVERED}\"}}"))
    }

    pub(super) fn redirect(status: &str, location: &str) -> Self {
        Self::new(status, &[format!("Location: {location}")], "")
    }

    /// The same bytes, some at a time.
    pub(super) fn slowly(self, piece: usize, pause: Duration) -> Self {
        let bytes = self.pieces.concat();
        Self { pieces: bytes.chunks(piece).map(<[u8]>::to_vec).collect(), pause }
    }

    /// The same bytes without the last ones.
    pub(super) fn cut(self, missing: usize) -> Self {
        let mut bytes = self.pieces.concat();
        bytes.truncate(bytes.len().saturating_sub(missing));
        Self::bytes(bytes)
    }
}

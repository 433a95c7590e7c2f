//! The gateway's guard over HTTP/1.1's framing: what it lets by, every reader splits at the same
//! places, however the bytes arrive.

mod wire;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::support::first;
use wire::{GuardedIo, HeadLimits, Protocol, Timers};

const LIMITS: HeadLimits = HeadLimits { head: 2_048, target: 256 };
/// What is read instead of a head that is refused.
const SUBSTITUTE: &[u8] = b"GET / HTTP/1.1\r\n\r\n";

/// Input: a byte that says in what pieces the rest arrives, then all that a client sends.
pub fn run(data: &[u8]) {
    let (piece, stream) = first(data);
    let whole = read(stream, &[stream.len().max(1)]);
    for pieces in [&[1][..], &[usize::from(piece) + 1], &[3, usize::from(piece) + 1, 1]] {
        assert_eq!(read(stream, pieces), whole, "in pieces of {pieces:?}");
    }
    let Outcome { protocol: Some(Http::One), passed, refused, broken } = whole else { return };

    // A reader that knows nothing of the guard finds the same messages.
    let (messages, rest) = split(&passed);
    assert_eq!(refused.len(), messages.len());
    if let Some(at) = refused.iter().position(|refused| *refused) {
        assert_eq!(at, messages.len() - 1, "something is read after a refusal");
        assert_eq!(messages[at].1, SUBSTITUTE.len());
        assert!(passed.ends_with(SUBSTITUTE));
    } else {
        // What passes is what was sent, but for empty lines between messages.
        let mut sent = stream.iter();
        assert!(passed.iter().all(|byte| sent.any(|other| other == byte)));
    }
    // Heads pass whole; only a body may be cut, where the client stops or breaks its framing.
    assert!(!rest.head_is_cut, "half a head went through");
    assert!(!broken || rest.body_is_open, "broken without a body");
}

#[derive(Debug, PartialEq, Eq)]
enum Http {
    One,
    Two,
}

/// What the HTTP library would see.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    protocol: Option<Http>,
    passed: Vec<u8>,
    /// For each request whether it is refused. Which of two problems is told depends on what has arrived.
    refused: Vec<bool>,
    broken: bool,
}

fn read(stream: &[u8], pieces: &[usize]) -> Outcome {
    let hour = Duration::from_secs(3_600);
    // Never looked at: this client has always something to say.
    let timers = Timers { head: hour, idle: hour, body: hour, send: hour };
    let client = Client { stream, pieces, reads: 0 };
    let mut guard = GuardedIo::new(client, LIMITS, timers);
    let exchange = guard.exchange();
    let mut cx = Context::from_waker(Waker::noop());
    let protocol = match Box::pin(guard.sniff()).as_mut().poll(&mut cx) {
        Poll::Ready(protocol) => {
            protocol.expect("memory does not fail").map(|protocol| match protocol {
                Protocol::Http1 => Http::One,
                Protocol::Http2 => Http::Two,
            })
        }
        Poll::Pending => unreachable!("the client has always something to say, or has ended"),
    };
    let mut outcome = Outcome { protocol, passed: Vec::new(), refused: Vec::new(), broken: false };
    if outcome.protocol.is_none() {
        return outcome;
    }
    loop {
        let mut room = [0; 700];
        let mut out = ReadBuf::new(&mut room);
        match Pin::new(&mut guard).poll_read(&mut cx, &mut out) {
            Poll::Ready(Ok(())) if out.filled().is_empty() => break,
            Poll::Ready(Ok(())) => outcome.passed.extend_from_slice(out.filled()),
            Poll::Ready(Err(error)) => {
                assert_eq!(error.kind(), io::ErrorKind::InvalidData);
                outcome.broken = true;
                break;
            }
            // After a refusal the library is kept waiting.
            Poll::Pending => break,
        }
    }
    if outcome.protocol == Some(Http::One) {
        for _ in 0..split(&outcome.passed).0.len() {
            outcome.refused.push(Arc::clone(&exchange).begin().1.is_some());
        }
        let (_, one_more) = exchange.begin();
        assert!(one_more.is_some(), "a request is expected that did not pass");
    }
    outcome
}

/// What is left after the last whole head.
#[derive(Default)]
struct Rest {
    head_is_cut: bool,
    body_is_open: bool,
}

/// Splits what passed as plainly as RFC 9112 has it, with each head's offset and length.
fn split(passed: &[u8]) -> (Vec<(usize, usize)>, Rest) {
    let mut messages = Vec::new();
    let mut rest = Rest::default();
    let mut at = 0;
    while at < passed.len() {
        let Some(len) = head_len(&passed[at..]) else {
            rest.head_is_cut = true;
            break;
        };
        messages.push((at, len));
        let head = &passed[at..at + len];
        let body = &passed[at + len..];
        match body_len(head, body) {
            Some(taken) => at += len + taken,
            None => {
                rest.body_is_open = true;
                break;
            }
        }
    }
    (messages, rest)
}

/// Up to and with the first empty line.
fn head_len(bytes: &[u8]) -> Option<usize> {
    let mut line = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte != b'\n' {
            continue;
        }
        if matches!(&bytes[line..at], b"" | b"\r") && line > 0 {
            return Some(at + 1);
        }
        line = at + 1;
    }
    None
}

/// The body's length on the wire; `None` while it is not whole.
fn body_len(head: &[u8], body: &[u8]) -> Option<usize> {
    let mut lengths = Vec::new();
    let mut codings = Vec::new();
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (line[..colon].to_ascii_lowercase(), line[colon + 1..].trim_ascii());
        match &*name {
            b"content-length" => lengths.push(core::str::from_utf8(value).unwrap().to_owned()),
            b"transfer-encoding" => codings.push(value.to_ascii_lowercase()),
            name => assert!(!name.starts_with(b" ") && !name.ends_with(b" ") && !name.is_empty()),
        }
    }
    match &codings[..] {
        [] => {
            let numbers: Vec<u64> = lengths.iter().map(|text| text.parse().unwrap()).collect();
            assert!(lengths.iter().all(|text| text.bytes().all(|b| b.is_ascii_digit())));
            assert!(numbers.windows(2).all(|pair| pair[0] == pair[1]), "two lengths");
            let len = usize::try_from(numbers.first().copied().unwrap_or(0)).unwrap();
            (body.len() >= len).then_some(len)
        }
        [coding] => {
            assert!(lengths.is_empty(), "a length and a coding");
            assert_eq!(coding, b"chunked");
            chunked_len(body)
        }
        _ => panic!("two codings"),
    }
}

/// Chunk by chunk, each line ended by CRLF alone.
fn chunked_len(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    let line = |at: usize| {
        let len = body[at..].windows(2).position(|two| two == b"\r\n")?;
        Some(&body[at..at + len])
    };
    loop {
        let size = line(at)?;
        assert!(!size.contains(&b'\n') && !size.contains(&b'\r'));
        let digits = size.split(|byte| *byte == b';').next().unwrap();
        let digits = core::str::from_utf8(digits).unwrap();
        assert!(digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digits:?}");
        let len = usize::try_from(u64::from_str_radix(digits, 16).unwrap()).unwrap();
        at += size.len() + 2;
        if len == 0 {
            break;
        }
        if body.len() - at < len.checked_add(2)? {
            return None;
        }
        assert_eq!(&body[at + len..at + len + 2], b"\r\n");
        at += len + 2;
    }
    loop {
        let trailer = line(at)?;
        assert!(!trailer.contains(&b'\n') && !trailer.contains(&b'\r'));
        at += trailer.len() + 2;
        if trailer.is_empty() {
            return Some(at);
        }
    }
}

/// A client whose bytes arrive in pieces of the given sizes, over and over; then it ends.
struct Client<'a> {
    stream: &'a [u8],
    pieces: &'a [usize],
    reads: usize,
}

impl AsyncRead for Client<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let piece = self.pieces[self.reads % self.pieces.len()];
        let (now, later) = self.stream.split_at(piece.min(out.remaining()).min(self.stream.len()));
        out.put_slice(now);
        self.stream = later;
        self.reads += 1;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Client<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

//! The socket as the HTTP library sees it: request heads pass whole, and only once they are judged.
//!
//! A head that can't be taken never reaches the library. In its place goes a harmless one, and the
//! [`Exchange`] tells the service to answer that one with the problem; nothing after it is read
//! as HTTP. So every refusal is an answer with a JSON body, whatever is wrong with the bytes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::buffer::Buffer;
use super::chunked::BodyTracker;
use super::exchange::Exchange;
use super::head::{self, Head, HeadLimits};
use crate::problem::Problem;

/// What a client with HTTP/2 by prior knowledge sends first (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What the library reads where the client's own head was refused.
const SUBSTITUTE: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
/// Unread input that a closing connection still takes, so that the answer is not lost to a reset.
const LINGER_BYTES: usize = 1024 * 1024;
const LINGER: Duration = Duration::from_secs(2);

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timers {
    /// For a whole request head, from its first byte.
    pub(crate) head: Duration,
    /// Between requests, and before the first.
    pub(crate) idle: Duration,
    /// Between two reads of a body.
    pub(crate) body: Duration,
    /// Between two writes, while the client takes nothing.
    pub(crate) send: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

#[derive(Debug)]
enum State {
    Body(BodyTracker),
    /// The body's framing broke: nothing after this can be read.
    Broken(io::ErrorKind),
    Head,
    /// HTTP/2, which frames by itself.
    Raw,
    Refused,
    Sniff,
}

/// What is being waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Body,
    Head,
    Idle,
}

/// A socket whose HTTP/1.1 requests are judged before they can be read.
pub(crate) struct GuardedIo<T> {
    inner: T,
    exchange: Arc<Exchange>,
    limits: HeadLimits,
    timers: Timers,
    state: State,
    buffer: Buffer,
    wait: Option<(Wait, Pin<Box<Sleep>>)>,
    linger: Option<(Pin<Box<Sleep>>, usize)>,
    /// Runs while the client takes nothing of what is written.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> GuardedIo<T> {
    pub(crate) fn new(inner: T, limits: HeadLimits, timers: Timers) -> Self {
        Self {
            inner,
            exchange: Arc::default(),
            limits,
            timers,
            state: State::Sniff,
            buffer: Buffer::new(),
            wait: None,
            linger: None,
            stalled: None,
        }
    }

    pub(crate) fn exchange(&self) -> Arc<Exchange> {
        Arc::clone(&self.exchange)
    }

    /// Reads until it is known which protocol the client speaks; `None` where it said nothing in time.
    pub(crate) async fn sniff(&mut self) -> io::Result<Option<Protocol>> {
        poll_fn(|cx| self.poll_sniff(cx)).await
    }

    fn poll_sniff(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Protocol>>> {
        loop {
            let seen = self.buffer.held();
            if seen.starts_with(PREFACE) {
                self.state = State::Raw;
                return Poll::Ready(Ok(Some(Protocol::Http2)));
            }
            if !PREFACE.starts_with(seen) {
                self.state = State::Head;
                return Poll::Ready(Ok(Some(Protocol::Http1)));
            }
            let wait = if seen.is_empty() { Wait::Idle } else { Wait::Head };
            match self.buffer.poll_fill(cx, &mut self.inner) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(None)),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if self.poll_elapsed(cx, wait) => return Poll::Ready(Ok(None)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Judges what the buffer holds; afterwards either some of it may be read, or more is needed.
    fn judge(&mut self) {
        while self.buffer.passed().is_empty() && !self.buffer.held().is_empty() {
            match &mut self.state {
                State::Head => {
                    // The library skips empty lines before a request; here they end.
                    self.buffer.skip_line_ends();
                    if self.buffer.held().is_empty() {
                        return;
                    }
                    match head::inspect(self.buffer.held(), self.limits) {
                        Head::Complete { len, body } => {
                            self.exchange.pass_head();
                            self.buffer.pass(len);
                            self.state = State::Body(body);
                        }
                        Head::Partial => return,
                        Head::Refused(problem) => self.refuse(problem),
                    }
                }
                State::Body(body) => match body.advance(self.buffer.held()) {
                    Ok(taken) => self.buffer.pass(taken),
                    Err(good) => {
                        self.buffer.pass(good);
                        self.state = State::Broken(io::ErrorKind::InvalidData);
                        return;
                    }
                },
                State::Raw => self.buffer.pass_all(),
                State::Refused => self.buffer.clear(),
                State::Broken(_) | State::Sniff => return,
            }
            self.settle();
        }
        self.settle();
    }

    /// After the last byte of a body comes a head.
    fn settle(&mut self) {
        if matches!(&self.state, State::Body(body) if body.is_done()) {
            self.state = State::Head;
            self.wait = None;
        }
    }

    fn refuse(&mut self, problem: Problem) {
        self.exchange.refuse(problem);
        self.buffer.substitute(SUBSTITUTE);
        self.state = State::Refused;
        self.wait = None;
    }

    /// Whether the client has let the time for `wait` pass. Starts the clock where it does not run.
    fn poll_elapsed(&mut self, cx: &mut Context<'_>, wait: Wait) -> bool {
        if !matches!(&self.wait, Some((current, _)) if *current == wait) {
            let allowed = match wait {
                Wait::Body => self.timers.body,
                Wait::Head => self.timers.head,
                Wait::Idle => self.timers.idle,
            };
            self.wait = Some((wait, Box::pin(sleep_until(Instant::now() + allowed))));
        }
        match &mut self.wait {
            Some((_, sleep)) => sleep.as_mut().poll(cx).is_ready(),
            None => false,
        }
    }

    /// What came of writing; an error once the client has taken nothing for too long. Who does not read its
    /// answers would keep a connection, and its upstream's, for ever.
    fn unless_stalled(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let until = Instant::now() + self.timers.send;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep_until(until)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// What to do while the client sends nothing: `Some` ends the read.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Option<io::Result<()>> {
        let wait = match &self.state {
            State::Body(_) => Wait::Body,
            // An answer is being made: the client has nothing to send.
            State::Head if self.exchange.is_busy_for(cx) => {
                self.wait = None;
                return None;
            }
            State::Head if self.buffer.held().is_empty() => Wait::Idle,
            State::Head => Wait::Head,
            _ => return None,
        };
        if !self.poll_elapsed(cx, wait) {
            return None;
        }
        match wait {
            Wait::Body => {
                self.state = State::Broken(io::ErrorKind::TimedOut);
                Some(Err(io::ErrorKind::TimedOut.into()))
            }
            Wait::Head => {
                self.refuse(Problem::slow("the request head did not arrive in time"));
                None
            }
            // The end of the connection, as if the client had closed it.
            Wait::Idle => Some(Ok(())),
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for GuardedIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if matches!(this.state, State::Raw) && this.buffer.is_empty() {
            return Pin::new(&mut this.inner).poll_read(cx, out);
        }
        loop {
            this.judge();
            let passed = this.buffer.passed();
            if !passed.is_empty() {
                let count = passed.len().min(out.remaining());
                out.put_slice(&passed[..count]);
                this.buffer.consume(count);
                return Poll::Ready(Ok(()));
            }
            if let State::Broken(kind) = this.state {
                return Poll::Ready(Err(kind.into()));
            }
            match this.buffer.poll_fill(cx, &mut this.inner) {
                // After a refusal the library must not take the client's end for its own.
                Poll::Ready(Ok(0)) if matches!(this.state, State::Refused) => return Poll::Pending,
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(_)) => {
                    if matches!(this.state, State::Body(_)) {
                        this.wait = None;
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => match this.poll_overdue(cx) {
                    Some(end) => return Poll::Ready(end),
                    None if this.buffer.passed().is_empty() => return Poll::Pending,
                    None => {}
                },
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for GuardedIo<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.unless_stalled(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bytes);
        self.unless_stalled(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    /// Ends the sending side, then reads on for a moment: a socket that is closed with unread
    /// input resets the connection, and the client may lose an answer that was already written.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            match Pin::new(&mut this.inner).poll_shutdown(cx) {
                Poll::Ready(Ok(())) => {}
                other => return other,
            }
            // Between two requests there is nothing unread.
            if matches!(this.state, State::Head | State::Raw) && this.buffer.is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.linger = Some((Box::pin(sleep_until(Instant::now() + LINGER)), LINGER_BYTES));
        }
        let Some((sleep, left)) = &mut this.linger else { return Poll::Ready(Ok(())) };
        loop {
            this.buffer.clear();
            match this.buffer.poll_fill(cx, &mut this.inner) {
                Poll::Ready(Ok(count)) if count > 0 && count < *left => *left -= count,
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return sleep.as_mut().poll(cx).map(Ok),
            }
        }
    }
}

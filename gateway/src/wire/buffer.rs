//! The bytes between the socket and the HTTP library.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

/// The first size of the buffer; it grows only for heads that need more.
const SIZE: usize = 8 * 1024;

/// Bytes from the client: first those that may be read, then those that are still to be judged.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    judged: usize,
    end: usize,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; SIZE], start: 0, judged: 0, end: 0 }
    }

    pub(super) fn passed(&self) -> &[u8] {
        &self.bytes[self.start..self.judged]
    }

    pub(super) fn held(&self) -> &[u8] {
        &self.bytes[self.judged..self.end]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(super) fn pass(&mut self, count: usize) {
        self.judged += count;
    }

    pub(super) fn pass_all(&mut self) {
        self.judged = self.end;
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        if self.is_empty() {
            self.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        (self.start, self.judged, self.end) = (0, 0, 0);
    }

    /// Drops the line ends at the front of what is held. Only where nothing waits to be read.
    pub(super) fn skip_line_ends(&mut self) {
        let ends = self.held().iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.judged += ends;
        self.start = self.judged;
    }

    /// Puts `bytes` in the place of all that is held, ready to be read.
    pub(super) fn substitute(&mut self, bytes: &[u8]) {
        self.clear();
        self.bytes[..bytes.len()].copy_from_slice(bytes);
        (self.judged, self.end) = (bytes.len(), bytes.len());
    }

    pub(super) fn poll_fill<T: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        inner: &mut T,
    ) -> Poll<io::Result<usize>> {
        if self.end == self.bytes.len() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                self.judged -= self.start;
                self.end -= self.start;
                self.start = 0;
            } else {
                // Bounded: a head above its limit is refused, and a body never waits here.
                self.bytes.resize(self.bytes.len() * 2, 0);
            }
        }
        let mut space = ReadBuf::new(&mut self.bytes[self.end..]);
        match Pin::new(inner).poll_read(cx, &mut space) {
            Poll::Ready(Ok(())) => {
                let count = space.filled().len();
                self.end += count;
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }
}

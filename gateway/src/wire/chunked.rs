//! Where an HTTP/1.1 request body ends.

/// Bytes of extensions and trailers taken from one chunked body.
const MAX_METADATA: usize = 16 * 1024;

/// The framing that a head declared, and how much of the body has gone by.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyTracker {
    Chunked(Chunks),
    /// This many bytes are still to come.
    Length(u64),
}

impl BodyTracker {
    pub(crate) fn chunked() -> Self {
        Self::Chunked(Chunks { state: State::Size { digits: 0 }, left: 0, metadata: 0 })
    }

    /// Whether the whole body has gone by.
    pub(crate) fn is_done(&self) -> bool {
        match self {
            Self::Chunked(chunks) => chunks.state == State::Done,
            Self::Length(left) => *left == 0,
        }
    }

    /// How many of `bytes` belong to the body; fewer than all only where it ends.
    ///
    /// # Errors
    /// The number of good bytes before those that are not chunked framing.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> Result<usize, usize> {
        match self {
            Self::Chunked(chunks) => chunks.advance(bytes),
            Self::Length(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= taken as u64;
                Ok(taken)
            }
        }
    }
}

/// A reader of chunked framing (RFC 9112 §7.1) that takes only its plain form: everything that it
/// lets by, every other reader splits at the same places.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    state: State,
    /// Bytes left of the chunk that is being read.
    left: u64,
    /// Bytes of extensions and trailers so far.
    metadata: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Data,
    DataCr,
    DataLf,
    Done,
    /// After the last chunk's line, at the start of a trailer line or the empty one.
    End,
    EndLf,
    Extension,
    Size {
        digits: u8,
    },
    SizeLf,
    Trailer,
    TrailerLf,
}

impl Chunks {
    fn advance(&mut self, bytes: &[u8]) -> Result<usize, usize> {
        let mut at = 0;
        while at < bytes.len() && self.state != State::Done {
            if self.state == State::Data {
                let taken = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len() - at);
                self.left -= taken as u64;
                at += taken;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
                continue;
            }
            self.state = self.step(bytes[at]).ok_or(at)?;
            at += 1;
        }
        Ok(at)
    }

    /// The state after one byte of framing; `None` where that byte can't stand there.
    fn step(&mut self, byte: u8) -> Option<State> {
        match (self.state, byte) {
            (State::Size { digits }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                // 15 digits hold every length below 2^60: no overflow, and no room for padding.
                if digits == 15 {
                    return None;
                }
                let digit = char::from(byte).to_digit(16)?;
                self.left = self.left * 16 + u64::from(digit);
                Some(State::Size { digits: digits + 1 })
            }
            (State::Size { digits: 1.. }, b';') => Some(State::Extension),
            (State::Size { digits: 1.. }, b'\r') | (State::Extension, b'\r') => Some(State::SizeLf),
            (State::SizeLf, b'\n') if self.left == 0 => Some(State::End),
            (State::SizeLf, b'\n') => Some(State::Data),
            (State::DataCr, b'\r') => Some(State::DataLf),
            (State::DataLf, b'\n') => Some(State::Size { digits: 0 }),
            (State::End, b'\r') => Some(State::EndLf),
            (State::EndLf, b'\n') => Some(State::Done),
            (State::Trailer, b'\r') => Some(State::TrailerLf),
            (State::TrailerLf, b'\n') => Some(State::End),
            (State::Extension | State::End | State::Trailer, b'\t' | 0x20..=0x7e | 0x80..) => {
                self.metadata += 1;
                (self.metadata < MAX_METADATA).then_some(match self.state {
                    State::Extension => State::Extension,
                    _ => State::Trailer,
                })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `bytes` in pieces of `step` and says how many belonged to the body, if all was well.
    fn consumed(bytes: &[u8], step: usize) -> Result<(usize, bool), usize> {
        let mut tracker = BodyTracker::chunked();
        let mut total = 0;
        for piece in bytes.chunks(step) {
            match tracker.advance(piece) {
                Ok(taken) => total += taken,
                Err(good) => return Err(total + good),
            }
            if tracker.is_done() {
                break;
            }
        }
        Ok((total, tracker.is_done()))
    }

    #[test]
    fn a_chunked_body_ends_at_the_same_byte_however_it_is_cut() {
        let body = b"5;name=\"v\"\r\nhello\r\n0A\r\n0123456789\r\n0\r\nx-t: 1\r\n\r\n";
        let mut stream = body.to_vec();
        stream.extend_from_slice(b"GET / HTTP/1.1\r\n");
        for step in 1..stream.len() {
            assert_eq!(consumed(&stream, step), Ok((body.len(), true)), "pieces of {step}");
        }
    }

    #[test]
    fn what_readers_split_differently_is_refused() {
        for bad in [
            &b"\r\n"[..],
            b"5\nhello",
            b"0x5\r\n",
            b"+5\r\n",
            b" 5\r\n",
            b"5 \r\nhello",
            b"5\rhello",
            b"5;a\nhello",
            b"5\r\nhelloX",
            b"5\r\nhello\nX",
            b"fffffffffffffffff\r\n",
            b"0000000000000005\r\n",
            b"0\r\nbad\n\r\n",
            b"0\r\n\nG",
            b"5;\0\r\n",
        ] {
            for step in [1, 3, 64] {
                assert!(consumed(bad, step).is_err(), "{:?}", bad.escape_ascii().to_string());
            }
        }
    }

    #[test]
    fn extensions_and_trailers_are_bounded() {
        let mut body = b"0\r\nx: ".to_vec();
        body.resize(MAX_METADATA + 10, b'a');
        assert!(consumed(&body, 1024).is_err());
    }

    #[test]
    fn a_length_counts_down_over_reads() {
        let mut tracker = BodyTracker::Length(7);
        assert_eq!(tracker.advance(b"12345"), Ok(5));
        assert!(!tracker.is_done());
        assert_eq!(tracker.advance(b"67GET"), Ok(2));
        assert!(tracker.is_done());
        assert!(BodyTracker::Length(0).is_done());
    }
}

//! What happens below HTTP's message layer: the framing of HTTP/1.1 requests is checked on the bytes
//! before the HTTP library sees them, and the spelling of header names is set on the way out.
//!
//! The library forgives what a gateway must not: it drops `Content-Length` silently where a
//! `Transfer-Encoding` is present, so that a message which an intermediary may have read
//! otherwise would look harmless here (docs/PROTOCOL.md §3, "Around the credential").

mod buffer;
mod chunked;
mod exchange;
mod guard;
mod head;
mod spelling;

pub(crate) use exchange::Exchange;
pub(crate) use guard::{GuardedIo, Protocol, Timers};
pub(crate) use head::HeadLimits;
pub(crate) use spelling::Spelling;

//! The gateway's own source files, compiled as they are: its framing has no public interface, and
//! needs none of what the rest of the gateway is made of.
#![allow(dead_code)]

#[path = "../../../gateway/src/wire/buffer.rs"]
mod buffer;
#[path = "../../../gateway/src/wire/chunked.rs"]
mod chunked;
#[path = "../../../gateway/src/wire/exchange.rs"]
mod exchange;
#[path = "../../../gateway/src/wire/guard.rs"]
mod guard;
#[path = "../../../gateway/src/wire/head.rs"]
mod head;

pub(crate) use guard::{GuardedIo, Protocol, Timers};
pub(crate) use head::HeadLimits;

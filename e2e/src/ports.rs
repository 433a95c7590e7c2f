//! Ports for what is killed and started again.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below those that the system gives to clients and to port 0 (from 32,768 on, by default): one of those would be another's when
/// its program is down.
const RANGE: std::ops::Range<u32> = 16_000..32_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port on loopback that nobody listens at, and that this process gives to nobody else.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    // Processes that run at the same time begin at different places.
    let begin = std::process::id().wrapping_mul(97);
    for _ in RANGE {
        let step = begin.wrapping_add(NEXT.fetch_add(1, Ordering::SeqCst)) % RANGE.len() as u32;
        let port = (RANGE.start + step) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free between {} and {}", RANGE.start, RANGE.end);
}

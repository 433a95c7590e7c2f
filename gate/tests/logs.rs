//! What is logged: the codes, and nothing that is worth money.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

mod support;

use std::io;
use std::sync::{Arc, Mutex};

use plannt_core::{Preimage, authorization_value};
use support::http::Ask;
use support::world::World;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_tokens_nor_preimages_are_logged() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let world = World::start().await;
    let ask = Ask::get("/v1/demo");
    let (token, preimage) = world.buy(&ask).await;
    let wrong = Preimage::from_bytes([0x5b; 32]);
    let good = authorization_value(&token, &preimage);
    for line in [
        good.as_str(),
        good.as_str(),
        &authorization_value(&token, &wrong),
        &format!("L402 {token}!{}", *preimage.expose_hex()),
    ] {
        world.send(ask.clone().with(line)).await;
        world.send(Ask::get("/v1/data").with(line)).await;
    }
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for code in
        ["payment_required", "spent", "invalid_credential", "malformed_credential", "out_of_scope"]
    {
        assert!(text.contains(code), "{code} is not in: {text}");
    }
    let bytes = plannt_core::base64::decode(&token).unwrap();
    let signature: String = bytes[bytes.len() - 32..].iter().map(|b| format!("{b:02x}")).collect();
    let secrets = [&token, &token[..40], &*preimage.expose_hex(), &*wrong.expose_hex(), &signature];
    for secret in secrets {
        assert!(!text.contains(secret));
    }
    // As a list of numbers, which is how `Debug` prints bytes.
    let numbers = format!("{:?}", &preimage.expose_bytes()[..4]);
    assert!(!text.contains(numbers.trim_end_matches(']')));
}

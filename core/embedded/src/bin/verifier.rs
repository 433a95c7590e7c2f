//! A lock that opens for who has paid: it verifies one `Authorization` value and says yes or no.
#![no_std]
#![no_main]

use core::hint::black_box;

use plannt_core::{Credential, Keyring, Network, RequestContext, RootKey};

plannt_embedded::firmware!(main);

/// Where a radio would put what it received.
static RECEIVED: &[u8] = b"L402 AgEEbDQwMgJC:00";

fn main() {
    let keyring = Keyring::new(Network::Bitcoin, RootKey::from_bytes(black_box([7; 32])));
    let request = RequestContext {
        now: black_box(1_900_000_000),
        service: "lock",
        tier: 0,
        method: "GET",
        path: "/open",
        query: [0; 32],
        requires_query: false,
        digest: None,
        requires_digest: false,
        lowest_price_msat: black_box(1_000),
        capability: None,
        strict: true,
    };
    let opens = match Credential::from_authorization([black_box(RECEIVED)]) {
        Ok(Some(credential)) => keyring.verify(&credential, &request).is_ok(),
        _ => false,
    };
    if black_box(opens) {
        plannt_embedded::print(c"open\n");
    }
}

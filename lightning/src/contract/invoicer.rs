//! Checks of an [`Invoicer`](crate::Invoicer).

use std::collections::HashSet;
use std::time::Duration;

use lightning_invoice::Bolt11InvoiceDescriptionRef;
use plannt_core::PaymentHash;

use super::{EXPIRY_SECONDS, Fixture, ask, hash_of, issue};
use crate::{InvoiceRequest, InvoiceState};

/// Amount to the unit, description and expiry are exact; a new invoice is open.
pub async fn issue_makes_the_invoice_that_was_asked_for(fixture: &impl Fixture) {
    let invoicer = fixture.invoicer();
    let unit = invoicer.unit_msat();
    for amount_msat in [unit, 21_000, 21_000 + unit, 100_000_000] {
        let invoice = issue(fixture, &ask(amount_msat)).await;
        assert_eq!(invoice.amount_milli_satoshis(), Some(amount_msat));
        assert_eq!(invoice.expiry_time(), Duration::from_secs(EXPIRY_SECONDS.into()));
        let Bolt11InvoiceDescriptionRef::Direct(memo) = invoice.description() else {
            panic!("the description is a hash")
        };
        assert_eq!(memo.to_string(), "contract test");
        let state = invoicer.look_up_invoice(&hash_of(&invoice)).await;
        assert_eq!(state, Ok(InvoiceState::Open));
    }
}

/// One hash is one sale.
pub async fn issue_never_repeats_a_payment_hash(fixture: &impl Fixture) {
    let mut seen = HashSet::new();
    for _ in 0..10 {
        let invoice = issue(fixture, &ask(1_000)).await;
        assert!(seen.insert(hash_of(&invoice)), "a payment hash came twice");
    }
}

/// Without an amount, without time, or with a novel for a memo.
pub async fn issue_refuses_what_no_invoice_can_say(fixture: &impl Fixture) {
    for request in [
        InvoiceRequest { amount_msat: 0, ..ask(1) },
        InvoiceRequest { amount_msat: u64::MAX, ..ask(1) },
        InvoiceRequest { expiry_seconds: 0, ..ask(1_000) },
        InvoiceRequest { memo: "x".repeat(640), ..ask(1_000) },
    ] {
        let error = fixture.invoicer().issue(&request).await.expect_err("a refusal");
        assert_eq!(error.code(), "invalid_request");
    }
}

/// Not an error: it is an answer.
pub async fn an_unknown_invoice_is_not_found(fixture: &impl Fixture) {
    let hash = PaymentHash::from_bytes([0x5a; 32]);
    assert_eq!(fixture.invoicer().look_up_invoice(&hash).await, Ok(InvoiceState::NotFound));
}

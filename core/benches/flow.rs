//! The paying client's flow: all that a call decides, with a journal, a wallet and a server that
//! answer at once.
#![allow(clippy::unwrap_used, dead_code)]

#[path = "../tests/flow/support.rs"]
mod support;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use plannt_core::flow::{
    CredentialState, Event, Flow, Found, Loaded, PaymentResult, Reservation, ResponseFacts, Step,
};
use plannt_core::read_invoice;
use support::{NOW, answer, challenge, invoice_text, policy, preimage, request, stored};

/// Drives a call to its end; says whether that was `Done`.
fn drive(kept: &Found, challenge: &ResponseFacts) -> bool {
    let mut flow = Flow::new(policy(), request(), "wallet".into());
    let mut found = kept.clone();
    loop {
        let event = match flow.next() {
            Step::LoadCredential { .. } => {
                let found = std::mem::replace(&mut found, Found::Nothing);
                Event::Loaded(Loaded { found, budget_left_msat: Some(1_000_000) })
            }
            Step::SendRequest { authorization: None } => Event::Responded(challenge.clone()),
            Step::SendRequest { .. } => Event::Responded(answer(200, Some("spent"))),
            Step::JournalIntent(_) => Event::Reserved(Reservation::Granted),
            Step::Pay(_) => {
                Event::Payment(PaymentResult::Paid { preimage: preimage(1), fee_msat: 7 })
            }
            Step::Commit { .. } | Step::StoreCredential { .. } => Event::Stored,
            Step::Done(_) => return true,
            _ => return false,
        };
        flow.handle(event, NOW).unwrap();
    }
}

fn flow(c: &mut Criterion) {
    let challenge = challenge(1);
    let mut group = c.benchmark_group("flow");
    let kept = Found::Delivered(stored(1, CredentialState::Delivered));
    for (name, found) in [("402, pay, retry", Found::Nothing), ("a kept credential", kept)] {
        assert!(drive(&found, &challenge));
        group.bench_function(name, |b| b.iter(|| drive(black_box(&found), &challenge)));
    }
    // The bulk of it: the invoice's signature gives the payee's key.
    let invoice = invoice_text(1);
    group.bench_function("reading the invoice", |b| b.iter(|| read_invoice(black_box(&invoice))));
    group.finish();
}

criterion_group!(benches, flow);
criterion_main!(benches);

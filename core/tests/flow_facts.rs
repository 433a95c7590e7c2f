//! Without the feature `invoice`, the flow takes the invoice's facts from its driver.
#![cfg(not(feature = "invoice"))]
#![allow(clippy::unwrap_used)]

use plannt_core::flow::{
    BodyFacts, Event, Flow, Found, Loaded, Origin, Policy, RequestFacts, ResponseFacts, Step,
};
use plannt_core::{InvoiceError, InvoiceFacts, Network, PaymentHash, challenge_header};

const NOW: u64 = 1_764_000_000;

fn challenged() -> Flow {
    let request = RequestFacts {
        method: "GET".into(),
        origin: Origin::parse("https://api.example").unwrap(),
        target: "/".into(),
        body: BodyFacts::of(b""),
    };
    let mut flow = Flow::new(Policy::new(Network::Regtest, 100_000), request, "wallet".into());
    flow.handle(nothing(), NOW).unwrap();
    let line = challenge_header("opaque", "lnbcrt1").into_bytes();
    let head = ResponseFacts { status: 402, www_authenticate: vec![line], ..Default::default() };
    flow.handle(Event::Responded(head), NOW).unwrap();
    flow
}

fn nothing() -> Event {
    Event::Loaded(Loaded { found: Found::Nothing, budget_left_msat: None })
}

#[test]
fn the_facts_are_asked_for_and_checked() {
    let mut flow = challenged();
    assert!(matches!(flow.next(), Step::ReadInvoice { bolt11 } if bolt11 == "lnbcrt1"));
    let facts = InvoiceFacts {
        payment_hash: PaymentHash::from_bytes([7; 32]),
        amount_msat: Some(21_000),
        network: Network::Regtest,
        issued_at: NOW,
        expires_at: NOW + 600,
        payee: None,
        description: None,
    };
    flow.handle(Event::InvoiceRead(Ok(facts)), NOW).unwrap();
    flow.handle(nothing(), NOW).unwrap();
    assert!(matches!(flow.next(), Step::JournalIntent(intent) if intent.amount_msat == 21_000));
}

#[test]
fn a_refused_invoice_keeps_its_code() {
    let mut flow = challenged();
    flow.handle(Event::InvoiceRead(Err(InvoiceError::WrongSignature)), NOW).unwrap();
    match flow.next() {
        Step::Refused(refusal) => assert_eq!(refusal.code(), "invoice_wrong_signature"),
        step => panic!("{step:?}"),
    }
}

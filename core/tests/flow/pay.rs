//! How a payment ends.

use plannt_core::flow::{Event, IntentState, LookUp, PaymentResult, Refusal, Step};

use crate::support::*;

#[test]
fn paid_is_journaled_before_anything_is_sent() {
    let mut call = Call::paying(1);
    call.tell(paid(1));
    match call.step() {
        Step::Commit { payment_hash, preimage, fee_msat } => {
            assert!(preimage.proves(&payment_hash));
            assert_eq!((payment_hash, fee_msat), (hash(1), 7));
        }
        step => panic!("{step:?}"),
    }
}

#[test]
fn a_certain_failure_frees_the_reservation_and_ends_the_call() {
    let mut call = Call::paying(1);
    call.tell(Event::Payment(PaymentResult::Failed { failure: "no_route".into() }));
    assert_eq!(call.name(), "Release");
    call.tell(Event::Stored);
    assert_eq!(call.refusal(), Refusal::PaymentFailed { failure: "no_route".into() });
}

#[test]
fn an_unknown_outcome_keeps_the_reservation_and_asks_once() {
    let unknown = || {
        let mut call = Call::paying(1);
        call.tell(Event::Payment(PaymentResult::Unknown));
        assert!(matches!(call.step(), Step::Hold { state: IntentState::Unknown, .. }));
        assert_eq!(call.tell(Event::Stored).name(), "LookUpPayment");
        call
    };
    let mut call = unknown();
    call.tell(Event::LookedUp(LookUp::Unknown)).tell(Event::Stored);
    assert_eq!(call.code(), "payment_unresolved");

    let mut call = unknown();
    call.tell(Event::LookedUp(LookUp::NotFound)).tell(Event::Stored);
    assert_eq!(call.code(), "payment_unresolved");

    // Only the answer was lost.
    let mut call = unknown();
    call.tell(Event::LookedUp(LookUp::Paid { preimage: preimage(1), fee_msat: 7 }));
    assert_eq!(call.tell(Event::Stored).authorization(), Some(credential(1)));

    let mut call = unknown();
    call.tell(Event::LookedUp(LookUp::Failed { failure: "no_route".into() })).tell(Event::Stored);
    assert_eq!(call.code(), "payment_failed");
}

#[test]
fn a_wrong_preimage_is_no_proof() {
    let mut call = Call::paying(1);
    call.tell(paid(2));
    assert!(matches!(call.step(), Step::Hold { state: IntentState::Unknown, .. }));
    assert_eq!(call.tell(Event::Stored).code(), "preimage_mismatch");
}

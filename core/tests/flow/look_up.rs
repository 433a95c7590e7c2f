//! An unresolved payment of an earlier call: only the wallet's answer, or the invoice's expiry, decides.

use plannt_core::flow::{Event, Found, IntentState, LookUp, Refusal, Step};

use crate::support::*;

fn looking() -> Call {
    let mut call = Call::new();
    call.load(Found::Unresolved(intent(1))).load(Found::Unresolved(intent(1)));
    call
}

#[test]
fn paid_is_journaled_and_its_token_is_the_credential() {
    let mut call = looking();
    call.tell(Event::LookedUp(LookUp::Paid { preimage: preimage(1), fee_msat: 7 }));
    assert!(matches!(call.step(), Step::Commit { fee_msat: 7, .. }));
    assert_eq!(call.tell(Event::Stored).authorization(), Some(credential(1)));
}

#[test]
fn failed_frees_the_reservation_and_the_call_begins_anew() {
    let mut call = looking();
    call.tell(Event::LookedUp(LookUp::Failed { failure: "no_route".into() }));
    match call.step() {
        Step::Release { payment_hash, failure } => {
            assert_eq!((payment_hash, failure.as_str()), (hash(1), "no_route"));
        }
        step => panic!("{step:?}"),
    }
    call.tell(Event::Stored);
    assert!(matches!(call.step(), Step::LoadCredential { exclusive: true, .. }));
    assert_eq!(call.load(Found::Nothing).authorization(), None);
}

#[test]
fn not_found_is_failed_only_once_the_invoice_has_expired() {
    let mut call = looking();
    call.now = NOW + EXPIRY - 1;
    call.tell(Event::LookedUp(LookUp::NotFound));
    assert!(matches!(call.step(), Step::Hold { state: IntentState::Unknown, .. }));
    match call.tell(Event::Stored).refusal() {
        Refusal::PaymentUnresolved { payment_hash, invoice_expires_at, .. } => {
            assert_eq!((payment_hash, invoice_expires_at), (hash(1), NOW + EXPIRY));
        }
        refusal => panic!("{refusal}"),
    }

    let mut call = looking();
    call.now = NOW + EXPIRY;
    assert_eq!(call.tell(Event::LookedUp(LookUp::NotFound)).name(), "Release");
}

#[test]
fn in_flight_and_unknown_take_no_new_challenge_however_late() {
    for (answer, state) in
        [(LookUp::InFlight, IntentState::InFlight), (LookUp::Unknown, IntentState::Unknown)]
    {
        let mut call = looking();
        call.now = NOW + 100 * EXPIRY;
        call.tell(Event::LookedUp(answer));
        assert!(matches!(call.step(), Step::Hold { state: held, .. } if held == state));
        assert_eq!(call.tell(Event::Stored).code(), "payment_unresolved");
    }
}

#[test]
fn a_wrong_preimage_stores_nothing_as_paid() {
    let mut call = looking();
    call.tell(Event::LookedUp(LookUp::Paid { preimage: preimage(2), fee_msat: 0 }));
    assert!(matches!(call.step(), Step::Hold { state: IntentState::Unknown, .. }));
    assert_eq!(call.tell(Event::Stored).code(), "preimage_mismatch");
}

//! What earlier calls left comes before anything new.

use plannt_core::flow::{BodyFacts, CredentialState, Event, Found, RequestFacts, Step};

use crate::support::*;

#[test]
fn a_new_request_is_sent_without_a_lock_and_without_a_credential() {
    let mut call = Call::new();
    match call.step() {
        Step::LoadCredential { request: asked, key, exclusive } => {
            assert_eq!((asked, exclusive), (request(), false));
            assert_eq!(key, request().key("wallet"));
        }
        step => panic!("{step:?}"),
    }
    assert_eq!(call.load(Found::Nothing).authorization(), None);
}

#[test]
fn what_is_left_of_an_earlier_call_is_read_again_under_the_lock() {
    for found in
        [Found::Unresolved(intent(1)), Found::Undelivered(stored(1, CredentialState::Undelivered))]
    {
        let mut call = Call::new();
        call.load(found);
        assert!(matches!(call.step(), Step::LoadCredential { exclusive: true, .. }));
        // By then another call may have finished it.
        assert_eq!(call.load(Found::Nothing).authorization(), None);
    }
}

#[test]
fn an_unresolved_payment_is_looked_up_and_nothing_is_sent() {
    let mut call = Call::new();
    call.load(Found::Unresolved(intent(1))).load(Found::Unresolved(intent(1)));
    match call.step() {
        Step::LookUpPayment { payment_hash } => assert_eq!(payment_hash, hash(1)),
        step => panic!("{step:?}"),
    }
}

#[test]
fn an_undelivered_credential_is_sent_first() {
    let mut call = Call::new();
    let found = || Found::Undelivered(stored(1, CredentialState::Undelivered));
    assert_eq!(call.load(found()).load(found()).authorization(), Some(credential(1)));
}

#[test]
fn a_delivered_credential_is_sent_without_a_lock() {
    let mut call = Call::new();
    call.load(Found::Delivered(stored(1, CredentialState::Delivered)));
    assert_eq!(call.authorization(), Some(credential(1)));
}

#[test]
fn a_key_that_another_call_holds_is_busy() {
    let mut call = Call::challenged(1);
    assert!(matches!(call.step(), Step::LoadCredential { exclusive: true, .. }));
    assert_eq!(call.tell(Event::Busy).code(), "busy");
}

#[test]
fn a_credential_that_another_call_bought_meanwhile_is_used_and_nothing_is_paid() {
    let mut call = Call::challenged(1);
    call.load(Found::Delivered(stored(2, CredentialState::Delivered)));
    assert_eq!(call.authorization(), Some(credential(2)));

    let mut call = Call::challenged(1);
    call.load(Found::Undelivered(stored(2, CredentialState::Undelivered)));
    assert_eq!(call.authorization(), Some(credential(2)));

    let mut call = Call::challenged(1);
    assert_eq!(call.load(Found::Unresolved(intent(2))).name(), "LookUpPayment");
}

#[test]
fn a_body_that_is_gone_once_sent_has_no_key() {
    let call = Call::with(policy(), RequestFacts { body: BodyFacts::Once, ..request() });
    assert!(matches!(call.step(), Step::LoadCredential { key: None, exclusive: false, .. }));
}

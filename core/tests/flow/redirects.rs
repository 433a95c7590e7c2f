//! Redirects: the credential never follows one, so what comes after it is another request's answer.

use plannt_core::flow::{CredentialState, Event, Found, ResponseFacts, Step};

use crate::support::*;

fn redirected(facts: ResponseFacts) -> Event {
    Event::Responded(ResponseFacts { redirected: true, ..facts })
}

/// The state that the flow is about to store.
fn stored_state(call: &Call) -> CredentialState {
    match call.step() {
        Step::StoreCredential { state, .. } => state,
        step => panic!("not storing: {step:?}"),
    }
}

#[test]
fn a_redirect_delivers_a_paid_credential_whatever_comes_after_it() {
    for facts in [
        answer(200, None),
        answer(200, Some("spent")),
        answer(404, None),
        answer(500, Some("spent")),
    ] {
        let mut call = Call::presenting(1);
        call.tell(redirected(facts));
        assert_eq!(stored_state(&call), CredentialState::Delivered);
        call.tell(Event::Stored);
        assert_eq!(call.name(), "Done");
    }
}

#[test]
fn a_challenge_after_a_redirect_is_neither_a_loss_nor_paid() {
    let mut call = Call::presenting(1);
    call.tell(redirected(challenge(2)));
    assert_eq!(stored_state(&call), CredentialState::Delivered);
    call.tell(Event::Stored);
    assert_eq!(call.code(), "challenge_after_redirect");

    let found = || Found::Undelivered(stored(1, CredentialState::Undelivered));
    let mut call = Call::new();
    call.load(found()).load(found()).tell(redirected(challenge(2)));
    assert_eq!(stored_state(&call), CredentialState::Delivered);
    call.tell(Event::JournalFailed);
    assert_eq!(call.code(), "challenge_after_redirect");
}

#[test]
fn a_kept_credential_stays_kept_after_a_redirect() {
    for facts in [answer(200, None), answer(200, Some("spent")), answer(500, None)] {
        let mut call = Call::new();
        call.load(Found::Delivered(stored(1, CredentialState::Delivered))).tell(redirected(facts));
        assert_eq!(call.name(), "Done");
    }
    let mut call = Call::new();
    call.load(Found::Delivered(stored(1, CredentialState::Delivered)));
    call.tell(redirected(challenge(2)));
    assert_eq!(call.code(), "challenge_after_redirect");
}

#[test]
fn a_402_without_a_challenge_after_a_redirect_is_handed_back() {
    let mut call = Call::presenting(1);
    call.tell(redirected(answer(402, None))).tell(Event::Body(None));
    assert_eq!(stored_state(&call), CredentialState::Delivered);
    call.tell(Event::Stored);
    match call.step() {
        Step::Done(outcome) => {
            let receipt = outcome.receipt.unwrap();
            assert_eq!(receipt.credential, Some(CredentialState::Delivered));
        }
        step => panic!("{step:?}"),
    }
}

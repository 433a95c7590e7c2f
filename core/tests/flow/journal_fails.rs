//! A journal that fails never leads to a payment, and hides no answer.

use plannt_core::flow::{CredentialState, Event, Found, LookUp, PaymentResult, Step};

use crate::support::*;

#[test]
fn before_the_payment_nothing_is_paid() {
    let mut call = Call::new();
    assert_eq!(call.tell(Event::JournalFailed).code(), "journal");
    let mut call = Call::challenged(1);
    assert_eq!(call.tell(Event::JournalFailed).code(), "journal");
    let mut call = Call::challenged(1);
    assert_eq!(call.load(Found::Nothing).tell(Event::JournalFailed).code(), "journal");
}

#[test]
fn after_the_payment_the_intent_is_left_for_the_next_call() {
    let mut call = Call::paying(1);
    assert_eq!(call.tell(paid(1)).tell(Event::JournalFailed).code(), "journal_after_payment");

    let mut call = Call::paying(1);
    call.tell(Event::Payment(PaymentResult::Unknown)).tell(Event::JournalFailed);
    call.tell(Event::LookedUp(LookUp::InFlight)).tell(Event::JournalFailed);
    assert_eq!(call.code(), "payment_unresolved");

    let mut call = Call::paying(1);
    call.tell(Event::Payment(PaymentResult::Failed { failure: "no_route".into() }));
    assert_eq!(call.tell(Event::JournalFailed).code(), "journal");
}

#[test]
fn an_answer_that_was_paid_for_is_handed_back_all_the_same() {
    let mut call = Call::presenting(1);
    call.respond(answer(200, Some("spent"))).tell(Event::JournalFailed);
    assert!(matches!(call.step(), Step::Done(outcome) if outcome.journal_failed));
}

#[test]
fn a_loss_is_told_all_the_same() {
    let mut call = Call::presenting(1);
    assert_eq!(call.respond(challenge(2)).tell(Event::JournalFailed).code(), "payment_lost");
}

#[test]
fn a_kept_credential_that_cannot_be_dropped_is_not_paid_over() {
    let mut call = Call::new();
    call.load(Found::Delivered(stored(1, CredentialState::Delivered)));
    assert_eq!(call.respond(challenge(2)).tell(Event::JournalFailed).code(), "journal");
}

#[test]
fn an_event_that_answers_nothing_changes_nothing() {
    let mut call = Call::paying(1);
    let before = format!("{:?}", call.flow);
    for event in [Event::Stored, Event::SendFailed, Event::JournalFailed, Event::Busy] {
        assert!(call.flow.handle(event, NOW).is_err());
    }
    assert_eq!(format!("{:?}", call.flow), before);
}

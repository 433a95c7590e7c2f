//! What an answer does to the credential (docs/PROTOCOL.md §5.6).

use plannt_core::flow::{
    BodyFacts, CredentialState, Event, Found, Policy, Refusal, RequestFacts, Step,
};

use crate::support::*;

fn recovered() -> Call {
    recovered_with(policy())
}

fn recovered_with(policy: Policy) -> Call {
    let mut call = Call::with(policy, request());
    let found = || Found::Undelivered(stored(1, CredentialState::Undelivered));
    call.load(found()).load(found());
    call
}

fn kept() -> Call {
    let mut call = Call::new();
    call.load(Found::Delivered(stored(1, CredentialState::Delivered)));
    call
}

/// The state that is written, if any, and then the end.
fn stored_as(mut call: Call, status: u16, x_l402: Option<&str>) -> Option<CredentialState> {
    call.respond(answer(status, x_l402));
    let state = match call.step() {
        Step::StoreCredential { payment_hash, state } => {
            assert_eq!(payment_hash, hash(1));
            call.tell(Event::Stored);
            Some(state)
        }
        _ => None,
    };
    assert_eq!(call.name(), "Done");
    state
}

#[test]
fn spent_ends_it_whatever_the_status() {
    for call in [Call::presenting(1), recovered(), kept()] {
        assert_eq!(stored_as(call, 200, Some("spent")), Some(CredentialState::Spent));
    }
    for call in [Call::presenting(1), recovered(), kept()] {
        assert_eq!(stored_as(call, 500, Some("Spent; at=x")), Some(CredentialState::Spent));
    }
}

#[test]
fn a_2xx_or_3xx_without_spent_is_delivered_and_kept() {
    for (status, x_l402) in
        [(200, None), (200, Some("valid; remaining=3")), (206, None), (302, None)]
    {
        for call in [Call::presenting(1), recovered()] {
            assert_eq!(stored_as(call, status, x_l402), Some(CredentialState::Delivered));
        }
        assert_eq!(stored_as(kept(), status, x_l402), None);
    }
}

#[test]
fn any_other_answer_leaves_it_as_it_is() {
    for (status, x_l402) in
        [(400, None), (401, None), (404, None), (502, Some("unspent")), (503, None)]
    {
        for call in [Call::presenting(1), recovered(), kept()] {
            assert_eq!(stored_as(call, status, x_l402), None);
        }
    }
}

#[test]
fn a_402_to_an_undelivered_credential_is_payment_lost_with_the_receipt() {
    for mut call in [Call::presenting(1), recovered()] {
        call.respond(challenge(2));
        assert!(matches!(call.step(), Step::StoreCredential { state: CredentialState::Lost, .. }));
        match call.tell(Event::Stored).refusal() {
            Refusal::PaymentLost(receipt) => {
                assert_eq!(receipt.payment_hash, hash(1));
                assert_eq!(receipt.paid_msat(), PRICE_MSAT + 7);
            }
            refusal => panic!("{refusal}"),
        }
    }
}

#[test]
fn after_a_loss_it_pays_again_only_when_told_to_and_never_twice_in_one_call() {
    let again = || Policy { pay_after_loss: true, ..policy() };
    let mut call = recovered_with(again());
    call.respond(challenge(2)).tell(Event::Stored);
    assert!(matches!(call.step(), Step::LoadCredential { exclusive: true, .. }));
    assert_eq!(call.load(Found::Nothing).name(), "JournalIntent");

    // This call has paid already.
    let mut call = Call::with(again(), request());
    call.load(Found::Nothing).respond(challenge(1)).load(Found::Nothing);
    call.tell(Event::Reserved(plannt_core::flow::Reservation::Granted));
    call.tell(paid(1)).tell(Event::Stored).respond(challenge(2)).tell(Event::Stored);
    assert_eq!(call.code(), "payment_lost");
}

#[test]
fn a_402_to_a_kept_credential_drops_it_and_the_call_goes_on_as_a_new_one() {
    let mut call = kept();
    call.respond(challenge(2));
    assert!(matches!(call.step(), Step::StoreCredential { state: CredentialState::Dropped, .. }));
    call.tell(Event::Stored).load(Found::Nothing);
    assert!(matches!(call.step(), Step::JournalIntent(intent) if intent.payment_hash == hash(2)));
}

#[test]
fn a_402_without_a_challenge_to_a_kept_credential_begins_the_call_anew() {
    let mut call = kept();
    call.respond(answer(402, None)).tell(Event::Body(None)).tell(Event::Stored);
    assert_eq!(call.authorization(), None);
}

#[test]
fn it_is_handed_back_where_the_body_is_gone() {
    let mut call = Call::with(policy(), RequestFacts { body: BodyFacts::Once, ..request() });
    call.load(Found::Delivered(stored(1, CredentialState::Delivered)));
    call.respond(answer(402, None)).tell(Event::Body(None)).tell(Event::Stored);
    assert_eq!(call.name(), "Done");
}

#[test]
fn an_ambiguous_challenge_to_a_kept_credential_drops_it_and_is_refused() {
    let mut head = challenge(2);
    head.www_authenticate[0].extend_from_slice(b", token=\"x\"");
    let mut call = kept();
    call.respond(head).tell(Event::Stored);
    assert!(call.code().starts_with("challenge_"));
}

#[test]
fn a_call_presents_a_kept_credential_once() {
    let mut call = kept();
    call.respond(challenge(2)).tell(Event::Stored);
    call.load(Found::Delivered(stored(1, CredentialState::Delivered)));
    assert_eq!(call.name(), "JournalIntent");
}

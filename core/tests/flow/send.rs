//! Sending: only a 402 with a complete challenge is acted on.

use plannt_core::flow::{CredentialUse, Event, Found, RequestFacts, ResponseFacts, Step};
use plannt_core::{Scheme, challenge_header};

use crate::support::*;

#[test]
fn any_other_answer_is_handed_back() {
    for status in [200, 204, 301, 400, 401, 403, 404, 500, 503] {
        let mut call = Call::new();
        call.load(Found::Nothing).respond(ResponseFacts { status, ..challenge(1) });
        match call.step() {
            Step::Done(outcome) => assert_eq!(outcome.credential, CredentialUse::None),
            step => panic!("{status}: {step:?}"),
        }
    }
}

#[test]
fn a_402_to_connect_is_a_proxys() {
    let mut call = Call::with(policy(), RequestFacts { method: "CONNECT".into(), ..request() });
    call.load(Found::Nothing).respond(challenge(1));
    assert_eq!(call.name(), "Done");
}

#[test]
fn a_challenge_in_the_header_leaves_the_body_unread() {
    let call = Call::challenged(1);
    assert!(matches!(call.step(), Step::LoadCredential { exclusive: true, .. }));
}

#[test]
fn an_ambiguous_challenge_is_refused_with_its_own_code() {
    let line = challenge_header(&token(1, NOW + 10_000), &Invoice::of(1).text());
    for (line, code) in [
        (line.replace("token=\"", "token=\"x"), "challenge_token_mismatch"),
        (format!("{line}, version=\"0\", invoice=\"x\""), "challenge_repeated_parameter"),
    ] {
        let mut call = Call::new();
        call.load(Found::Nothing).respond(ResponseFacts {
            status: 402,
            www_authenticate: vec![line.into_bytes()],
            ..Default::default()
        });
        assert_eq!(call.code(), code);
    }
}

#[test]
fn the_credential_answers_with_the_challenges_scheme() {
    let mut head = challenge(1);
    head.www_authenticate[0].splice(..4, *b"LSAT");
    let mut call = Call::new();
    call.load(Found::Nothing).respond(head).load(Found::Nothing);
    match call.step() {
        Step::JournalIntent(intent) => assert_eq!(intent.scheme, Scheme::Lsat),
        step => panic!("{step:?}"),
    }
}

#[test]
fn no_answer_before_paying_is_nobodys_money() {
    let mut call = Call::new();
    call.load(Found::Nothing).tell(Event::SendFailed);
    assert!(matches!(call.step(), Step::Unanswered(outcome) if outcome.receipt.is_none()));
}

#[test]
fn no_answer_after_paying_keeps_the_credential_and_names_the_receipt() {
    let mut call = Call::presenting(1);
    call.tell(Event::SendFailed);
    match call.step() {
        Step::Unanswered(outcome) => {
            assert_eq!(outcome.credential, CredentialUse::Bought);
            assert_eq!(outcome.receipt.unwrap().paid_msat(), PRICE_MSAT + 7);
        }
        step => panic!("{step:?}"),
    }
}

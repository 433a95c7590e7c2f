//! A dry run pays nothing, presents nothing, writes nothing.

use plannt_core::flow::{
    CredentialState, Found, Pending, Policy, Quote, RequestFacts, ResponseFacts, Step,
};

use crate::support::*;

fn quote(policy: Policy, found: Found) -> Quote {
    let mut call = Call::dry(policy, request());
    call.load(found);
    assert_eq!(call.authorization(), None);
    match call.respond(challenge(1)).step() {
        Step::Quoted(quote) => quote,
        step => panic!("{step:?}"),
    }
}

#[test]
fn it_shows_the_price_and_the_terms() {
    let quote = quote(policy(), Found::Nothing);
    assert_eq!((quote.amount_msat, quote.max_fee_msat), (PRICE_MSAT, FEE_MSAT));
    assert_eq!((quote.payment_hash, quote.invoice_expires_at), (hash(1), NOW + EXPIRY));
    assert_eq!(quote.valid_until, Some(NOW + 10_000));
    assert_eq!(quote.description.as_deref(), Some("one call"));
    assert_eq!(quote.payee_hex().map(|hex| hex.len()), Some(66));
    assert_eq!((quote.pending, quote.refusal), (None, None));
}

#[test]
fn it_says_why_a_call_would_not_pay() {
    let refused = quote(Policy { max_payment_msat: 1, ..policy() }, Found::Nothing);
    assert_eq!(refused.refusal.map(|r| r.code()), Some("above_limit"));
    assert_eq!(refused.amount_msat, PRICE_MSAT);
}

#[test]
fn it_tells_what_an_earlier_call_left_without_touching_it() {
    let pending = |found| quote(policy(), found).pending;
    assert_eq!(pending(Found::Unresolved(intent(2))), Some(Pending::Unresolved(hash(2))));
    let undelivered = stored(2, CredentialState::Undelivered);
    let receipt = undelivered.receipt.clone();
    assert_eq!(pending(Found::Undelivered(undelivered)), Some(Pending::Undelivered(receipt)));
    let delivered = stored(2, CredentialState::Delivered);
    let receipt = delivered.receipt.clone();
    assert_eq!(pending(Found::Delivered(delivered)), Some(Pending::Delivered(receipt)));
}

#[test]
fn a_free_answer_is_handed_back() {
    let mut call = Call::dry(policy(), request());
    call.load(Found::Nothing).respond(answer(200, None));
    assert_eq!(call.name(), "Done");
}

#[test]
fn an_invoice_without_a_price_has_no_quote() {
    let invoice = Invoice { amount_msat: None, ..Invoice::of(1) };
    let mut call = Call::dry(policy(), request());
    call.load(Found::Nothing).respond(challenge_of("t", &invoice.text()));
    assert_eq!(call.code(), "invoice_no_amount");
}

#[test]
fn a_redirected_challenge_is_quoted_with_its_refusal() {
    let mut call = Call::dry(policy(), RequestFacts { ..request() });
    call.load(Found::Nothing).respond(ResponseFacts { redirected: true, ..challenge(1) });
    match call.step() {
        Step::Quoted(quote) => {
            assert_eq!(quote.refusal.map(|r| r.code()), Some("challenge_after_redirect"));
        }
        step => panic!("{step:?}"),
    }
}

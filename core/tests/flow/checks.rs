//! Each reason of docs/PROTOCOL.md §5 step 3 not to pay, each with its own code.

use lightning_invoice::Currency;
use plannt_core::flow::{
    BodyFacts, Event, FeeLimit, Found, Hosts, Origin, Policy, Refusal, RequestFacts, Reservation,
    ResponseFacts,
};

use crate::support::*;

fn code_of(policy: Policy, request: RequestFacts, head: ResponseFacts) -> &'static str {
    let mut call = Call::with(policy, request);
    call.load(Found::Nothing).respond(head);
    call.code()
}

fn code_of_invoice(invoice: &str) -> &'static str {
    code_of(policy(), request(), challenge_of(&token(1, NOW + 10_000), invoice))
}

fn at(origin: &str) -> RequestFacts {
    RequestFacts { origin: Origin::parse(origin).unwrap(), ..request() }
}

/// Whether the challenge is taken so far that the intent would be written.
fn passes(policy: Policy, request: RequestFacts) -> bool {
    let mut call = Call::with(policy, request);
    call.load(Found::Nothing).respond(challenge(1));
    call.name() == "LoadCredential" && call.load(Found::Nothing).name() == "JournalIntent"
}

#[test]
fn an_invoice_that_does_not_parse() {
    assert_eq!(code_of_invoice("lnbcrt1junk"), "invoice_malformed");
}

#[test]
fn an_invoice_that_is_not_signed_right() {
    let invoice = Invoice { payee_seed: Some(0x43), ..Invoice::of(1) };
    assert_eq!(code_of_invoice(&invoice.text()), "invoice_wrong_signature");
    let mut text = Invoice::of(1).text().into_bytes();
    let last = text.len() - 1;
    text[last] = if text[last] == b'q' { b'p' } else { b'q' };
    assert_eq!(code_of_invoice(&String::from_utf8(text).unwrap()), "invoice_malformed");
}

#[test]
fn an_invoice_without_an_amount() {
    for amount_msat in [None, Some(0)] {
        let invoice = Invoice { amount_msat, ..Invoice::of(1) };
        assert_eq!(code_of_invoice(&invoice.text()), "invoice_no_amount");
    }
}

#[test]
fn an_invoice_that_expired_or_has_too_little_time_left() {
    for (now, expected) in [
        (NOW + EXPIRY, "invoice_expired"),
        (NOW + EXPIRY + 1, "invoice_expired"),
        (NOW + EXPIRY - 1, "invoice_expiring"),
        (NOW + EXPIRY - 29, "invoice_expiring"),
    ] {
        let mut call = Call::new();
        call.now = now;
        call.load(Found::Nothing).respond(challenge(1));
        assert_eq!(call.code(), expected);
    }
    let mut call = Call::new();
    call.now = NOW + EXPIRY - 30;
    assert_eq!(call.load(Found::Nothing).respond(challenge(1)).name(), "LoadCredential");
}

#[test]
fn the_wait_for_the_key_counts_against_the_invoices_time() {
    let mut call = Call::challenged(1);
    call.now = NOW + EXPIRY - 10;
    assert_eq!(call.load(Found::Nothing).code(), "invoice_expiring");
}

#[test]
fn an_invoice_of_another_network() {
    for currency in [Currency::Bitcoin, Currency::BitcoinTestnet, Currency::Signet] {
        let invoice = Invoice { currency, ..Invoice::of(1) };
        assert_eq!(code_of_invoice(&invoice.text()), "wrong_network");
    }
}

#[test]
fn the_limit_of_a_call_counts_amount_and_maximum_fee() {
    let limit = |max_payment_msat| Policy { max_payment_msat, ..policy() };
    assert!(passes(limit(PRICE_MSAT + FEE_MSAT), request()));
    let code = code_of(limit(PRICE_MSAT + FEE_MSAT - 1), request(), challenge(1));
    assert_eq!(code, "above_limit");
    let endless =
        Policy { max_fee: FeeLimit::fixed(u64::MAX), max_payment_msat: u64::MAX, ..policy() };
    assert_eq!(code_of(endless, request(), challenge(1)), "above_limit");
}

#[test]
fn a_wallet_without_a_fee_limit_has_its_worst_case_reserved() {
    let policy = |max_payment_msat| Policy {
        wallet_limits_fee: false,
        worst_case_fee: FeeLimit::fixed(5_000),
        max_payment_msat,
        ..policy()
    };
    assert!(passes(policy(PRICE_MSAT + 5_000), request()));
    assert_eq!(code_of(policy(PRICE_MSAT + 4_999), request(), challenge(1)), "above_limit");
}

#[test]
fn a_budget_with_too_little_left() {
    let needed_msat = PRICE_MSAT + FEE_MSAT;
    let mut call = Call::new();
    call.load_with_budget(needed_msat - 1).respond(challenge(1));
    let left_msat = needed_msat - 1;
    assert_eq!(call.refusal(), Refusal::BudgetExceeded { needed_msat, left_msat });

    // The journal has the last word, inside the transaction that reserves.
    let mut call = Call::new();
    call.load_with_budget(needed_msat).respond(challenge(1)).load_with_budget(needed_msat);
    call.tell(Event::Reserved(Reservation::OverBudget { left_msat: 3 }));
    assert_eq!(call.refusal(), Refusal::BudgetExceeded { needed_msat, left_msat: 3 });
}

#[test]
fn a_host_that_is_not_allowed() {
    let only = |hosts: &[&str]| Policy { allowed_hosts: Hosts::listed(hosts), ..policy() };
    assert_eq!(code_of(only(&["other.example"]), request(), challenge(1)), "host_not_allowed");
    assert_eq!(code_of(only(&[]), request(), challenge(1)), "host_not_allowed");
    assert!(passes(only(&["API.example"]), request()));
    assert!(passes(only(&["*.example"]), request()));
}

#[test]
fn plain_http_only_to_this_machine_onions_and_where_allowed() {
    assert_eq!(code_of(policy(), at("http://api.example"), challenge(1)), "plain_http");
    for origin in ["http://127.0.0.1:8402", "http://[::1]", "http://localhost", "http://x.onion"] {
        assert!(passes(policy(), at(origin)), "{origin}");
    }
    let allowed = Policy { plain_http_hosts: Hosts::listed(["api.example"]), ..policy() };
    assert!(passes(allowed, at("http://api.example")));
}

#[test]
fn a_402_after_a_redirect() {
    let head = ResponseFacts { redirected: true, ..challenge(1) };
    assert_eq!(code_of(policy(), request(), head), "challenge_after_redirect");
}

#[test]
fn a_body_that_cannot_be_sent_again() {
    let once = RequestFacts { body: BodyFacts::Once, ..request() };
    assert_eq!(code_of(policy(), once, challenge(1)), "body_not_replayable");
}

#[test]
fn an_invoice_for_another_token() {
    let head = challenge_of(&token(2, NOW + 10_000), &Invoice::of(1).text());
    assert_eq!(code_of(policy(), request(), head), "payment_hash_mismatch");
}

#[test]
fn a_token_that_expired_already() {
    for valid_until in [NOW - 1, NOW] {
        let head = challenge_of(&token(1, valid_until), &Invoice::of(1).text());
        assert_eq!(code_of(policy(), request(), head), "token_expired");
    }
}

#[test]
fn an_opaque_token_is_paid_for_all_the_same() {
    let mut call = Call::new();
    call.load(Found::Nothing).respond(challenge_of("opaque", &Invoice::of(1).text()));
    assert_eq!(call.load(Found::Nothing).name(), "JournalIntent");
}

#[test]
fn a_token_that_no_header_carries() {
    let head = challenge_of(&"x".repeat(16_001), &Invoice::of(1).text());
    assert_eq!(code_of(policy(), request(), head), "token_unusable");
}

#[test]
fn the_fee_gives_way_to_the_limit_only_where_told_and_never_to_a_budget() {
    let fitted = |max_payment_msat| Policy { fit_fee: true, max_payment_msat, ..policy() };
    assert!(passes(fitted(PRICE_MSAT), request()));
    assert_eq!(code_of(fitted(PRICE_MSAT - 1), request(), challenge(1)), "above_limit");
    let mut call = Call::with(fitted(PRICE_MSAT + FEE_MSAT), request());
    call.load_with_budget(PRICE_MSAT).respond(challenge(1));
    assert_eq!(call.code(), "budget_exceeded");
}

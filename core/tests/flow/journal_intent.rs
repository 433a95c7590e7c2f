//! The intent is written before the wallet hears of it.

use plannt_core::flow::{Event, Found, Reservation, Step};

use crate::support::*;

#[test]
fn it_says_everything_that_recovery_needs() {
    let mut call = Call::challenged(1);
    call.load(Found::Nothing);
    match call.step() {
        Step::JournalIntent(written) => {
            assert_eq!(written.request, request().key("wallet").unwrap());
            assert_eq!(written.payment_hash, hash(1));
            assert_eq!(written.token, token(1, NOW + 10_000));
            assert_eq!(written.invoice, Invoice::of(1).text());
            assert_eq!(written.reservation_msat(), PRICE_MSAT + FEE_MSAT);
            assert_eq!((written.invoice_expires_at, written.created_at), (NOW + EXPIRY, NOW));
        }
        step => panic!("{step:?}"),
    }
}

#[test]
fn only_a_granted_reservation_leads_to_the_wallet() {
    let mut call = Call::challenged(1);
    call.load(Found::Nothing).tell(Event::Reserved(Reservation::Granted));
    assert!(matches!(call.step(), Step::Pay(paying) if paying.payment_hash == hash(1)));
}

#[test]
fn a_payment_hash_is_paid_at_most_once() {
    let mut call = Call::challenged(1);
    call.load(Found::Nothing).tell(Event::Reserved(Reservation::HashKnown));
    assert_eq!(call.code(), "payment_hash_known");
}

#[test]
fn an_unfinished_payment_that_only_the_file_knows_of_stops_it() {
    let mut call = Call::challenged(1);
    call.load(Found::Nothing).tell(Event::Reserved(Reservation::KeyBusy));
    assert_eq!(call.code(), "busy");
}

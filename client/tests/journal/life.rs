//! The life of a payment, over restarts.

use plannt_client::{Budget, CredentialState, IntentState, JournalError};
use plannt_core::Network;
use plannt_core::flow::{Found, Reservation};

use crate::support::*;

#[test]
fn an_intent_comes_back_as_it_was_written() {
    let home = Home::new();
    let written = intent(1, "/a?b=c");
    assert_eq!(reserve(&home.journal(), &written), Reservation::Granted);
    // Opened anew, as after a crash.
    match load(&home.journal(), "/a?b=c") {
        Found::Unresolved(read) => assert!(read == written),
        found => panic!("{found:?}"),
    }
    assert!(matches!(load(&home.journal(), "/a"), Found::Nothing));
    assert_eq!(home.journal().unresolved("wallet").unwrap(), [written]);
    assert_eq!(home.journal().unresolved("other").unwrap(), []);
}

#[test]
fn a_payment_hash_is_written_once_unless_it_certainly_failed() {
    let home = Home::new();
    let journal = home.journal();
    let intents = [intent(1, "/"), intent(1, "/other")];
    assert_eq!(reserve(&journal, &intents[0]), Reservation::Granted);
    assert_eq!(reserve(&journal, &intents[0]), Reservation::HashKnown);
    assert_eq!(reserve(&journal, &intents[1]), Reservation::HashKnown);
    for state in [IntentState::InFlight, IntentState::Unknown] {
        journal.hold(&hash(1), state).unwrap();
        assert_eq!(receipt(&journal, 1).state, state);
        assert_eq!(reserve(&journal, &intents[1]), Reservation::HashKnown);
    }
    journal.release(&hash(1), "no_route", NOW).unwrap();
    assert_eq!(reserve(&journal, &intents[1]), Reservation::Granted);
    journal.commit(&hash(1), &preimage(1), 0, NOW).unwrap();
    assert_eq!(reserve(&journal, &intents[0]), Reservation::HashKnown);
}

#[test]
fn a_key_with_something_unfinished_takes_no_second_intent() {
    let home = Home::new();
    let journal = home.journal();
    assert_eq!(reserve(&journal, &intent(1, "/")), Reservation::Granted);
    assert_eq!(reserve(&journal, &intent(2, "/")), Reservation::KeyBusy);
    journal.commit(&hash(1), &preimage(1), 0, NOW).unwrap();
    assert_eq!(reserve(&journal, &intent(2, "/")), Reservation::KeyBusy);
    journal.store_credential(&hash(1), CredentialState::Spent).unwrap();
    assert_eq!(reserve(&journal, &intent(2, "/")), Reservation::Granted);
}

#[test]
fn only_the_right_preimage_is_stored() {
    let home = Home::new();
    let journal = home.journal();
    reserve(&journal, &intent(1, "/"));
    let wrong = journal.commit(&hash(1), &preimage(2), 0, NOW);
    assert!(matches!(wrong, Err(JournalError::PreimageMismatch)));
    assert_eq!(receipt(&journal, 1).state, IntentState::Intended);
}

#[test]
fn a_paid_credential_is_undelivered_until_it_is_said_to_be_otherwise() {
    let home = Home::new();
    pay(&home.journal(), 1, "/");
    match load(&home.journal(), "/") {
        Found::Undelivered(credential) => {
            assert_eq!(credential.token.as_str(), "token-1");
            assert!(credential.preimage.proves(&hash(1)));
            assert_eq!(credential.receipt, receipt(&home.journal(), 1));
        }
        found => panic!("{found:?}"),
    }
    // Only for its own request key.
    assert!(matches!(load(&home.journal(), "/other"), Found::Nothing));

    let journal = home.journal();
    journal.store_credential(&hash(1), CredentialState::Delivered).unwrap();
    assert!(matches!(load(&journal, "/"), Found::Delivered(_)));
    assert!(matches!(load(&journal, "/other"), Found::Delivered(_)));
    for state in [CredentialState::Spent, CredentialState::Dropped, CredentialState::Lost] {
        journal.store_credential(&hash(1), state).unwrap();
        assert!(matches!(load(&journal, "/"), Found::Nothing));
        assert_eq!(receipt(&journal, 1).credential, Some(state));
    }
}

#[test]
fn the_newest_delivered_credential_comes_first_and_only_for_its_origin() {
    let home = Home::new();
    let journal = home.journal();
    for seed in 1..=2 {
        pay(&journal, seed, "/");
        journal.store_credential(&hash(seed), CredentialState::Delivered).unwrap();
    }
    match load(&journal, "/") {
        Found::Delivered(credential) => assert_eq!(credential.receipt.payment_hash, hash(2)),
        found => panic!("{found:?}"),
    }
    let mut elsewhere = request("/");
    elsewhere.origin = plannt_client::Origin::parse("http://api.example").unwrap();
    let loaded =
        journal.load(&elsewhere, None, Network::Regtest, &Budget::unlimited(), NOW).unwrap();
    assert!(matches!(loaded.found, Found::Nothing));
}

#[test]
fn what_is_paid_stays_paid() {
    let home = Home::new();
    let journal = home.journal();
    pay(&journal, 1, "/");
    journal.release(&hash(1), "no_route", NOW).unwrap();
    journal.hold(&hash(1), IntentState::Unknown).unwrap();
    journal.commit(&hash(1), &preimage(1), 99, NOW + 5).unwrap();
    let receipt = receipt(&journal, 1);
    assert_eq!((receipt.state, receipt.fee_msat), (IntentState::Paid, Some(7)));
    assert_eq!((receipt.settled_at, receipt.failure), (Some(NOW), None));
}

#[test]
fn a_payment_that_was_given_up_and_turns_out_paid_is_charged() {
    let home = Home::new();
    let journal = home.journal();
    reserve(&journal, &intent(1, "/"));
    journal.release(&hash(1), "not_sent", NOW).unwrap();
    journal.commit(&hash(1), &preimage(1), 3, NOW).unwrap();
    assert_eq!(receipt(&journal, 1).charged_msat, AMOUNT_MSAT + 3);
}

#[test]
fn receipts_come_newest_first_and_show_no_secret() {
    let home = Home::new();
    let journal = home.journal();
    for seed in 1..=3 {
        pay(&journal, seed, &format!("/{seed}?key=hidden"));
    }
    let receipts = journal.receipts(2).unwrap();
    assert_eq!(receipts.len(), 2);
    assert_eq!((receipts[0].path(), receipts[1].path()), ("/3", "/2"));
    let text = format!("{receipts:?} {journal:?}");
    assert!(!text.contains(preimage(3).expose_hex().as_str()) && !text.contains("token-3"));
}

#[test]
fn a_payment_that_is_not_there_is_an_error() {
    let home = Home::new();
    let journal = home.journal();
    let unknown = |result| matches!(result, Err(JournalError::Unknown));
    assert!(unknown(journal.commit(&hash(1), &preimage(1), 0, NOW)));
    assert!(unknown(journal.release(&hash(1), "x", NOW)));
    assert!(unknown(journal.hold(&hash(1), IntentState::Unknown)));
    assert!(unknown(journal.store_credential(&hash(1), CredentialState::Spent)));
    assert_eq!(journal.receipt(&hash(1)).unwrap(), None);
}

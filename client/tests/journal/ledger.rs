//! Budgets: reserved with the intent, charged with the true cost.

use plannt_client::{Budget, BudgetRule, Journal};
use plannt_core::Network;
use plannt_core::flow::{Intent, Reservation};
use proptest::prelude::*;

use crate::support::*;

const NEEDED: u64 = AMOUNT_MSAT + FEE_MSAT;

fn total(limit: u64) -> Budget {
    Budget::new([BudgetRule::in_total(limit)])
}

fn left(journal: &Journal, budget: &Budget, now: u64) -> u64 {
    journal.budget_status(Network::Regtest, budget, now).unwrap()[0].left_msat
}

fn at(seed: u32) -> Intent {
    intent(seed, &format!("/{seed}"))
}

#[test]
fn the_reservation_is_amount_and_maximum_fee() {
    let home = Home::new();
    let journal = home.journal();
    let refused = journal.reserve(&at(1), &total(NEEDED - 1), NOW).unwrap();
    assert_eq!(refused, Reservation::OverBudget { left_msat: NEEDED - 1 });
    assert_eq!(journal.receipts(1).unwrap(), []);
    assert_eq!(journal.reserve(&at(1), &total(NEEDED), NOW).unwrap(), Reservation::Granted);
    assert_eq!(left(&journal, &total(NEEDED), NOW), 0);
    journal.commit(&hash(1), &preimage(1), 7, NOW).unwrap();
    assert_eq!(left(&journal, &total(NEEDED), NOW), FEE_MSAT - 7);
}

#[test]
fn a_fee_above_the_reservation_is_charged() {
    let home = Home::new();
    let journal = home.journal();
    journal.reserve(&at(1), &total(NEEDED), NOW).unwrap();
    journal.commit(&hash(1), &preimage(1), 5 * FEE_MSAT, NOW).unwrap();
    let status = journal.budget_status(Network::Regtest, &total(NEEDED), NOW).unwrap()[0];
    assert_eq!((status.spent_msat, status.left_msat), (AMOUNT_MSAT + 5 * FEE_MSAT, 0));
}

#[test]
fn a_window_forgets_what_was_paid_but_never_what_is_not_resolved() {
    let home = Home::new();
    let journal = home.journal();
    let day = Budget::new([BudgetRule::per_day(100_000)]);
    pay(&journal, 1, "/1");
    reserve(&journal, &at(2));
    assert_eq!(left(&journal, &day, NOW), 100_000 - AMOUNT_MSAT - 7 - NEEDED);
    assert_eq!(left(&journal, &day, NOW + 86_400), 100_000 - AMOUNT_MSAT - 7 - NEEDED);
    assert_eq!(left(&journal, &day, NOW + 86_401), 100_000 - NEEDED);
    assert_eq!(left(&journal, &day, NOW + 1_000 * 86_400), 100_000 - NEEDED);
    // Paid in the end, it counts from then on.
    journal.commit(&hash(2), &preimage(2), 7, NOW + 86_400).unwrap();
    assert_eq!(left(&journal, &day, NOW + 2 * 86_400), 100_000 - AMOUNT_MSAT - 7);
    assert_eq!(left(&journal, &day, NOW + 2 * 86_400 + 1), 100_000);
}

#[test]
fn a_clock_that_goes_back_frees_nothing() {
    let home = Home::new();
    let journal = home.journal();
    pay(&journal, 1, "/");
    let day = Budget::new([BudgetRule::per_day(100_000)]);
    assert_eq!(left(&journal, &day, NOW - 1_000_000), 100_000 - AMOUNT_MSAT - 7);
}

#[test]
fn the_shared_rules_and_the_clients_own_both_hold() {
    let home = Home::new();
    home.journal().set_budget(&Budget::new([BudgetRule::per_day(2 * NEEDED)])).unwrap();
    let journal = home.journal();
    let over = |budget: &Budget, seed| {
        !matches!(journal.reserve(&at(seed), budget, NOW).unwrap(), Reservation::Granted)
    };
    assert!(over(&total(NEEDED - 1), 1));
    assert!(!over(&total(NEEDED), 1));
    assert!(!over(&Budget::unlimited(), 2));
    assert!(over(&Budget::unlimited(), 3));
    // A rule is replaced as a whole, and stays over restarts.
    journal.set_budget(&Budget::new([BudgetRule::per_day(3 * NEEDED)])).unwrap();
    let status = home.journal().budget_status(Network::Regtest, &Budget::unlimited(), NOW).unwrap();
    assert_eq!(
        (status.len(), status[0].reserved_msat, status[0].left_msat),
        (1, 2 * NEEDED, NEEDED)
    );
    journal.set_budget(&Budget::unlimited()).unwrap();
    assert!(!over(&Budget::unlimited(), 3));
}

#[test]
fn each_networks_money_is_counted_on_its_own() {
    let home = Home::new();
    let journal = home.journal();
    pay(&journal, 1, "/");
    let status = journal.budget_status(Network::Bitcoin, &total(NEEDED), NOW).unwrap();
    assert_eq!(status[0].left_msat, NEEDED);
}

#[test]
fn no_amount_overflows_into_room() {
    let home = Home::new();
    let journal = home.journal();
    let huge = Intent { amount_msat: u64::MAX, ..at(1) };
    let refused = journal.reserve(&huge, &Budget::unlimited(), NOW).unwrap();
    assert!(matches!(refused, Reservation::OverBudget { .. }));
    reserve(&journal, &at(2));
    journal.commit(&hash(2), &preimage(2), u64::MAX, NOW).unwrap();
    assert_eq!(left(&journal, &total(u64::MAX >> 1), NOW), 0);
    assert!(
        journal
            .reserve(&at(3), &total(u64::MAX >> 1), NOW)
            .is_ok_and(|r| r != Reservation::Granted)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_order_of_events_passes_the_budget(
        events in prop::collection::vec((0..4u8, 0..12u32, 0..2_000u64), 1..40),
        limit in 0..5 * NEEDED,
    ) {
        let home = Home::new();
        let journal = home.journal();
        let budget = total(limit);
        let mut excess = 0;
        for (kind, seed, fee) in events {
            match kind {
                0 => { journal.reserve(&at(seed), &budget, NOW).unwrap(); }
                1 => {
                    let before = journal.receipt(&hash(seed)).unwrap();
                    if journal.commit(&hash(seed), &preimage(seed), fee, NOW).is_ok()
                        && before.is_some_and(|r| r.state.is_unresolved())
                    {
                        excess += fee.saturating_sub(FEE_MSAT);
                    }
                }
                2 => {
                    let failed = |r: plannt_client::Receipt| r.state.is_unresolved();
                    if journal.receipt(&hash(seed)).unwrap().is_some_and(failed) {
                        journal.release(&hash(seed), "x", NOW).unwrap();
                    }
                }
                _ => { let _ = journal.hold(&hash(seed), plannt_client::IntentState::Unknown); }
            }
            // A failed payment that turns out paid is charged whatever the budget says; leave those out.
            let status = journal.budget_status(Network::Regtest, &budget, NOW).unwrap()[0];
            let receipts = journal.receipts(100).unwrap();
            let charged: u64 = receipts.iter().map(|r| r.charged_msat).sum();
            prop_assert_eq!(status.spent_msat + status.reserved_msat, charged);
            let revived: u64 = receipts
                .iter()
                .filter(|r| r.state == plannt_client::IntentState::Paid)
                .map(|r| r.charged_msat)
                .sum();
            prop_assert!(charged <= limit + excess || charged <= limit + revived);
            for receipt in receipts.iter().filter(|r| r.state.is_unresolved()) {
                prop_assert_eq!(receipt.charged_msat, NEEDED);
            }
        }
    }
}

#[test]
fn a_session_counts_what_is_paid_in_it_alone() {
    let home = Home::new();
    let before = home.journal();
    pay(&before, 1, "/1");
    let session = home.journal().with_session(2 * NEEDED - 1).unwrap();
    let left = |journal: &Journal| journal.session_status(Network::Regtest).unwrap().unwrap();
    assert_eq!(left(&session).left_msat, 2 * NEEDED - 1);
    assert_eq!(reserve(&session, &at(2)), Reservation::Granted);
    assert_eq!(left(&session).reserved_msat, NEEDED);
    assert_eq!(reserve(&session, &at(3)), Reservation::OverBudget { left_msat: NEEDED - 1 });
    let request = request("/3");
    let loaded = session.load(&request, None, Network::Regtest, &Budget::unlimited(), NOW).unwrap();
    assert_eq!(loaded.budget_left_msat, Some(NEEDED - 1));
    // Others go on, and the session does not see it.
    pay(&before, 4, "/4");
    session.commit(&hash(2), &preimage(2), 7, NOW).unwrap();
    assert_eq!(left(&session).spent_msat, AMOUNT_MSAT + 7);
    assert_eq!(reserve(&session, &at(3)), Reservation::Granted);
    session.release(&hash(3), "no_route", NOW).unwrap();
    assert_eq!(left(&session).left_msat, 2 * NEEDED - 1 - AMOUNT_MSAT - 7);
    // The user's own rules hold all the same, and the next session begins anew.
    let refused = session.reserve(&at(5), &total(NEEDED), NOW).unwrap();
    assert!(matches!(refused, Reservation::OverBudget { .. }));
    assert_eq!(left(&home.journal().with_session(9).unwrap()).left_msat, 9);
    assert_eq!(before.session_status(Network::Regtest).unwrap(), None);
}

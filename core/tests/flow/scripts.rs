//! Scripts of arbitrary events, from a driver, a server and a wallet that may all lie: what holds, holds.

use std::collections::BTreeSet;

use plannt_core::flow::{
    CredentialState, Event, Found, Loaded, LookUp, PaymentResult, Policy, Reservation, Step,
};
use plannt_core::{PaymentHash, Preimage};
use proptest::prelude::*;

use crate::support::*;

/// The hashes that a script's server, journal and wallet know.
const SEEDS: u8 = 3;

fn found() -> impl Strategy<Value = Found> {
    (0..4u8, 1..=SEEDS).prop_map(|(kind, seed)| match kind {
        0 => Found::Unresolved(intent(seed)),
        1 => Found::Undelivered(stored(seed, CredentialState::Undelivered)),
        2 => Found::Delivered(stored(seed, CredentialState::Delivered)),
        _ => Found::Nothing,
    })
}

fn event() -> impl Strategy<Value = Event> {
    let seed = 1..=SEEDS;
    prop_oneof![
        Just(Event::Stored),
        Just(Event::SendFailed),
        Just(Event::Busy),
        Just(Event::JournalFailed),
        Just(Event::Body(None)),
        (found(), prop::option::of(0..50_000u64)).prop_map(|(found, budget_left_msat)| {
            Event::Loaded(Loaded { found, budget_left_msat })
        }),
        seed.clone().prop_map(|seed| Event::Responded(challenge(seed))),
        (prop_oneof![Just(200u16), Just(302), Just(402), Just(500)], any::<bool>())
            .prop_map(|(status, spent)| Event::Responded(answer(status, spent.then_some("spent")))),
        prop_oneof![
            Just(Reservation::Granted),
            Just(Reservation::HashKnown),
            Just(Reservation::KeyBusy),
            (0..50_000u64).prop_map(|left_msat| Reservation::OverBudget { left_msat }),
        ]
        .prop_map(Event::Reserved),
        (0..3u8, seed.clone(), 0..9_000u64).prop_map(|(kind, seed, fee_msat)| {
            Event::Payment(match kind {
                0 => PaymentResult::Failed { failure: "no_route".into() },
                1 => PaymentResult::Paid { preimage: preimage(seed), fee_msat },
                _ => PaymentResult::Unknown,
            })
        }),
        (0..5u8, seed, 0..9_000u64).prop_map(|(kind, seed, fee_msat)| {
            Event::LookedUp(match kind {
                0 => LookUp::Failed { failure: "no_route".into() },
                1 => LookUp::InFlight,
                2 => LookUp::NotFound,
                3 => LookUp::Paid { preimage: preimage(seed), fee_msat },
                _ => LookUp::Unknown,
            })
        }),
    ]
}

/// Raw material for an event that answers the step at hand, so that scripts come far.
#[derive(Clone, Copy, Debug)]
struct Choice {
    kind: u8,
    seed: u8,
    msat: u64,
}

fn choice() -> impl Strategy<Value = Choice> {
    (any::<u8>(), 1..=SEEDS, 0..50_000u64).prop_map(|(kind, seed, msat)| Choice {
        kind,
        seed,
        msat,
    })
}

impl Choice {
    fn answer_to(self, step: &Step) -> Option<Event> {
        let Self { kind, seed, msat } = self;
        let often = kind % 4 != 0;
        Some(match step {
            Step::LoadCredential { .. } => Event::Loaded(Loaded {
                found: match kind % 8 {
                    0 => Found::Unresolved(intent(seed)),
                    1 => Found::Undelivered(stored(seed, CredentialState::Undelivered)),
                    2 => Found::Delivered(stored(seed, CredentialState::Delivered)),
                    _ => Found::Nothing,
                },
                budget_left_msat: (kind >= 192).then_some(msat),
            }),
            Step::SendRequest { .. } if often => Event::Responded(challenge(seed)),
            Step::SendRequest { .. } => {
                Event::Responded(answer([200, 402, 500][seed as usize - 1], None))
            }
            Step::JournalIntent(_) if often => Event::Reserved(Reservation::Granted),
            Step::JournalIntent(_) => Event::Reserved(Reservation::OverBudget { left_msat: msat }),
            Step::Pay(intent) => Event::Payment(match kind % 4 {
                0 => PaymentResult::Failed { failure: "no_route".into() },
                1 => PaymentResult::Unknown,
                2 => PaymentResult::Paid { preimage: preimage(seed), fee_msat: msat },
                _ => PaymentResult::Paid {
                    preimage: preimage_of(&intent.payment_hash),
                    fee_msat: msat,
                },
            }),
            Step::LookUpPayment { payment_hash } => Event::LookedUp(match kind % 6 {
                0 => LookUp::Failed { failure: "no_route".into() },
                1 => LookUp::InFlight,
                2 => LookUp::NotFound,
                3 => LookUp::Unknown,
                4 => LookUp::Paid { preimage: preimage(seed), fee_msat: msat },
                _ => LookUp::Paid { preimage: preimage_of(payment_hash), fee_msat: msat },
            }),
            Step::ReadBody { .. } => Event::Body(None),
            Step::Commit { .. }
            | Step::Hold { .. }
            | Step::Release { .. }
            | Step::StoreCredential { .. } => {
                if kind == 0 {
                    Event::JournalFailed
                } else {
                    Event::Stored
                }
            }
            _ => return None,
        })
    }
}

fn preimage_of(payment_hash: &PaymentHash) -> Preimage {
    (1..=SEEDS).map(preimage).find(|p| p.proves(payment_hash)).unwrap()
}

/// What a flow has done so far, and whether it was allowed to.
#[derive(Default)]
struct Watch {
    payments: u32,
    budget_left_msat: Option<u64>,
    /// Payments whose outcome the wallet has not told.
    unresolved: BTreeSet<[u8; 32]>,
    /// Payments that are proven and journaled.
    proven: BTreeSet<[u8; 32]>,
}

impl Watch {
    fn step(&mut self, step: &Step, policy: &Policy) {
        match step {
            Step::Pay(intent) => {
                self.payments += 1;
                assert_eq!(self.payments, 1, "a flow pays at most once");
                self.unresolved.insert(*intent.payment_hash.as_bytes());
            }
            Step::JournalIntent(intent) => {
                let needed = intent.reservation_msat();
                assert!(needed <= policy.max_payment_msat);
                assert!(self.budget_left_msat.is_none_or(|left| needed <= left));
                assert_eq!(self.payments, 0, "nothing is reserved for a second payment");
            }
            Step::Commit { payment_hash, preimage, .. } => {
                assert!(preimage.proves(payment_hash), "only a proof is stored");
            }
            Step::Release { payment_hash, .. } => {
                let hash = payment_hash.as_bytes();
                assert!(
                    !self.unresolved.contains(hash),
                    "an unknown outcome keeps its reservation"
                );
            }
            Step::SendRequest { authorization: Some(value) } => {
                let sent = (1..=SEEDS).find(|seed| value.expose() == credential(*seed)).unwrap();
                assert!(self.proven.contains(hash(sent).as_bytes()), "journaled before it is sent");
            }
            _ => {}
        }
    }

    /// What an accepted event means.
    fn event(&mut self, step: &Step, event: &Event, now: u64) {
        match (step, event) {
            (_, Event::Loaded(loaded)) => {
                self.budget_left_msat = loaded.budget_left_msat;
                match &loaded.found {
                    Found::Delivered(credential) | Found::Undelivered(credential) => {
                        self.proven.insert(*credential.receipt.payment_hash.as_bytes());
                    }
                    Found::Unresolved(intent) => {
                        self.unresolved.insert(*intent.payment_hash.as_bytes());
                    }
                    _ => {}
                }
            }
            (Step::Pay(intent), Event::Payment(PaymentResult::Failed { .. })) => {
                self.unresolved.remove(intent.payment_hash.as_bytes());
            }
            (Step::LookUpPayment { payment_hash }, Event::LookedUp(answer)) => {
                let failed = match answer {
                    LookUp::Failed { .. } => true,
                    LookUp::NotFound => now >= NOW + EXPIRY,
                    _ => false,
                };
                if failed {
                    self.unresolved.remove(payment_hash.as_bytes());
                }
            }
            (Step::Commit { payment_hash, .. }, Event::Stored) => {
                self.unresolved.remove(payment_hash.as_bytes());
                self.proven.insert(*payment_hash.as_bytes());
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_script_makes_it_pay_twice_store_unproven_or_pass_a_limit(
        script in prop::collection::vec((choice(), prop::option::weighted(0.2, event()), 0..EXPIRY / 40), 0..30),
        pay_after_loss in any::<bool>(),
        max_payment_msat in prop_oneof![Just(100_000), 0..50_000u64],
    ) {
        let policy = Policy { pay_after_loss, max_payment_msat, ..policy() };
        let mut call = Call::with(policy.clone(), request());
        let mut watch = Watch::default();
        watch.step(&call.step(), &policy);
        for (choice, stray, later) in script {
            call.now += later;
            let step = call.step();
            // A stray event answers the step or changes nothing.
            for event in stray.into_iter().chain(choice.answer_to(&step)) {
                let before = format!("{:?}", call.step());
                match call.flow.handle(event.clone(), call.now) {
                    Ok(()) => {
                        watch.event(&step, &event, call.now);
                        watch.step(&call.step(), &policy);
                        break;
                    }
                    Err(_) => prop_assert_eq!(format!("{:?}", call.step()), before),
                }
            }
        }
    }

    #[test]
    fn no_script_makes_a_dry_run_pay_present_or_write(
        script in prop::collection::vec((choice(), prop::option::weighted(0.2, event())), 0..12),
    ) {
        let mut call = Call::dry(policy(), request());
        for (choice, stray) in script {
            for event in stray.into_iter().chain(choice.answer_to(&call.step())) {
                let _ = call.flow.handle(event, call.now);
            }
            let harmless = matches!(
                call.step(),
                Step::LoadCredential { exclusive: false, .. }
                    | Step::SendRequest { authorization: None }
                    | Step::ReadBody { .. }
                    | Step::Done(_)
                    | Step::Quoted(_)
                    | Step::Refused(_)
                    | Step::Unanswered(_)
            );
            prop_assert!(harmless, "{:?}", call.step());
        }
    }
}

//! The embedded store against a model of a few lines, over arbitrary steps.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use plannt_core::PaymentHash;
use plannt_gate::{
    AttemptId, PairId, SpendOutcome, SpendStore, SqliteOptions, SqliteStore, StoreError,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Prune { now: u64 },
    Release { hash: u8, attempt: u8 },
    Reopen,
    Spend { hash: u8, attempt: u8, uses: u32, keep_until: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let (hash, attempt, time) = (0_u8..3, 0_u8..5, 0_u64..40);
    prop_oneof![
        1 => time.clone().prop_map(|now| Step::Prune { now }),
        3 => (hash.clone(), attempt.clone())
            .prop_map(|(hash, attempt)| Step::Release { hash, attempt }),
        1 => Just(Step::Reopen),
        8 => (hash, attempt, 0_u32..5, time).prop_map(|(hash, attempt, uses, keep_until)| {
            Step::Spend { hash, attempt, uses, keep_until }
        }),
    ]
}

#[derive(Default)]
struct Model {
    entries: BTreeMap<u8, (BTreeSet<u8>, u64)>,
    pruned_before: u64,
}

impl Model {
    fn spend(
        &mut self,
        hash: u8,
        attempt: u8,
        uses: u32,
        keep_until: u64,
    ) -> Result<SpendOutcome, StoreError> {
        if keep_until < self.pruned_before {
            return Err(StoreError::ClockSkew);
        }
        if let Some((_, until)) = self.entries.get_mut(&hash) {
            *until = (*until).max(keep_until);
        }
        let taken = self.entries.get(&hash).map_or(0, |(attempts, _)| attempts.len()) as u32;
        let there = self.entries.get(&hash).is_some_and(|(a, _)| a.contains(&attempt));
        if there {
            return Ok(SpendOutcome::Granted { remaining: uses.saturating_sub(taken) });
        }
        if taken >= uses {
            return Ok(SpendOutcome::Refused);
        }
        self.entries.entry(hash).or_insert((BTreeSet::new(), keep_until)).0.insert(attempt);
        Ok(SpendOutcome::Granted { remaining: uses - taken - 1 })
    }

    fn release(&mut self, hash: u8, attempt: u8) -> bool {
        let Some((attempts, _)) = self.entries.get_mut(&hash) else { return false };
        let removed = attempts.remove(&attempt);
        if attempts.is_empty() {
            self.entries.remove(&hash);
        }
        removed
    }

    fn prune(&mut self, now: u64) -> u64 {
        let before = self.entries.len();
        self.entries.retain(|_, (_, until)| *until >= now);
        let deleted = before - self.entries.len();
        if deleted > 0 {
            self.pruned_before = self.pruned_before.max(now);
        }
        deleted as u64
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_the_model_does(steps in proptest::collection::vec(step(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let (path, pair) = (folder.path().join("spends.sqlite"), PairId::random());
        SqliteStore::create(&path, &pair).unwrap();
        let options = SqliteOptions { prune_interval: None, ..SqliteOptions::default() };
        let open = || Some(SqliteStore::open(&path, &pair, options).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (mut store, mut model) = (open(), Model::default());
        for step in steps {
            let open_store = store.as_ref().unwrap();
            match step {
                Step::Prune { now } => {
                    prop_assert_eq!(runtime.block_on(open_store.prune(now)), Ok(model.prune(now)));
                }
                Step::Release { hash, attempt } => {
                    let (key, id) = ids(hash, attempt);
                    let released = runtime.block_on(open_store.release(&key, &id));
                    prop_assert_eq!(released, Ok(model.release(hash, attempt)));
                }
                Step::Reopen => {
                    drop(store.take());
                    store = open();
                }
                Step::Spend { hash, attempt, uses, keep_until } => {
                    let (key, id) = ids(hash, attempt);
                    let outcome = runtime.block_on(open_store.spend(&key, &id, uses, keep_until));
                    prop_assert_eq!(outcome, model.spend(hash, attempt, uses, keep_until));
                }
            }
            let entries = runtime.block_on(store.as_ref().unwrap().entries());
            prop_assert_eq!(entries, Ok(model.entries.len() as u64));
        }
    }
}

fn ids(hash: u8, attempt: u8) -> (PaymentHash, AttemptId) {
    (PaymentHash::from_bytes([hash; 32]), AttemptId::from_bytes([attempt; 16]))
}

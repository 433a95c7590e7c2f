//! What every [`SpendStore`] has to do, as tests that each implementation runs.
//!
//! Implement [`StoreFixture`] and call [`spend_store_contract_tests!`](crate::spend_store_contract_tests)
//! in a test module of a crate that has `tokio` with its macros.

use std::sync::Arc;

use async_trait::async_trait;
use plannt_core::PaymentHash;

use crate::{AttemptId, SpendOutcome, SpendStore};

/// A store under test, with data of its own.
#[async_trait]
pub trait StoreFixture: Send + Sync {
    /// An empty store.
    async fn start() -> Self
    where
        Self: Sized;

    /// A handle of its own over the same data, as another replica or process has.
    async fn handle(&self) -> Arc<dyn SpendStore>;

    /// Deletes what the store would delete if its clock said `now` (unix seconds).
    async fn delete_expired(&self, now: u64);
}

/// Makes a `#[tokio::test]` of each function of [`contract`](crate::contract), for a
/// [`StoreFixture`].
#[macro_export]
macro_rules! spend_store_contract_tests {
    ($fixture:ty) => {
        $crate::spend_store_contract_tests!(
            @each $fixture:
            an_attempt_reads_its_outcome_back
            attempts_of_one_hash_share_its_uses
            concurrent_attempts_win_exactly_the_uses
            entries_are_kept_until_their_time
            handles_share_one_store
            only_the_attempt_itself_is_released
            the_latest_time_counts
            the_narrower_limit_counts_all_uses
            what_is_granted_outlives_its_handle
        );
    };
    (@each $fixture:ty: $($name:ident)*) => {$(
        #[tokio::test]
        async fn $name() {
            let fixture = <$fixture as $crate::contract::StoreFixture>::start().await;
            $crate::contract::$name(&fixture).await;
        }
    )*};
}

/// Far enough ahead that no machine's clock deletes it.
const LATER: u64 = 4_000_000_000;

fn hash(n: u8) -> PaymentHash {
    PaymentHash::from_bytes([n; 32])
}

async fn spend(store: &dyn SpendStore, n: u8, attempt: &AttemptId, uses: u32) -> Option<u32> {
    spend_until(store, n, attempt, uses, LATER).await
}

/// The uses that are left, or `None` when refused.
async fn spend_until(
    store: &dyn SpendStore,
    n: u8,
    attempt: &AttemptId,
    uses: u32,
    keep_until: u64,
) -> Option<u32> {
    match store.spend(&hash(n), attempt, uses, keep_until).await.expect("the store works") {
        SpendOutcome::Granted { remaining } => Some(remaining),
        SpendOutcome::Refused => None,
    }
}

async fn release(store: &dyn SpendStore, n: u8, attempt: &AttemptId) -> bool {
    store.release(&hash(n), attempt).await.expect("the store works")
}

/// Each attempt takes one use, and no more than there are.
pub async fn attempts_of_one_hash_share_its_uses(fixture: &dyn StoreFixture) {
    let store = &*fixture.handle().await;
    let new = AttemptId::random;
    assert_eq!(spend(store, 1, &new(), 1).await, Some(0));
    assert_eq!(spend(store, 1, &new(), 1).await, None);
    for left in [2, 1, 0] {
        assert_eq!(spend(store, 2, &new(), 3).await, Some(left));
    }
    assert_eq!(spend(store, 2, &new(), 3).await, None);
    assert_eq!(spend(store, 3, &new(), 0).await, None, "no uses");
    assert_eq!(spend(store, 3, &new(), 1).await, Some(0), "a refusal takes nothing");
}

/// The same attempt again has the same outcome, and counts once.
pub async fn an_attempt_reads_its_outcome_back(fixture: &dyn StoreFixture) {
    let store = &*fixture.handle().await;
    let (first, second, third) = (AttemptId::random(), AttemptId::random(), AttemptId::random());
    assert_eq!(spend(store, 1, &first, 2).await, Some(1));
    assert_eq!(spend(store, 1, &first, 2).await, Some(1));
    assert_eq!(spend(store, 1, &second, 2).await, Some(0));
    assert_eq!(spend(store, 1, &first, 2).await, Some(0), "granted, and none are left now");
    assert_eq!(spend(store, 1, &third, 2).await, None);
    assert_eq!(spend(store, 1, &third, 2).await, None);
    assert_eq!(spend(store, 2, &first, 1).await, Some(0), "attempts belong to their hash");
}

/// Of many at once, over several handles, exactly as many win as there are uses.
pub async fn concurrent_attempts_win_exactly_the_uses(fixture: &dyn StoreFixture) {
    let handles = [fixture.handle().await, fixture.handle().await];
    for (n, uses) in [(1, 1), (2, 7)] {
        let mut tasks = Vec::new();
        for task in 0..64 {
            let store = handles[task % 2].clone();
            tasks.push(tokio::spawn(
                async move { spend(&*store, n, &AttemptId::random(), uses).await },
            ));
        }
        let mut left = Vec::new();
        for task in tasks {
            left.extend(task.await.expect("no panic"));
        }
        left.sort_unstable();
        assert_eq!(left, (0..uses).collect::<Vec<_>>());
    }
}

/// A release takes one attempt off, and never another's.
pub async fn only_the_attempt_itself_is_released(fixture: &dyn StoreFixture) {
    let store = &*fixture.handle().await;
    let (first, second, third) = (AttemptId::random(), AttemptId::random(), AttemptId::random());
    assert!(!release(store, 1, &first).await, "nothing is there");
    assert_eq!(spend(store, 1, &first, 2).await, Some(1));
    assert_eq!(spend(store, 1, &second, 2).await, Some(0));
    assert!(!release(store, 1, &third).await);
    assert!(!release(store, 2, &first).await, "attempts belong to their hash");
    assert_eq!(spend(store, 1, &third, 2).await, None, "nothing was given back");
    assert!(release(store, 1, &first).await);
    assert!(!release(store, 1, &first).await);
    assert_eq!(spend(store, 1, &third, 2).await, Some(0));
    assert_eq!(spend(store, 1, &first, 2).await, None, "it was given back");
    assert!(release(store, 1, &second).await && release(store, 1, &third).await);
    assert_eq!(spend(store, 1, &first, 2).await, Some(1), "as if it were new");
}

/// A holder who narrowed the uses is held to that, against all uses of the payment.
pub async fn the_narrower_limit_counts_all_uses(fixture: &dyn StoreFixture) {
    let store = &*fixture.handle().await;
    let new = AttemptId::random;
    assert_eq!(spend(store, 1, &new(), 3).await, Some(2));
    assert_eq!(spend(store, 1, &new(), 1).await, None);
    assert_eq!(spend(store, 1, &new(), 2).await, Some(0));
    assert_eq!(spend(store, 1, &new(), 3).await, Some(0));
    assert_eq!(spend(store, 1, &new(), 3).await, None);
}

/// Entries are deleted after their time and not before.
pub async fn entries_are_kept_until_their_time(fixture: &dyn StoreFixture) {
    let store = &*fixture.handle().await;
    let new = AttemptId::random;
    for (n, keep_until) in [(1, LATER), (2, LATER + 1), (3, LATER + 2)] {
        assert_eq!(spend_until(store, n, &new(), 1, keep_until).await, Some(0));
    }
    fixture.delete_expired(LATER + 1).await;
    assert_eq!(spend_until(store, 2, &new(), 1, LATER + 1).await, None);
    assert_eq!(spend_until(store, 3, &new(), 1, LATER + 1).await, None);
    // Whether an entry was deleted shows only to one who asks with a later time; a store may also
    // say that its clock is ahead of such an old one.
    assert_eq!(spend_until(store, 1, &new(), 1, LATER + 9).await, Some(0));
    let old = store.spend(&hash(4), &new(), 1, LATER).await;
    assert!(
        matches!(old, Err(crate::StoreError::ClockSkew) | Ok(SpendOutcome::Granted { .. })),
        "{old:?}"
    );
}

/// An entry is kept until the latest time that was given for it.
pub async fn the_latest_time_counts(fixture: &dyn StoreFixture) {
    let store = &*fixture.handle().await;
    let new = AttemptId::random;
    assert_eq!(spend_until(store, 1, &new(), 2, LATER).await, Some(1));
    assert_eq!(spend_until(store, 1, &new(), 2, LATER + 9).await, Some(0));
    assert_eq!(spend_until(store, 2, &new(), 2, LATER + 9).await, Some(1));
    assert_eq!(spend_until(store, 2, &new(), 2, LATER).await, Some(0));
    fixture.delete_expired(LATER + 9).await;
    for n in [1, 2] {
        assert_eq!(spend_until(store, n, &new(), 2, LATER + 9).await, None);
    }
}

/// What one handle did, the others see.
pub async fn handles_share_one_store(fixture: &dyn StoreFixture) {
    let (one, other) = (fixture.handle().await, fixture.handle().await);
    let attempt = AttemptId::random();
    assert_eq!(spend(&*one, 1, &attempt, 1).await, Some(0));
    assert_eq!(spend(&*other, 1, &AttemptId::random(), 1).await, None);
    assert_eq!(spend(&*other, 1, &attempt, 1).await, Some(0), "read back elsewhere");
    assert!(release(&*other, 1, &attempt).await);
    assert_eq!(spend(&*one, 1, &AttemptId::random(), 1).await, Some(0));
}

/// It is still there when all handles are closed and opened again.
pub async fn what_is_granted_outlives_its_handle(fixture: &dyn StoreFixture) {
    let attempt = AttemptId::random();
    let store = fixture.handle().await;
    assert_eq!(spend(&*store, 1, &attempt, 1).await, Some(0));
    assert_eq!(spend(&*store, 2, &attempt, 1).await, Some(0));
    assert!(release(&*store, 2, &attempt).await);
    drop(store);
    let store = fixture.handle().await;
    assert_eq!(spend(&*store, 1, &AttemptId::random(), 1).await, None);
    assert_eq!(spend(&*store, 2, &AttemptId::random(), 1).await, Some(0));
}

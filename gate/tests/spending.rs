//! Uses under everything that goes wrong around them: never more than were sold, and none lost
//! that certainly was not used.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

mod support;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use plannt_gate::{Admission, Gate, RequestFacts, SpendStore, StoreError, Terms};
use plannt_lightning::devnet::{FaultKind, Operation};
use support::faulty::{Fault, FaultyStore, unknown};
use support::http::Ask;
use support::world::{Setup, World};
use tokio::sync::oneshot;

/// A world whose store fails on command.
async fn faulty_world() -> (World, Arc<FaultyStore>) {
    let (sender, receiver) = oneshot::channel();
    let store = Box::new(|inner| {
        let store = Arc::new(FaultyStore::new(inner));
        let _ = sender.send(store.clone());
        store as Arc<dyn SpendStore>
    });
    let builder =
        Box::new(|b: plannt_gate::GateBuilder| b.store_deadline(Duration::from_millis(500)));
    let world = World::start_with(Setup { store, builder, ..Setup::default() }).await;
    (world, receiver.await.unwrap())
}

/// Waits until the gate has given back what it owes.
async fn all_released(gate: &Gate) {
    let poll = async {
        while gate.pending_releases() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), poll).await.expect("released in the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_at_once_exactly_one_gets_in() {
    let world = Arc::new(World::start().await);
    let ask = Ask::get("/v1/demo");
    let paid = ask.clone().with(&world.credential(&ask).await);
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let (ask, addr) = (paid.clone(), world.addr);
            tokio::spawn(async move { ask.send(addr).await })
        })
        .collect();
    let mut let_in = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        match answer.status {
            200 => let_in += 1,
            // The node is slow under 200 invoices at once: that is no way in either.
            503 => answer.assert_error(503, "unavailable"),
            _ => answer.assert_challenge("spent"),
        }
    }
    assert_eq!((let_in, world.upstream.count()), (1, 1));
}

#[tokio::test]
async fn a_store_that_is_down_lets_nobody_in() {
    let (world, store) = faulty_world().await;
    let ask = Ask::get("/v1/demo");
    let paid = ask.clone().with(&world.credential(&ask).await);
    for error in [StoreError::Busy, StoreError::DiskFull, StoreError::ReadOnly] {
        store.spends.lock().unwrap().push_back(Fault::Not(error));
        world.send(paid.clone()).await.assert_error(503, "unavailable");
    }
    assert_eq!(world.gate.pending_releases(), 0, "nothing was taken");
    assert_eq!(world.upstream.count(), 0);
    assert_eq!(world.send(paid).await.status, 200);
}

#[tokio::test]
async fn an_unknown_outcome_is_read_back() {
    let (world, store) = faulty_world().await;
    for fault in [Fault::DoneBut(unknown()), Fault::Not(unknown())] {
        let ask = Ask::get("/v1/demo");
        let paid = ask.clone().with(&world.credential(&ask).await);
        store.spends.lock().unwrap().push_back(fault);
        assert_eq!(world.send(paid.clone()).await.header("x-l402"), Some("spent"));
        world.send(paid).await.assert_challenge("spent");
    }
    assert_eq!(world.upstream.count(), 2);
    assert_eq!(store.released.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_outcome_that_stays_unknown_is_given_back() {
    let (world, store) = faulty_world().await;
    let faults = [
        vec![Fault::DoneBut(unknown()), Fault::DoneBut(unknown())],
        vec![Fault::DoneBut(unknown()), Fault::Not(StoreError::Busy)],
        vec![Fault::DoneAndHangs],
    ];
    for spends in faults {
        let ask = Ask::get("/v1/demo");
        let paid = ask.clone().with(&world.credential(&ask).await);
        store.spends.lock().unwrap().extend(spends);
        // The first tries to release fail, too.
        let failing = [Fault::Not(StoreError::Busy), Fault::DoneAndHangs];
        store.releases.lock().unwrap().extend(failing);
        world.send(paid.clone()).await.assert_error(503, "unavailable");
        all_released(&world.gate).await;
        assert_eq!(world.send(paid).await.header("x-l402"), Some("spent"));
    }
    assert_eq!(world.upstream.count(), 3);
}

#[tokio::test]
async fn an_upstream_that_was_not_reached_costs_nothing() {
    let (world, store) = faulty_world().await;
    let ask = Ask::get("/v1/bundle");
    let paid = ask.clone().with(&world.credential(&ask).await);
    world.upstream.unreachable.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        let answer = world.send(paid.clone()).await;
        assert_eq!((answer.status, answer.header("x-l402")), (502, Some("unspent")));
        assert_eq!(answer.header("x-l402-price-msat"), None);
    }
    // Without the store's word, the answer says nothing.
    for fault in [Fault::DoneBut(unknown()), Fault::Not(StoreError::Busy), Fault::DoneAndHangs] {
        store.releases.lock().unwrap().push_back(fault);
        let answer = world.send(paid.clone()).await;
        assert_eq!((answer.status, answer.header("x-l402")), (502, None));
        all_released(&world.gate).await;
    }
    world.upstream.unreachable.store(false, Ordering::SeqCst);
    for state in ["valid; remaining=2", "valid; remaining=1", "spent"] {
        assert_eq!(world.send(paid.clone()).await.header("x-l402"), Some(state));
    }
    world.send(paid).await.assert_challenge("spent");
}

/// A request as the gate sees it without a layer.
struct Bare {
    terms: Terms,
    headers: http::HeaderMap,
}

impl Bare {
    async fn buy(world: &World, uses: u32) -> Self {
        let path = if uses == 1 { "/v1/demo" } else { "/v1/bundle" };
        let credential = world.credential(&Ask::get(path)).await;
        let mut headers = http::HeaderMap::new();
        headers.insert("authorization", credential.parse().unwrap());
        let mut terms = Terms::new("demo", 21_000.try_into().unwrap());
        terms.uses = NonZeroU32::new(uses).unwrap();
        Self { terms, headers }
    }

    async fn admit(&self, world: &World) -> Admission {
        let path = if self.terms.uses.get() == 1 { "/v1/demo" } else { "/v1/bundle" };
        let facts = RequestFacts {
            method: &http::Method::GET,
            path,
            query: "",
            headers: &self.headers,
            body_digest: None,
            client: None,
        };
        world.gate.admit(&facts, &self.terms).await
    }
}

#[tokio::test]
async fn the_gate_works_without_the_layer() {
    let world = World::start().await;
    let bare = Bare::buy(&world, 1).await;
    let Admission::Granted(mut grant) = bare.admit(&world).await else { panic!("refused") };
    assert_eq!((grant.remaining(), grant.x_l402().as_bytes()), (0, &b"spent"[..]));
    grant.forward();
    drop(grant);
    let Admission::Refused(answer) = bare.admit(&world).await else { panic!("twice") };
    assert_eq!(answer.status(), 402);
    assert_eq!(answer.extensions().get(), Some(&plannt_core::Code::Spent));
    let issued: &plannt_gate::IssuedChallenge = answer.extensions().get().unwrap();
    assert_eq!((issued.price_msat, issued.service.as_str()), (21_000, "demo"));
}

#[tokio::test]
async fn a_grant_that_goes_nowhere_is_given_back() {
    let world = World::start().await;
    let bare = Bare::buy(&world, 1).await;
    for _ in 0..3 {
        let Admission::Granted(grant) = bare.admit(&world).await else { panic!("refused") };
        drop(grant);
        all_released(&world.gate).await;
    }
    let Admission::Granted(mut grant) = bare.admit(&world).await else { panic!("refused") };
    grant.forward();
    assert!(grant.release().await);
    assert!(matches!(bare.admit(&world).await, Admission::Granted(_)));
}

#[tokio::test]
async fn a_client_that_leaves_while_it_is_spent_loses_nothing() {
    let (world, store) = faulty_world().await;
    let bare = Bare::buy(&world, 1).await;
    store.spends.lock().unwrap().push_back(Fault::DoneAndHangs);
    let leaves = tokio::time::timeout(Duration::from_millis(50), bare.admit(&world)).await;
    assert!(leaves.is_err(), "it was still waiting");
    all_released(&world.gate).await;
    assert!(matches!(bare.admit(&world).await, Admission::Granted(_)));
}

#[tokio::test]
async fn a_client_that_leaves_while_its_invoice_is_made_leaves_nothing() {
    let world = World::start().await;
    world.devnet.faults().once(Operation::Issue, FaultKind::Slow { ms: 600_000 });
    let ask = Ask::get("/v1/demo");
    let leaves = tokio::time::timeout(Duration::from_millis(50), ask.send(world.addr)).await;
    assert!(leaves.is_err());
    world.send(ask).await.assert_challenge("payment_required");
}

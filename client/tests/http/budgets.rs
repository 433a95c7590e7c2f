//! Budgets over calls, clients and restarts.

use plannt_client::{Budget, BudgetRule, Client};
use plannt_lightning::devnet::{FaultKind, Operation};

use crate::support::*;

const NEEDED_MSAT: u64 = PRICE_MSAT + FEE_MSAT;

fn with_day_limit(world: &World, limit_msat: u64) -> Client {
    let client = world.client();
    client.journal().set_budget(&Budget::new([BudgetRule::per_day(limit_msat)])).unwrap();
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn the_true_cost_is_charged_and_the_rest_of_the_reservation_is_free_again() {
    let world = World::selling(1).await;
    let client = with_day_limit(&world, 100_000);
    client.send(world.get("/")).await.unwrap();
    let status = client.budget().await.unwrap()[0];
    assert_eq!((status.spent_msat, status.reserved_msat), (PRICE_MSAT + 7, 0));
    assert_eq!(status.left_msat, 100_000 - PRICE_MSAT - 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_holds_over_restarts_and_clients() {
    let world = World::selling(1).await;
    let first = with_day_limit(&world, PRICE_MSAT + 7 + NEEDED_MSAT - 1);
    first.send(world.get("/")).await.unwrap();
    // Another client, over the same file: one msat is missing.
    assert_eq!(code(world.client().send(world.get("/")).await), "budget_exceeded");
    assert_eq!(world.attempts().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_later_there_is_room_again_but_not_in_total() {
    let world = World::selling(1).await;
    let first = with_day_limit(&world, NEEDED_MSAT);
    first.send(world.get("/")).await.unwrap();
    assert_eq!(code(first.send(world.get("/")).await), "budget_exceeded");
    // To a clock a day ahead, the server's invoices have expired: only the budget can be asked about.
    let later = world.builder().clock(Ahead::by(86_401)).build().unwrap();
    assert_eq!(later.budget().await.unwrap()[0].left_msat, NEEDED_MSAT);
    let total = Budget::new([BudgetRule::in_total(NEEDED_MSAT)]);
    let later = world.builder().clock(Ahead::by(86_401)).budget(total).build().unwrap();
    let status = later.budget().await.unwrap();
    let total = status.iter().find(|s| s.rule.window_seconds.is_none()).unwrap();
    assert_eq!(total.left_msat, FEE_MSAT - 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certain_failure_frees_the_reservation() {
    let world = World::selling(1).await;
    let client = with_day_limit(&world, NEEDED_MSAT);
    world.devnet.faults().once(Operation::Pay, FaultKind::NoRoute);
    assert_eq!(code(client.send(world.get("/")).await), "payment_failed");
    assert_eq!(client.budget().await.unwrap()[0].left_msat, NEEDED_MSAT);
    assert_eq!(client.send(world.get("/")).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_once_never_pass_it() {
    let world = World::selling(1).await;
    // Room for three reservations, and not for a fourth.
    let limit = 4 * NEEDED_MSAT - 1;
    let client = with_day_limit(&world, limit);
    let calls = (0..12).map(|i| {
        // Half of them through a journal handle of their own, as another process would have.
        let client = if i % 2 == 0 { client.clone() } else { world.client() };
        let request = world.get(&format!("/{i}"));
        tokio::spawn(async move { client.send(request).await.map(|r| r.status.as_u16()) })
    });
    let mut paid = 0;
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            Ok(200) => paid += 1,
            Ok(other) => panic!("{other}"),
            Err(error) => assert_eq!(error.code(), "budget_exceeded"),
        }
    }
    assert!(paid >= 3);
    assert_eq!(world.paid().await, paid);
    let status = client.budget().await.unwrap()[0];
    assert!(status.spent_msat <= limit && status.reserved_msat == 0);
}

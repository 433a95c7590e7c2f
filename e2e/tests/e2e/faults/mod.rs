//! Every fault at every moment, on the devnet and on real nodes: whatever breaks, the wallet has paid at most once for a call,
//! what was paid for is delivered, and nothing is delivered that was not paid. The outcomes are docs/FAULTS.md.
//!
//! Before the payment is when the payer has written its intent and turns to its node. During is while the payment is in flight
//! between the nodes. After is when it is paid, and nobody has been told: the wallet's answer, or the credential, is on its way.

mod moments;
mod scene;
mod table;
mod world;

use plannt_e2e::{Direction, Hold};
use tokio::sync::{Mutex, MutexGuard};

use scene::{PAID, Scene};
use table::Row;
use world::World;

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_at_every_moment() {
    let (devnet, nodes) = (World::devnet().await, World::nodes().await);
    let (on_devnet, on_nodes) = tokio::join!(counted(&devnet), counted(&nodes));
    for (row, same) in on_devnet.iter().zip(&on_nodes) {
        assert_eq!(row, same, "the devnet is not like real nodes");
    }
    table::check(&on_nodes);
}

/// Plays all of them, and counts what the nodes say of it: no payment is unknown to the journals.
async fn counted(world: &World) -> Vec<Row> {
    let (paid, settled) = (world.paid().await, world.settled().await);
    let rows = matrix(world).await;
    let told = rows.iter().flat_map(|(_, cells)| cells).filter(|cell| cell.ends_with(PAID)).count();
    assert_eq!(world.paid().await - paid, told, "{rows:?}");
    assert_eq!(world.settled().await - settled, told, "{rows:?}");
    rows
}

async fn matrix(world: &World) -> Vec<Row> {
    // These wait for a deadline, all three at once. Only one of them has the payments held at a time.
    let turn = Mutex::new(());
    let first = turn.lock().await;
    let (after, during, before) = tokio::join!(
        late_after(world, first),
        late_during(world, &turn),
        late_before(world, &turn)
    );
    vec![
        (
            "the payer is killed",
            [payer_before(world).await, payer_during(world).await, payer_after(world).await],
        ),
        (
            "the gateway is killed",
            [gateway_before(world).await, gateway_during(world).await, gateway_after(world).await],
        ),
        (
            "the payer's node is killed",
            [
                payers_node_before(world).await,
                payers_node_during(world).await,
                payers_node_after(world).await,
            ],
        ),
        (
            "the receiver's node is killed",
            [
                receivers_node_before(world).await,
                receivers_node_during(world).await,
                receivers_node_after(world).await,
            ],
        ),
        (
            "the connection to the wallet is cut",
            [cut_before(world).await, cut_during(world).await, cut_after(world).await],
        ),
        (
            "the connection to the gateway is cut",
            [
                service_cut_before(world).await,
                service_cut_during(world).await,
                service_cut_after(world).await,
            ],
        ),
        ("the wallet's reply comes after the deadline", [before, during, after]),
    ]
}

/// A call whose payment is in flight.
async fn in_flight(scene: &Scene<'_>) -> tokio::process::Child {
    scene.world.hold_payment().await;
    let child = scene.begin();
    scene.world.wait_until_in_flight().await;
    scene.is_in_flight().await;
    child
}

/// A call that stands at its wallet's door, its intent written.
async fn at_the_door(scene: &Scene<'_>) -> tokio::process::Child {
    scene.wallet.hold(Direction::Up, Hold::Door);
    let child = scene.begin();
    scene.wallet.wait_until_held().await;
    child
}

/// A call that has paid, and whose credential is on its way.
async fn presenting(scene: &Scene<'_>) -> tokio::process::Child {
    scene.service.hold(Direction::Up, Hold::Credential);
    let child = scene.begin();
    scene.service.wait_until_held().await;
    scene.wait_until_paid().await;
    child
}

async fn payer_before(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = at_the_door(&scene).await;
    scene.kill(child).await;
    scene.wallet.cut();
    scene.wallet.release();
    scene.again().await;
    scene.story().await
}

async fn payer_during(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = in_flight(&scene).await;
    scene.kill(child).await;
    scene.again().await;
    world.let_payment_go().await;
    scene.wait_until_paid().await;
    scene.again().await;
    scene.story().await
}

async fn payer_after(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = presenting(&scene).await;
    scene.kill(child).await;
    scene.service.cut();
    scene.service.release();
    scene.again().await;
    scene.story().await
}

async fn gateway_before(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = at_the_door(&scene).await;
    scene.kill_gateway().await;
    scene.wallet.release();
    scene.end(child).await;
    scene.start_gateway().await;
    scene.again().await;
    scene.story().await
}

async fn gateway_during(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = in_flight(&scene).await;
    scene.kill_gateway().await;
    world.let_payment_go().await;
    scene.end(child).await;
    scene.start_gateway().await;
    scene.again().await;
    scene.story().await
}

async fn gateway_after(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = presenting(&scene).await;
    scene.kill_gateway().await;
    scene.service.cut();
    scene.service.release();
    scene.end(child).await;
    scene.start_gateway().await;
    scene.again().await;
    scene.story().await
}

async fn payers_node_before(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = at_the_door(&scene).await;
    world.kill_payers_node().await;
    scene.wallet.release();
    scene.end(child).await;
    world.start_payers_node().await;
    scene.again().await;
    scene.story().await
}

async fn payers_node_during(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = in_flight(&scene).await;
    world.kill_payers_node().await;
    scene.end(child).await;
    world.start_payers_node().await;
    world.let_payment_go().await;
    scene.wait_until_paid().await;
    scene.again().await;
    scene.story().await
}

async fn payers_node_after(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = presenting(&scene).await;
    world.kill_payers_node().await;
    scene.service.release();
    scene.end(child).await;
    world.start_payers_node().await;
    scene.story().await
}

async fn receivers_node_before(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = at_the_door(&scene).await;
    world.kill_receivers_node().await;
    scene.wallet.release();
    scene.end(child).await;
    world.start_receivers_node().await;
    scene.again().await;
    scene.story().await
}

async fn receivers_node_during(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = in_flight(&scene).await;
    world.kill_receivers_node().await;
    world.start_receivers_node().await;
    world.let_payment_go().await;
    scene.end(child).await;
    scene.story().await
}

async fn receivers_node_after(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = presenting(&scene).await;
    world.kill_receivers_node().await;
    scene.service.release();
    scene.end(child).await;
    world.start_receivers_node().await;
    scene.story().await
}

async fn cut_before(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    scene.wallet.hold(Direction::Up, Hold::Request);
    let child = scene.begin();
    scene.wallet.wait_until_held().await;
    scene.wallet.cut();
    scene.wallet.release();
    scene.end(child).await;
    scene.again().await;
    scene.story().await
}

async fn cut_during(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = in_flight(&scene).await;
    scene.wallet.cut();
    scene.end(child).await;
    world.let_payment_go().await;
    scene.wait_until_paid().await;
    scene.again().await;
    scene.story().await
}

async fn cut_after(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = in_flight(&scene).await;
    scene.wallet.hold(Direction::Down, Hold::Everything);
    world.let_payment_go().await;
    scene.wallet.wait_until_held().await;
    scene.wait_until_paid().await;
    scene.wallet.cut();
    scene.wallet.release();
    scene.end(child).await;
    scene.story().await
}

/// The challenge is lost on its way.
async fn service_cut_before(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    scene.service.hold(Direction::Down, Hold::Everything);
    let child = scene.begin();
    scene.service.wait_until_held().await;
    scene.service.cut();
    scene.service.release();
    scene.end(child).await;
    scene.again().await;
    scene.story().await
}

async fn service_cut_during(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = in_flight(&scene).await;
    scene.service.cut();
    world.let_payment_go().await;
    scene.end(child).await;
    scene.story().await
}

async fn service_cut_after(world: &World) -> String {
    let mut scene = Scene::new(world, &[]).await;
    let child = presenting(&scene).await;
    scene.service.cut();
    scene.service.release();
    scene.end(child).await;
    scene.again().await;
    scene.story().await
}

/// A call that soon gives up on its wallet.
const SOON: &[&str] = &["--payment-timeout", "1s"];

/// The request to pay comes to the node when its payer has given up on it.
async fn late_before(world: &World, turn: &Mutex<()>) -> String {
    let mut scene = Scene::new(world, SOON).await;
    scene.wallet.hold(Direction::Up, Hold::Request);
    let child = scene.begin();
    scene.wallet.wait_until_held().await;
    scene.end(child).await;
    let turn = turn.lock().await;
    scene.wallet.release();
    scene.wait_until_paid().await;
    drop(turn);
    scene.again().await;
    scene.story().await
}

async fn late_during(world: &World, turn: &Mutex<()>) -> String {
    let mut scene = Scene::new(world, SOON).await;
    let turn = turn.lock().await;
    let child = in_flight(&scene).await;
    scene.end(child).await;
    scene.is_in_flight().await;
    world.let_payment_go().await;
    scene.wait_until_paid().await;
    drop(turn);
    scene.again().await;
    scene.story().await
}

async fn late_after(world: &World, turn: MutexGuard<'_, ()>) -> String {
    let mut scene = Scene::new(world, SOON).await;
    let child = in_flight(&scene).await;
    scene.wallet.hold(Direction::Down, Hold::Everything);
    world.let_payment_go().await;
    scene.wallet.wait_until_held().await;
    scene.wait_until_paid().await;
    drop(turn);
    scene.end(child).await;
    scene.wallet.release();
    scene.story().await
}

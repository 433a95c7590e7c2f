//! Nodes killed wherever it falls, and not only where a payment can be held.

use std::time::Instant;

use super::scene::{PAID, Scene};
use super::world::World;

/// A call that does not wait a minute for a payment which its node has forgotten.
const SOON: &[&str] = &["--payment-timeout", "3s"];

/// How many moments of a call are tried for each node.
const MOMENTS: u32 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_killed_at_any_moment_of_a_call() {
    let world = World::nodes().await;
    let paid = world.paid().await;
    let mut undisturbed = Scene::new(&world, &[]).await;
    let begun = Instant::now();
    undisturbed.again().await;
    let took = begun.elapsed();
    let mut told = usize::from(undisturbed.story().await.ends_with(PAID));

    for moment in 0..2 * MOMENTS {
        let mut scene = Scene::new(&world, SOON).await;
        let child = scene.begin();
        tokio::time::sleep(took * (moment / 2) / MOMENTS).await;
        let whose = if moment % 2 == 0 {
            world.kill_payers_node().await;
            world.start_payers_node().await;
            "the payer's node"
        } else {
            world.kill_receivers_node().await;
            world.start_receivers_node().await;
            "the receiver's node"
        };
        scene.end(child).await;
        scene.until_resolved().await;
        let (at, of) = (moment / 2, MOMENTS);
        let story = scene.story().await;
        told += usize::from(story.ends_with(PAID));
        println!("{whose} killed after {at}/{of} of a call: {story}");
    }
    // What was given up as failed was not paid later.
    assert_eq!(world.paid().await - paid, told);
}

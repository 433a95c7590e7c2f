//! Invoices ahead of demand: handed out once, ever, and never when they are too old.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::HashSet;
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use plannt_core::{PaymentHash, read_invoice};
use plannt_gate::{PoolOptions, PoolStatus, Terms};
use plannt_lightning::devnet::{FaultKind, Operation};
use plannt_lightning::{InvoiceRequest, InvoiceState, Invoicer, LightningError};
use support::http::Ask;
use support::world::{Setup, World};

/// A real node under a name of its own.
struct Named {
    node: Arc<dyn Invoicer>,
    name: &'static str,
}

#[async_trait]
impl Invoicer for Named {
    async fn issue(&self, request: &InvoiceRequest) -> Result<String, LightningError> {
        self.node.issue(request).await
    }

    async fn look_up_invoice(&self, hash: &PaymentHash) -> Result<InvoiceState, LightningError> {
        self.node.look_up_invoice(hash).await
    }

    fn invoicer_id(&self) -> String {
        self.name.into()
    }
}

async fn world(options: PoolOptions) -> World {
    world_of("shop", options).await
}

async fn world_of(name: &'static str, options: PoolOptions) -> World {
    let builder = Box::new(|builder: plannt_gate::GateBuilder| builder.invoice_pool(options));
    let invoicer = Box::new(move |node| Arc::new(Named { node, name }) as Arc<dyn Invoicer>);
    World::start_with(Setup { builder, invoicer, ..Setup::default() }).await
}

/// Keeps the pool full for the price of now.
fn prepare(world: &World) {
    let price = NonZeroU64::new(world.prices.price_msat.load(Ordering::SeqCst)).unwrap();
    world.gate.prepare(&Terms::new("demo", price));
}

fn status(world: &World) -> PoolStatus {
    world.gate.pool_status().unwrap()
}

/// Waits until so many are ready, of the price of now and of earlier ones.
async fn filled(world: &World, ready: usize) {
    prepare(world);
    for _ in 0..400 {
        if status(world).ready >= ready {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{:?}", status(world));
}

/// Waits until the node has made so many.
async fn made(world: &World, invoices: usize) {
    for _ in 0..400 {
        if world.invoices().await >= invoices {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{} {:?}", world.invoices().await, status(world));
}

async fn invoice(world: &World) -> String {
    let answer = world.send(Ask::get("/v1/demo")).await;
    answer.assert_challenge("payment_required");
    answer.challenge().unwrap().invoice
}

fn blocks(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, |entries| {
        entries
            .flatten()
            .filter(|e| e.file_name().to_string_lossy().ends_with(".invoices.json"))
            .count()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_pool_each_challenge_asks_the_node() {
    let world = World::start().await;
    assert_eq!(world.gate.pool_status(), None);
    invoice(&world).await;
    assert_eq!(world.invoices().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_from_the_pool_is_like_any_other_and_is_paid() {
    let world = world(PoolOptions::new(8)).await;
    // An empty pool is no obstacle.
    invoice(&world).await;
    assert_eq!((status(&world).hits, status(&world).misses), (0, 1));
    filled(&world, 8).await;
    let credential = world.credential(&Ask::get("/v1/demo")).await;
    assert_eq!(status(&world).hits, 1);
    assert_eq!(world.send(Ask::get("/v1/demo").with(&credential)).await.status, 200);
    world.send(Ask::get("/v1/demo").with(&credential)).await.assert_challenge("spent");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_many_challenges_at_once_has_an_invoice_of_its_own() {
    let world = world(PoolOptions::new(64)).await;
    invoice(&world).await;
    filled(&world, 64).await;
    let asked = (0..200).map(|_| invoice(&world));
    let all: HashSet<_> = futures_util::future::join_all(asked).await.into_iter().collect();
    assert_eq!(all.len(), 200);
    let PoolStatus { hits, misses, .. } = status(&world);
    assert!(hits >= 64 && hits + misses == 201, "{hits} {misses}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_node_down_the_pool_serves_on_until_it_is_empty() {
    let world = world(PoolOptions::new(4)).await;
    invoice(&world).await;
    filled(&world, 4).await;
    world.devnet.faults().always(Operation::Issue, FaultKind::Down);
    for _ in 0..4 {
        invoice(&world).await;
    }
    world.send(Ask::get("/v1/demo")).await.assert_error(503, "unavailable");
    world.devnet.faults().clear();
    filled(&world, 4).await;
    invoice(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_node_is_not_waited_for() {
    let world = world(PoolOptions::new(4)).await;
    invoice(&world).await;
    filled(&world, 4).await;
    // Far beyond the gate's own deadline: who waited for it would get 503.
    let slow = FaultKind::Slow { ms: 60_000 };
    world.devnet.faults().always(Operation::Issue, slow);
    for _ in 0..4 {
        invoice(&world).await;
    }
    assert_eq!(status(&world).hits, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_old_is_not_handed_out() {
    let world = world(PoolOptions::new(4)).await;
    invoice(&world).await;
    filled(&world, 4).await;
    let made = world.invoices().await;
    // All that the node made so far have less than five minutes left, and it makes no more.
    world.devnet.faults().always(Operation::Issue, FaultKind::Down);
    let invoices = world.devnet.invoices().await.unwrap();
    let latest = invoices.iter().map(|invoice| invoice.expires_at).max().unwrap();
    world.clock.store(latest - 299, Ordering::SeqCst);
    assert_eq!(status(&world).ready, 0);
    world.send(Ask::get("/v1/demo")).await.assert_error(503, "unavailable");
    assert_eq!(world.invoices().await, made);
    world.clock.fetch_sub(2, Ordering::SeqCst);
    // The rest of what was dropped is gone for good.
    assert_eq!(status(&world).ready, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_price_has_invoices_of_its_own() {
    let world = world(PoolOptions::new(4)).await;
    invoice(&world).await;
    filled(&world, 4).await;
    world.prices.price_msat.store(42_000, Ordering::SeqCst);
    let dear = invoice(&world).await;
    assert_eq!(read_invoice(&dear).unwrap().amount_msat, Some(42_000));
    filled(&world, 8).await;
    world.prices.price_msat.store(21_000, Ordering::SeqCst);
    let cheap = invoice(&world).await;
    assert_eq!(read_invoice(&cheap).unwrap().amount_msat, Some(21_000));
    assert_eq!(status(&world).hits, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_few_ask_for_has_few() {
    let world = world(PoolOptions::new(8)).await;
    let made_at = async |price| {
        let invoices = world.devnet.invoices().await.unwrap();
        invoices.iter().filter(|invoice| invoice.amount_msat == price).count()
    };
    world.prices.price_msat.store(7_000, Ordering::SeqCst);
    invoice(&world).await;
    made(&world, 1 + 2).await;
    invoice(&world).await;
    made(&world, 2 + 4).await;
    // Another one is filled meanwhile: what was asked for is not more.
    world.prices.price_msat.store(21_000, Ordering::SeqCst);
    filled(&world, 4 + 8).await;
    assert_eq!(made_at(7_000).await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_prices_is_bounded() {
    let mut options = PoolOptions::new(2);
    options.prices = 3;
    let world = world(options).await;
    for price in 1..=20 {
        world.prices.price_msat.store(price * 1_000, Ordering::SeqCst);
        invoice(&world).await;
    }
    filled(&world, 6).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(status(&world).ready, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_disk_lie_only_invoices_that_nobody_has_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("invoices");
    let options = || {
        let mut options = PoolOptions::new(40).folder(path.clone());
        options.in_flight = 10;
        options
    };
    let world = world(options()).await;
    let mut shown = HashSet::from([invoice(&world).await]);
    // What is ready stays in memory, what lies ahead is in files.
    filled(&world, 20).await;
    for _ in 0..200 {
        if blocks(&path) >= 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(blocks(&path) >= 2);
    for _ in 0..30 {
        assert!(shown.insert(invoice(&world).await));
    }
    for entry in std::fs::read_dir(&path).unwrap().flatten() {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        assert!(shown.iter().all(|invoice| !text.contains(invoice.as_str())));
    }
    made(&world, 31 + 40).await;
    // One that can't be read is in nobody's way.
    std::fs::write(path.join("x.invoices.json"), "{").unwrap();
    // Of several that share the folder, one gets each block: what another gateway left is handed out, and once.
    let (second, third) = tokio::join!(self::world(options()), self::world(options()));
    for world in [&second, &third] {
        world.devnet.faults().always(Operation::Issue, FaultKind::Down);
    }
    let mut hits = 0;
    for _ in 0..200 {
        for world in [&second, &third] {
            let answer = world.send(Ask::get("/v1/demo")).await;
            if answer.status == 402 {
                hits += 1;
                assert!(shown.insert(answer.challenge().unwrap().invoice));
            }
        }
        if hits >= 10 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(hits >= 10, "{hits}");
    assert!(!path.join("x.invoices.json").exists());
}

/// How many invoices lie in the folder.
fn lying(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let texts = entries.filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
    texts.map(|text| text.matches("\"lnbcrt").count()).sum()
}

/// A world with a full pool on this folder, and one invoice shown.
async fn full_on_disk(path: &Path) -> World {
    let world = world(PoolOptions::new(8).folder(path)).await;
    invoice(&world).await;
    prepare(&world);
    for _ in 0..400 {
        // What is ready stays in memory, and some of it lies ahead.
        let ahead = lying(path);
        if ahead > 0 && status(&world).ready + ahead == 8 {
            return world;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{:?} {}", status(&world), blocks(path));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_node_all_of_the_pool_is_handed_out_also_what_lies_on_the_disk() {
    for fault in [FaultKind::Down, FaultKind::Slow { ms: 600_000 }] {
        let folder = tempfile::tempdir().unwrap();
        let world = full_on_disk(folder.path()).await;
        world.devnet.faults().always(Operation::Issue, fault.clone());
        let mut shown = HashSet::new();
        for _ in 0..8 {
            assert!(shown.insert(invoice(&world).await), "{fault:?}");
        }
        assert_eq!((status(&world).hits, blocks(folder.path())), (8, 0), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_a_node_hands_out_what_an_earlier_process_left_from_the_first_challenge_on()
{
    for fault in [FaultKind::Down, FaultKind::Slow { ms: 600_000 }] {
        let folder = tempfile::tempdir().unwrap();
        let _earlier = full_on_disk(folder.path()).await;
        let left = lying(folder.path());
        let world = world(PoolOptions::new(8).folder(folder.path())).await;
        world.devnet.faults().always(Operation::Issue, fault.clone());
        let asked = (0..left).map(|_| invoice(&world));
        let shown: HashSet<_> = futures_util::future::join_all(asked).await.into_iter().collect();
        assert_eq!((shown.len(), status(&world).hits), (left, left as u64), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pays_another_node_goes_when_that_shows_late() {
    let folder = tempfile::tempdir().unwrap();
    let old = full_on_disk(folder.path()).await;
    let payee = |invoice: &str| read_invoice(invoice).unwrap().payee;
    let gone = payee(&invoice(&old).await);
    drop(old);
    let world = world(PoolOptions::new(8).folder(folder.path())).await;
    // At first nothing but its name is known of the new one.
    world.devnet.faults().always(Operation::Issue, FaultKind::Down);
    assert_eq!(payee(&invoice(&world).await), gone);
    world.devnet.faults().clear();
    made(&world, 1).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    for _ in 0..10 {
        assert_ne!(payee(&invoice(&world).await), gone);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_node_was_exchanged_none_of_the_old_ones_invoices_is_handed_out() {
    // Of the same name, it is told by its payee.
    for name in ["shop", "other"] {
        let folder = tempfile::tempdir().unwrap();
        let old = full_on_disk(folder.path()).await;
        let payee = |invoice: &str| read_invoice(invoice).unwrap().payee;
        let gone = payee(&invoice(&old).await);
        drop(old);
        assert!(blocks(folder.path()) > 0);
        let world = world_of(name, PoolOptions::new(8).folder(folder.path())).await;
        for _ in 0..20 {
            assert_ne!(payee(&invoice(&world).await), gone);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_another_name_a_node_need_not_even_answer() {
    let folder = tempfile::tempdir().unwrap();
    drop(full_on_disk(folder.path()).await);
    assert!(blocks(folder.path()) > 0);
    let other = world_of("other", PoolOptions::new(8).folder(folder.path())).await;
    other.devnet.faults().always(Operation::Issue, FaultKind::Down);
    prepare(&other);
    for _ in 0..400 {
        if blocks(folder.path()) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!((blocks(folder.path()), status(&other).ready), (0, 0));
    other.send(Ask::get("/v1/demo")).await.assert_error(503, "unavailable");
}

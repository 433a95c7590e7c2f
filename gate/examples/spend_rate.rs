//! Measures durable spends a second of the embedded store: `cargo run --release --example
//! spend_rate [folder]`, in a folder on the disk that is meant.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plannt_core::PaymentHash;
use plannt_gate::{AttemptId, PairId, SpendOutcome, SpendStore, SqliteOptions, SqliteStore};

const LATER: u64 = 4_000_000_000;
const TIME: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    for clients in [1, 16, 256] {
        let (path, pair) = (folder.join(format!("rate-{}", PairId::random())), PairId::random());
        SqliteStore::create(&path, &pair).unwrap();
        let store = Arc::new(SqliteStore::open(&path, &pair, SqliteOptions::default()).unwrap());
        let begin = Instant::now();
        let tasks: Vec<_> =
            (0..clients).map(|_| tokio::spawn(spend_until(store.clone(), begin + TIME))).collect();
        let mut spends = 0;
        for task in tasks {
            spends += task.await.unwrap();
        }
        let rate = f64::from(spends) / begin.elapsed().as_secs_f64();
        println!("{clients:>4} clients: {rate:>8.0} durable spends a second");
        drop(store);
        std::fs::remove_file(path).unwrap();
    }
}

async fn spend_until(store: Arc<SqliteStore>, end: Instant) -> u32 {
    let mut spends = 0;
    while Instant::now() < end {
        let (a, b) = (AttemptId::random(), AttemptId::random());
        let mut hash = [0; 32];
        hash[..16].copy_from_slice(a.as_bytes());
        hash[16..].copy_from_slice(b.as_bytes());
        let outcome = store.spend(&PaymentHash::from_bytes(hash), &a, 1, LATER).await;
        assert_eq!(outcome, Ok(SpendOutcome::Granted { remaining: 0 }));
        spends += 1;
    }
    spends
}

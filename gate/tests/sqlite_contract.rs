//! The embedded store keeps the contract of all spend stores.
#![cfg(all(feature = "contract-tests", feature = "sqlite"))]
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use plannt_gate::contract::StoreFixture;
use plannt_gate::{PairId, SpendStore, SqliteOptions, SqliteStore, spend_store_contract_tests};
use tempfile::TempDir;

struct Fixture {
    _folder: TempDir,
    path: PathBuf,
    pair: PairId,
}

impl Fixture {
    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.path, &self.pair, SqliteOptions::default()).unwrap()
    }
}

#[async_trait]
impl StoreFixture for Fixture {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (path, pair) = (folder.path().join("spends.sqlite"), PairId::random());
        SqliteStore::create(&path, &pair).unwrap();
        Self { _folder: folder, path, pair }
    }

    async fn handle(&self) -> Arc<dyn SpendStore> {
        Arc::new(self.open())
    }

    async fn delete_expired(&self, now: u64) {
        self.open().prune(now).await.unwrap();
    }
}

spend_store_contract_tests!(Fixture);

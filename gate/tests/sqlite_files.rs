//! The embedded store and the file that it lives in: whatever is wrong with it, the answer is an
//! error with a name, and never a use that was not there.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plannt_core::PaymentHash;
use plannt_gate::{
    AttemptId, PairId, SpendOutcome, SpendStore, SqliteOptions, SqliteStore, StoreError,
    StoreOpenError,
};
use support::{Mount, with_suffix};
use tempfile::TempDir;

const LATER: u64 = 4_000_000_000;

/// Nothing in the background, and little patience.
const OPTIONS: SqliteOptions =
    SqliteOptions { busy_timeout: Duration::from_millis(100), prune_interval: None };

fn new_store() -> (TempDir, PathBuf, PairId) {
    let folder = tempfile::tempdir().unwrap();
    let (path, pair) = (folder.path().join("spends.sqlite"), PairId::random());
    SqliteStore::create(&path, &pair).unwrap();
    (folder, path, pair)
}

fn open_code(path: &Path, pair: &PairId) -> &'static str {
    SqliteStore::open(path, pair, OPTIONS).unwrap_err().code()
}

async fn spend(store: &SqliteStore, n: u8) -> Result<SpendOutcome, StoreError> {
    let hash = PaymentHash::from_bytes([n; 32]);
    store.spend(&hash, &AttemptId::random(), 1, LATER).await
}

const GRANTED: Result<SpendOutcome, StoreError> = Ok(SpendOutcome::Granted { remaining: 0 });

#[test]
fn a_store_is_made_once_and_opened_only_by_its_pair() {
    let (folder, path, pair) = new_store();
    assert_eq!(SqliteStore::read_pair_id(&path).unwrap(), Some(pair));
    assert_eq!(SqliteStore::create(&path, &pair).unwrap_err().code(), "store_exists");
    assert_eq!(open_code(&path, &PairId::random()), "store_foreign");
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["spends.sqlite"], "nothing else is left behind");

    let elsewhere = folder.path().join("elsewhere.sqlite");
    assert_eq!(SqliteStore::read_pair_id(&elsewhere).unwrap(), None);
    assert_eq!(open_code(&elsewhere, &pair), "store_missing");
    assert!(!elsewhere.exists(), "opening makes no store");
    let no_folder = folder.path().join("none").join("spends.sqlite");
    assert_eq!(SqliteStore::create(&no_folder, &pair).unwrap_err().code(), "store_io");
}

#[test]
fn messages_say_what_to_do() {
    let (folder, path, pair) = new_store();
    let foreign = SqliteStore::open(&path, &PairId::random(), OPTIONS).unwrap_err().to_string();
    assert!(foreign.contains("put back") && foreign.contains("spends.sqlite"), "{foreign}");
    let none = folder.path().join("none");
    let missing = SqliteStore::open(&none, &pair, OPTIONS).unwrap_err().to_string();
    assert!(missing.contains("put it back") && missing.contains("drop every key"), "{missing}");
}

#[test]
fn other_files_are_not_taken_for_a_store() {
    let (folder, path, pair) = new_store();
    let other = folder.path().join("other");
    fs::write(&other, "a text that is no database, and long enough to be read as one".repeat(99))
        .unwrap();
    assert_eq!(open_code(&other, &pair), "store_corrupt");
    fs::write(&other, "").unwrap();
    assert_eq!(open_code(&other, &pair), "store_corrupt", "empty");

    let sqlite = rusqlite::Connection::open(folder.path().join("sqlite")).unwrap();
    sqlite.execute_batch("CREATE TABLE meta (key, value)").unwrap();
    drop(sqlite);
    assert_eq!(open_code(&folder.path().join("sqlite"), &pair), "store_corrupt");

    let sqlite = rusqlite::Connection::open(&path).unwrap();
    sqlite.pragma_update(None, "user_version", 99).unwrap();
    drop(sqlite);
    let error = SqliteStore::open(&path, &pair, OPTIONS).unwrap_err();
    assert!(matches!(error, StoreOpenError::UnknownVersion { version: 99, .. }), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_its_files() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path, pair) = new_store();
    let store = SqliteStore::open(&path, &pair, OPTIONS).unwrap();
    assert_eq!(spend(&store, 1).await, GRANTED);
    for suffix in ["", "-wal", "-shm"] {
        let mode = fs::metadata(with_suffix(&path, suffix)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

#[tokio::test]
async fn a_lock_that_is_not_had_in_time_is_busy() {
    let (_folder, path, pair) = new_store();
    let store = SqliteStore::open(&path, &pair, OPTIONS).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(spend(&store, 1).await, Err(StoreError::Busy));
    assert_eq!(store.prune(1).await, Err(StoreError::Busy));
    // Opening writes, too, and does not wait longer.
    assert_eq!(open_code(&path, &pair), "store_busy");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(spend(&store, 1).await, GRANTED, "nothing was changed");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_deleted_or_replaced_gives_no_uses() {
    for suffix in ["", "-wal"] {
        let (folder, path, pair) = new_store();
        let store = SqliteStore::open(&path, &pair, OPTIONS).unwrap();
        assert_eq!(spend(&store, 1).await, GRANTED);
        let (file, aside) = (with_suffix(&path, suffix), folder.path().join("aside"));
        fs::rename(&file, &aside).unwrap();
        assert_eq!(spend(&store, 1).await, Err(StoreError::Replaced), "deleted {suffix}");
        fs::copy(&aside, &file).unwrap();
        let replaced = spend(&store, 1).await;
        assert!(
            matches!(replaced, Err(StoreError::Replaced) | Ok(SpendOutcome::Refused)),
            "replaced {suffix}: {replaced:?}"
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn another_store_in_its_place_gives_no_uses() {
    let (folder, path, pair) = new_store();
    let store = SqliteStore::open(&path, &pair, OPTIONS).unwrap();
    assert_eq!(spend(&store, 1).await, GRANTED);
    let fresh = folder.path().join("fresh");
    SqliteStore::create(&fresh, &PairId::random()).unwrap();
    fs::rename(&fresh, &path).unwrap();
    assert_eq!(spend(&store, 1).await, Err(StoreError::Replaced));
    assert_eq!(spend(&store, 1).await, Err(StoreError::Replaced));
}

#[tokio::test]
async fn pruning_is_remembered_against_a_clock_that_goes_back() {
    let (_folder, path, pair) = new_store();
    let store = SqliteStore::open(&path, &pair, OPTIONS).unwrap();
    assert_eq!(spend(&store, 1).await, GRANTED);
    assert_eq!(spend(&store, 2).await, GRANTED);
    assert_eq!(store.prune(LATER).await, Ok(0));
    assert_eq!(store.entries().await, Ok(2));
    assert_eq!(store.prune(LATER + 1).await, Ok(2));
    assert_eq!(store.entries().await, Ok(0));
    assert_eq!(spend(&store, 1).await, Err(StoreError::ClockSkew));
    drop(store);
    let store = SqliteStore::open(&path, &pair, OPTIONS).unwrap();
    assert_eq!(spend(&store, 1).await, Err(StoreError::ClockSkew));
}

#[tokio::test]
async fn pruning_works_in_chunks_and_at_open() {
    let (_folder, path, pair) = new_store();
    let store = SqliteStore::open(&path, &pair, OPTIONS).unwrap();
    let mut spends = Vec::new();
    for n in 0..1_700_u32 {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&n.to_be_bytes());
        let (hash, attempt) = (PaymentHash::from_bytes(hash), AttemptId::random());
        // Of a past long before this machine's clock, but for the last hundred.
        let keep_until = if n < 1_600 { 1_000 } else { LATER };
        let store = &store;
        spends.push(async move { store.spend(&hash, &attempt, 1, keep_until).await });
    }
    for outcome in futures_util::future::join_all(spends).await {
        assert_eq!(outcome, GRANTED);
    }
    assert_eq!(store.prune(1_001).await, Ok(1_600));
    assert_eq!(store.entries().await, Ok(100));
    drop(store);

    let sqlite = rusqlite::Connection::open(&path).unwrap();
    sqlite.execute_batch("UPDATE entries SET keep_until = 1000").unwrap();
    drop(sqlite);
    let options = SqliteOptions { prune_interval: Some(Duration::from_secs(3_600)), ..OPTIONS };
    let store = SqliteStore::open(&path, &pair, options).unwrap();
    // The first pruning is done before, or right after, the first step.
    assert_eq!(spend(&store, 1).await, GRANTED);
    assert_eq!(store.entries().await, Ok(1));
}

#[tokio::test]
async fn a_full_disk_gives_no_uses_and_recovers() {
    let Some(mount) = Mount::small_tmpfs() else { return };
    let (path, pair) = (mount.path().join("spends.sqlite"), PairId::random());
    SqliteStore::create(&path, &pair).unwrap();
    let store = SqliteStore::open(&path, &pair, OPTIONS).unwrap();
    assert_eq!(spend(&store, 1).await, GRANTED);
    let (mut granted, mut refused) = (vec![PaymentHash::from_bytes([1; 32])], 0);
    let mut filler = mount.fill();
    for _ in 0..400 {
        // What room the log still has is used up first, and closing it may make some.
        let hash = PaymentHash::from_bytes(rand32());
        match store.spend(&hash, &AttemptId::random(), 1, LATER).await {
            Ok(outcome) => {
                assert_eq!(Ok(outcome), GRANTED);
                granted.push(hash);
            }
            Err(error) => {
                assert!(error.to_string().contains("no space left"), "{error}");
                refused += 1;
                filler = mount.fill();
            }
        }
    }
    assert!(refused > 100, "{refused}");
    fs::remove_file(filler).unwrap();
    for hash in granted {
        let again = store.spend(&hash, &AttemptId::random(), 1, LATER).await;
        assert_eq!(again, Ok(SpendOutcome::Refused), "nothing was lost");
    }
    assert_eq!(spend(&store, 2).await, GRANTED, "it works again");
}

#[test]
fn a_read_only_folder_is_refused() {
    let (folder, path, pair) = new_store();
    let Some(mount) = Mount::read_only(folder.path()) else { return };
    let path = mount.path().join(path.file_name().unwrap());
    assert_eq!(open_code(&path, &pair), "store_read_only");
    let other = mount.path().join("other");
    assert_eq!(SqliteStore::create(&other, &pair).unwrap_err().code(), "store_io");
}

fn rand32() -> [u8; 32] {
    let (a, b) = (AttemptId::random(), AttemptId::random());
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(a.as_bytes());
    bytes[16..].copy_from_slice(b.as_bytes());
    bytes
}

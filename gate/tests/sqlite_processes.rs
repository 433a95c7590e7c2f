//! The embedded store between processes: this test starts itself again as a gateway would be.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use plannt_core::PaymentHash;
use plannt_gate::{AttemptId, PairId, SpendOutcome, SpendStore, SqliteOptions, SqliteStore};
use tempfile::TempDir;

const LATER: u64 = 4_000_000_000;
const HASHES: u8 = 100;
const WRITERS: usize = 4;
const ROLE: &str = "PLANNT_TEST_ROLE";
const STORE: &str = "PLANNT_TEST_STORE";
const PAIR: &str = "PLANNT_TEST_PAIR";

/// Single uses and bundles.
fn uses(n: u8) -> u32 {
    [1, 1, 2, 5][usize::from(n % 4)]
}

fn hash(n: u8) -> PaymentHash {
    PaymentHash::from_bytes([n; 32])
}

fn new_store() -> (TempDir, PathBuf, PairId) {
    let folder = tempfile::tempdir().unwrap();
    let (path, pair) = (folder.path().join("spends.sqlite"), PairId::random());
    SqliteStore::create(&path, &pair).unwrap();
    (folder, path, pair)
}

fn open(path: &Path, pair: &PairId) -> SqliteStore {
    // Four writers on a slow disk still get their turn within this, or the test fails.
    let options =
        SqliteOptions { busy_timeout: Duration::from_secs(10), ..SqliteOptions::default() };
    SqliteStore::open(path, pair, options).unwrap()
}

fn start(role: &str, path: &Path, pair: &PairId) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(ROLE, role)
        .env(STORE, path)
        .env(PAIR, pair.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Not a test of its own: what the started processes do.
#[tokio::test]
async fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let path = PathBuf::from(std::env::var_os(STORE).unwrap());
    let store = open(&path, &std::env::var(PAIR).unwrap().parse().unwrap());
    match role.as_str() {
        "writer" => writer(&store).await,
        "victim" => victim(&store).await,
        role => panic!("{role}"),
    }
}

/// Wants more of every payment than there is; prints what it got, and how long it waited at most.
async fn writer(store: &SqliteStore) {
    let mut longest = Duration::ZERO;
    for n in 0..HASHES {
        let tries = (0..uses(n) + 2).map(|_| async {
            let begin = Instant::now();
            let outcome = store.spend(&hash(n), &AttemptId::random(), uses(n), LATER).await;
            (outcome.expect("never busy for so long"), begin.elapsed())
        });
        for (outcome, waited) in futures_util::future::join_all(tries).await {
            longest = longest.max(waited);
            if let SpendOutcome::Granted { .. } = outcome {
                println!("granted {n}");
            }
        }
    }
    println!("longest {}", longest.as_millis());
}

/// Spends, says so, and waits to be killed.
async fn victim(store: &SqliteStore) {
    for n in 0..HASHES {
        let outcome = store.spend(&hash(n), &AttemptId::random(), 1, LATER).await.unwrap();
        assert_eq!(outcome, SpendOutcome::Granted { remaining: 0 });
        println!("granted {n}");
    }
    std::future::pending::<()>().await;
}

#[test]
fn four_writers_share_a_store() {
    let (_folder, path, pair) = new_store();
    let children: Vec<Child> = (0..WRITERS).map(|_| start("writer", &path, &pair)).collect();
    let mut granted = vec![0_u32; usize::from(HASHES)];
    for child in children {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        for line in text.lines() {
            if let Some(n) = line.strip_prefix("granted ") {
                granted[n.parse::<usize>().unwrap()] += 1;
            } else if let Some(longest) = line.strip_prefix("longest ") {
                assert!(longest.parse::<u64>().unwrap() < 10_000, "{line} ms");
            }
        }
    }
    let wanted: Vec<u32> = (0..HASHES).map(uses).collect();
    assert_eq!(granted, wanted);
}

#[tokio::test]
async fn what_a_killed_process_spent_stays_spent() {
    let (_folder, path, pair) = new_store();
    let mut child = start("victim", &path, &pair);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let enough = lines.by_ref().map(Result::unwrap).find(|line| line == "granted 49");
    // In the middle of its work.
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(enough.is_some());
    let said: Vec<String> = lines.map_while(Result::ok).collect();
    let last = said.iter().filter_map(|line| line.strip_prefix("granted ")).next_back();
    let last: u8 = last.map_or(49, |n| n.parse().unwrap());

    let store = open(&path, &pair);
    for n in 0..=last {
        let again = store.spend(&hash(n), &AttemptId::random(), 1, LATER).await;
        assert_eq!(again, Ok(SpendOutcome::Refused), "{n}");
    }
}

#[test]
fn a_store_is_closed_when_its_process_ends() {
    let (folder, path, pair) = new_store();
    let mut child = start("writer", &path, &pair);
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success(), "{text}");
    let names: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["spends.sqlite"], "its log is moved into the file");
}

//! Several processes over one journal: real ones, killed and all.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use plannt_client::{Budget, BudgetRule, Journal};
use plannt_core::Network;
use plannt_core::flow::Reservation;

use crate::support::*;

const ROLE: &str = "PLANNT_TEST_ROLE";
const JOURNAL: &str = "PLANNT_TEST_JOURNAL";

/// Runs this very test program as another process that plays a role.
fn spawn(home: &Home, role: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::another_process", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(JOURNAL, home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for a line of a child's that begins with `word`, and returns the rest of it.
fn line(child: &mut Child, word: &str) -> String {
    let mut reader = BufReader::new(child.stdout.as_mut().unwrap());
    loop {
        let mut text = String::new();
        assert!(reader.read_line(&mut text).unwrap() > 0, "the child ended before {word}");
        // The test harness may have begun the line.
        if let Some((_, rest)) = text.split_once(word) {
            return rest.trim().to_owned();
        }
    }
}

/// Not a test by itself: what the other processes do.
#[test]
fn another_process() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let journal = Journal::open(std::env::var_os(JOURNAL).unwrap()).unwrap();
    let say = |text: String| {
        println!("{text}");
        std::io::stdout().flush().unwrap();
    };
    match role.as_str() {
        "reserve" => {
            // All of them want the same 40 hashes, each under a request key of its own.
            let granted = (0..40)
                .filter(|seed| {
                    let mut intent = intent(*seed, "/");
                    intent.request.wallet = format!("{}-{seed}", std::process::id());
                    let reserved = journal.reserve(&intent, &Budget::unlimited(), NOW).unwrap();
                    reserved == Reservation::Granted
                })
                .count();
            say(format!("granted:{granted}"));
        }
        "lock" => {
            let _lock = journal.try_lock(&intent(1, "/").request).unwrap().unwrap();
            assert_eq!(reserve(&journal, &intent(1, "/")), Reservation::Granted);
            say("locked:".into());
            // Until it is killed.
            let _ = std::io::stdin().read_line(&mut String::new());
        }
        _ => panic!("{role}"),
    }
}

#[test]
fn four_processes_together_reserve_each_hash_once_and_never_pass_the_budget() {
    let home = Home::new();
    let limit = 25 * (AMOUNT_MSAT + FEE_MSAT) + 1;
    home.journal().set_budget(&Budget::new([BudgetRule::in_total(limit)])).unwrap();
    let mut children: Vec<Child> = (0..4).map(|_| spawn(&home, "reserve")).collect();
    let granted: usize = children
        .iter_mut()
        .map(|child| {
            let count: usize = line(child, "granted:").parse().unwrap();
            assert!(child.wait().unwrap().success());
            count
        })
        .sum();
    assert_eq!(granted, 25);
    let journal = home.journal();
    assert_eq!(journal.receipts(1_000).unwrap().len(), 25);
    let status = journal.budget_status(Network::Regtest, &Budget::unlimited(), NOW).unwrap()[0];
    assert_eq!((status.reserved_msat, status.left_msat), (limit - 1, 1));
}

#[test]
fn four_processes_open_a_new_journal_at_once() {
    let home = Home::new();
    let mut children: Vec<Child> = (0..4).map(|_| spawn(&home, "reserve")).collect();
    let granted: usize =
        children.iter_mut().map(|child| line(child, "granted:").parse::<usize>().unwrap()).sum();
    assert_eq!(granted, 40);
    assert!(children.iter_mut().all(|child| child.wait().unwrap().success()));
}

#[test]
fn a_killed_process_frees_its_key_and_leaves_its_intent() {
    let home = Home::new();
    let journal = home.journal();
    let key = intent(1, "/").request;
    let mut child = spawn(&home, "lock");
    line(&mut child, "locked:");
    assert!(journal.try_lock(&key).unwrap().is_none());
    // Another key is free.
    assert!(journal.try_lock(&intent(2, "/other").request).unwrap().is_some());
    // SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
    let lock = journal.try_lock(&key).unwrap();
    assert!(lock.is_some());
    assert_eq!(journal.unresolved("wallet").unwrap(), [intent(1, "/")]);
    drop(lock);
    assert!(journal.try_lock(&key).unwrap().is_some());
}

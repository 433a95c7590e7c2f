//! Invoices ahead of demand, over kills and between processes: each is in one challenge, ever.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::common::Service;
use crate::common::node::Node;
use plannt_lightning::devnet::{FaultKind, Operation};

fn challenges(service: &Service, count: usize, shown: &mut HashSet<String>) {
    for _ in 0..count {
        let answer = service.get("/v1/demo", None);
        assert_eq!(answer.status, 402, "{answer:?}");
        assert!(shown.insert(answer.challenge().1), "an invoice was shown twice");
    }
}

#[test]
fn no_invoice_is_in_two_challenges_over_kills_and_between_processes() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let home = folder.path().join("home");
    let args = ["--demo", "--invoice-pool", "96", "--challenges-per-minute", "100000"];
    let pool = home.join("gateway/invoices");
    // Those of the demo's route: the other one has a pool, too.
    let is_demos = |path: std::path::PathBuf| {
        std::fs::read_to_string(path).is_ok_and(|text| text.contains("\"amount_msat\":21000,"))
    };
    let files = || {
        let Ok(entries) = std::fs::read_dir(&pool) else { return 0 };
        entries.flatten().filter(|entry| is_demos(entry.path())).count()
    };
    let wait_for_files = || {
        let until = Instant::now() + Duration::from_secs(60);
        while files() < 2 {
            assert!(Instant::now() < until, "nothing is on the disk");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let mut shown = HashSet::new();
    for _ in 0..3 {
        let (one, other) = (node.serve(&home, &args), node.serve(&home, &args));
        wait_for_files();
        std::thread::scope(|scope| {
            let asked = [&one, &other].map(|service| {
                scope.spawn(move || {
                    let mut shown = HashSet::new();
                    challenges(service, 60, &mut shown);
                    shown
                })
            });
            for thread in asked {
                for invoice in thread.join().unwrap() {
                    assert!(shown.insert(invoice), "an invoice was shown twice");
                }
            }
        });
        wait_for_files();
        one.kill();
        other.kill();
    }
    // What is on the disk is there for the next start, also while the node is not.
    assert!(files() >= 2);
    node.devnet.faults().always(Operation::Any, FaultKind::Down);
    let service = node.serve(&home, &args);
    let until = Instant::now() + Duration::from_secs(20);
    let mut served = 0;
    while served < 2 {
        assert!(Instant::now() < until, "{served}");
        let answer = service.get("/v1/demo", None);
        if answer.status == 402 {
            assert!(shown.insert(answer.challenge().1), "an invoice was shown twice");
            served += 1;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

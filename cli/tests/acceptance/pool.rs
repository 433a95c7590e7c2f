//! Invoices ahead of demand, over kills and between processes: each is in one challenge, ever.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::node::Node;
use crate::common::{Service, plannt, try_raw};
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

/// The invoice of a challenge that came whole, from a service that may be killed meanwhile.
fn asked(address: SocketAddr) -> Option<String> {
    let request = format!("GET /v1/demo HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let answer = try_raw(address, &request).ok()?;
    let body: serde_json::Value = serde_json::from_str(&answer.body).ok()?;
    Some(body["invoice"].as_str()?.to_owned())
}

/// `plannt serve` that is killed at its `nth` step on a file, counted for each thread.
fn doomed(node: &Node, home: &Path, nth: u32) -> Child {
    // Which of them there are is not the same on every machine.
    let steps = "?rename,?renameat,?renameat2,?unlink,?unlinkat,fsync";
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={steps}")]);
    command.args(["-e", &format!("inject={steps}:signal=KILL:when={nth}"), "--"]);
    command.arg(plannt().get_program()).env("PLANNT_HOME", home);
    command.args(["serve", "--listen", "127.0.0.1:0", "--network", "regtest", "--demo"]);
    command.args(["--invoice-pool", "8", "--node", &node.devnet.invoicer_url()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Asks it to stop, if it is still there.
fn terminate(id: &str) {
    let _ = Command::new("kill").args(["-TERM", id]).stderr(Stdio::null()).status();
}

#[cfg(target_os = "linux")]
#[test]
fn killed_at_any_step_on_its_files_and_stopped_in_turns_it_shows_no_invoice_twice() {
    if !crate::durability::strace_works() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let home = folder.path().join("home");
    let mut shown = HashSet::new();
    let (mut killed, mut taken_up) = (0, 0);
    for nth in 1..=12 {
        // Stopped in order, so that there is something on the disk.
        let before: HashSet<_> = node.invoices().into_iter().collect();
        let mut service = node.serve(&home, &["--demo", "--invoice-pool", "8"]);
        for _ in 0..10 {
            let invoice = asked(service.address).unwrap();
            taken_up += u32::from(before.contains(&invoice));
            assert!(shown.insert(invoice), "shown twice, after a kill at step {}", nth - 1);
        }
        terminate(&service.child.id().to_string());
        assert!(service.child.wait().unwrap().success());

        // Killed at a step that takes something from there, or puts something back.
        let mut child = doomed(&node, &home, nth);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if let Some(address) = line.trim().strip_prefix("listening on http://") {
            let address = address.parse().unwrap();
            for invoice in (0..10).filter_map(|_| asked(address)) {
                assert!(shown.insert(invoice), "shown twice, before a kill at step {nth}");
            }
            let id = child.id();
            let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
            children.unwrap_or_default().split_whitespace().for_each(terminate);
            let status = child.wait().unwrap();
            assert!(status.success() || status.signal() == Some(9), "{status:?}");
            killed += u32::from(!status.success());
        } else {
            // At a step of its start.
            assert_eq!(child.wait().unwrap().signal(), Some(9));
        }
    }
    assert!(killed > 0, "no step was the last one");
    assert!(taken_up > 0, "what lay on the disk was never used");
}

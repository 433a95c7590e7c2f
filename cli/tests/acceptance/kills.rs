//! The client killed or interrupted anywhere: its journal stays true, and the next run pays nothing twice.

use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::node::Node;
use crate::common::{plannt, plannt_at, run};
use crate::durability::strace_works;
use plannt_lightning::devnet::{FaultKind, Operation};

/// What the last receipt of a journal says: the payment's state and its credential's.
fn last_receipt(home: &Path) -> (String, String) {
    let ran = run(plannt_at(home).args(["receipts", "--json"]));
    let Some(line) = ran.stdout.lines().last() else { return Default::default() };
    let receipt: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = |name: &str| receipt[name].as_str().unwrap_or_default().to_owned();
    (text("state"), text("credential"))
}

/// Kills `plannt` after its `nth` write to a file, whichever thread made it. Whether it got that far, and else succeeded.
fn killed_after_write(nth: usize, home: &Path, args: &[&str]) -> bool {
    let mut command = Command::new("strace");
    // Each write waits, so that the kill comes before the next one.
    command.args(["-f", "-qq", "-e", "trace=pwrite64", "-e", "inject=pwrite64:delay_enter=20000"]);
    command.arg("--").arg(plannt().get_program()).args(args).env("PLANNT_HOME", home);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut writes = lines.filter(|line| line.contains("pwrite64") && line.contains(" = "));
    if writes.nth(nth - 1).is_some() {
        let group = format!("-{}", child.id());
        assert!(Command::new("kill").args(["-KILL", "--", &group]).status().unwrap().success());
    }
    let status = child.wait().unwrap();
    assert!(status.success() || status.signal() == Some(9), "{status:?}");
    !status.success()
}

#[test]
fn killed_after_any_write_of_the_journal_it_pays_once() {
    if !strace_works() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(folder.path(), &["--demo"]);
    let wallet = node.devnet.payer_url();
    let url = service.url("/v1/demo");
    let args = ["--wallet", &wallet, "--network", "regtest", &url];
    let mut seen = std::collections::BTreeSet::new();
    for nth in 1.. {
        assert!(nth < 1_000, "it never ends by itself");
        let home = folder.path().join(format!("home-{nth}"));
        // With a journal there, since making one is many writes that no call has.
        let free = run(plannt_at(&home).args(&args[..4]).arg(service.url("/status")));
        assert_eq!(free.code, Some(0), "{free:?}");
        let paid_before = node.paid_msat().len();
        if !killed_after_write(nth, &home, &args) {
            break;
        }
        let (state, credential) = last_receipt(&home);
        let again = run(plannt_at(&home).args(args));
        let paid = node.paid_msat().len() - paid_before;
        match (state.as_str(), credential.as_str()) {
            // The intent was safe, and whether the wallet was asked is its to tell.
            ("intended", _) if again.code == Some(5) => assert_eq!(paid, 0, "{nth}: {again:?}"),
            // The server had answered and said `spent`: that credential is nobody's any more.
            ("paid", "spent") => assert_eq!((again.code, paid), (Some(0), 2), "{nth}: {again:?}"),
            // It had answered, and the journal did not get to know: told, and not paid again.
            ("paid", "undelivered") if again.code == Some(6) => {
                assert_eq!(paid, 1, "{nth}: {again:?}");
            }
            _ => assert_eq!((again.code, paid), (Some(0), 1), "{nth}: {state} {again:?}"),
        }
        seen.insert(format!("{state} {credential}"));
    }
    for stage in [" ", "intended ", "paid undelivered"] {
        assert!(seen.contains(stage), "no kill left {stage:?}: {seen:?}");
    }
}

#[test]
fn interrupted_while_the_payment_is_under_way_it_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(folder.path(), &["--demo"]);
    let wallet = node.devnet.payer_url();
    let fetch = || {
        let mut command = plannt_at(folder.path());
        command.args(["--wallet", &wallet, "--network", "regtest", &service.url("/v1/demo")]);
        command
    };
    node.devnet.faults().once(Operation::Pay, FaultKind::Stuck);
    let mut child = fetch().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while node.payments().is_empty() {
        std::thread::yield_now();
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let status = child.wait().unwrap();
    // What a shell shows as 130.
    assert_eq!(status.signal(), Some(2), "{status:?}");
    assert_eq!(last_receipt(folder.path()).0, "intended");

    let ran = run(&mut fetch());
    assert_eq!(ran.code, Some(5), "{ran:?}");
    node.settle_stuck();
    let ran = run(&mut fetch());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("paid nothing"), "{ran:?}");
    assert_eq!(node.paid_msat(), [21_000]);
}

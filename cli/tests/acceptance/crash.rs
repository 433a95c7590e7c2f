//! `kill -9` at the worst moments: nothing is spent twice, and nothing that was paid is lost.

use std::process::Stdio;

use crate::common::node::Node;
use crate::common::proxy::Proxy;
use crate::common::{plannt_at, run};
use plannt_lightning::devnet::{FaultKind, Operation};

#[test]
fn a_gateway_killed_after_a_200_still_knows_what_is_spent() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(folder.path(), &["--demo"]);
    let spent = node.buy(&service.get("/v1/demo", None));
    let unspent = node.buy(&service.get("/v1/demo", None));
    assert_eq!(service.get("/v1/demo", Some(&spent)).status, 200);
    service.kill();

    let service = node.serve(folder.path(), &["--demo"]);
    let again = service.get("/v1/demo", Some(&spent));
    assert_eq!((again.status, again.code().as_str()), (402, "spent"));
    // What was paid before the crash is good after it.
    assert_eq!(service.get("/v1/demo", Some(&unspent)).status, 200);
}

#[test]
fn a_client_killed_between_payment_and_retry_pays_once() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(folder.path(), &["--demo"]);
    let proxy = Proxy::start(service.address);
    let url = format!("http://{}/v1/demo", proxy.address);
    let wallet = node.devnet.payer_url();
    let fetch = || {
        let mut command = plannt_at(folder.path());
        command.args(["--wallet", &wallet, "--network", "regtest", &url]);
        command
    };

    proxy.hold_credentials();
    let mut killed = fetch().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    proxy.wait_for_held();
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(node.paid_msat(), [21_000]);

    proxy.let_through();
    let ran = run(&mut fetch());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("verified"), "{ran:?}");
    assert!(ran.stderr.contains("paid nothing"), "{ran:?}");
    assert_eq!(node.paid_msat(), [21_000]);

    // And that credential is spent: the next call pays anew.
    assert_eq!(run(&mut fetch()).code, Some(0));
    assert_eq!(node.paid_msat(), [21_000, 21_000]);
}

#[test]
fn a_payment_that_hangs_is_waited_for_and_never_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(folder.path(), &["--demo"]);
    let wallet = node.devnet.payer_url();
    let fetch = || {
        run(plannt_at(folder.path())
            .args(["--wallet", &wallet, "--network", "regtest", "--payment-timeout", "1s"])
            .arg(service.url("/v1/demo")))
    };

    node.devnet.faults().once(Operation::Pay, FaultKind::Stuck);
    for _ in 0..2 {
        let ran = fetch();
        assert_eq!(ran.code, Some(5), "{ran:?}");
        assert_eq!(ran.stdout, "");
    }
    assert_eq!(node.payments().len(), 1);
    node.settle_stuck();
    let ran = fetch();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("verified"), "{ran:?}");
    assert_eq!(node.paid_msat(), [21_000]);
}

#[test]
fn a_lost_reply_is_looked_up_and_not_paid_again() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(folder.path(), &["--demo"]);
    node.devnet.faults().once(Operation::Pay, FaultKind::ReplyLost);
    let ran = run(plannt_at(folder.path())
        .args(["--wallet", &node.devnet.payer_url(), "--network", "regtest"])
        .arg(service.url("/v1/demo")));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(node.paid_msat(), [21_000]);
}

#[test]
fn a_node_that_is_down_gives_no_access_and_takes_no_money() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(folder.path(), &["--demo"]);
    let bought = node.buy(&service.get("/v1/demo", None));

    node.devnet.faults().always(Operation::Issue, FaultKind::Down);
    let answer = service.get("/v1/demo", None);
    assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"));
    assert!(answer.head.to_ascii_lowercase().contains("retry-after: "), "{answer:?}");
    // A valid credential needs no node.
    assert_eq!(service.get("/v1/demo", Some(&bought)).status, 200);
    node.devnet.faults().clear();

    node.devnet.faults().always(Operation::Pay, FaultKind::NoRoute);
    let fetch = || {
        run(plannt_at(folder.path())
            .args(["--wallet", &node.devnet.payer_url(), "--network", "regtest"])
            .arg(service.url("/v1/demo")))
    };
    let ran = fetch();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), ""), "{ran:?}");
    assert!(ran.stderr.contains("no_route"), "{ran:?}");
    node.devnet.faults().clear();
    assert_eq!(fetch().code, Some(0));
    assert_eq!(node.paid_msat(), [21_000, 21_000]);
}

#[test]
fn what_a_crash_left_in_flight_is_settled_by_the_next_call_whatever_it_is_for() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(folder.path(), &["--demo"]);
    let wallet = node.devnet.payer_url();
    let fetch = |path: &str| {
        run(plannt_at(folder.path())
            .args(["--wallet", &wallet, "--network", "regtest", "--payment-timeout", "1s"])
            .arg(service.url(path)))
    };
    let states = || {
        let ran = run(plannt_at(folder.path()).args(["receipts", "--json"]));
        let state = |line: &str| {
            let receipt: serde_json::Value = serde_json::from_str(line).unwrap();
            receipt["state"].as_str().unwrap().to_owned()
        };
        ran.stdout.lines().map(state).collect::<Vec<_>>()
    };
    node.devnet.faults().once(Operation::Pay, FaultKind::Stuck);
    assert_eq!(fetch("/v1/data").code, Some(5));
    assert_eq!(states(), ["in_flight"]);
    node.settle_stuck();
    assert_eq!(fetch("/v1/demo").code, Some(0));
    assert_eq!(states(), ["paid", "paid"]);
    // Its credential waits for its own request.
    assert_eq!(fetch("/v1/data").code, Some(0));
    assert_eq!(node.paid_msat(), [100_000, 21_000]);
}

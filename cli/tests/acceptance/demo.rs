//! `plannt demo`, and the whole promise with `plannt serve --demo` running.

use crate::common::node::Node;
use crate::common::{Service, plannt, plannt_at, run};

#[test]
fn the_demo_plays_the_five_steps_and_shows_the_replay_refused() {
    let ran = run(plannt().arg("demo"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let mut rest = ran.stdout.as_str();
    for line in [
        "GET /v1/demo HTTP/1.1",
        "HTTP/1.1 402 Payment Required",
        "WWW-Authenticate: L402 macaroon=\"",
        "paid 21000 msat",
        "Authorization: L402 ",
        "HTTP/1.1 200 OK",
        "x-l402: spent",
        r#"{"result":"verified"}"#,
        "The same credential again",
        "HTTP/1.1 402 Payment Required",
        r#""code":"spent""#,
        "paid cycle: ",
        "HTTP/1.1 200 OK",
        "x-l402: spent",
        r#"{"result":"verified"}"#,
    ] {
        let at = rest.find(line).unwrap_or_else(|| panic!("{line:?} is not in {rest}"));
        rest = &rest[at + line.len()..];
    }
}

#[test]
fn the_402_is_the_protocols_to_the_byte() {
    let home = tempfile::tempdir().unwrap();
    let service = Service::demo(home.path());
    let answer = service.get("/v1/demo", None);
    let (token, invoice) = answer.challenge();

    // The first such line, in exactly this form and spelling.
    let first = answer
        .head
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("www-authenticate:"))
        .unwrap();
    assert_eq!(
        first,
        format!(
            r#"WWW-Authenticate: L402 macaroon="{token}", invoice="{invoice}", version="0", token="{token}""#
        )
    );
    assert!(answer.body.starts_with(&format!(
        r#"{{"error":"Payment Required","invoice":"{invoice}","format":"L402 {token}:<preimage>","#
    )));
    assert_eq!(answer.head.lines().next(), Some("HTTP/1.1 402 Payment Required"));
    let body = answer.json();
    assert_eq!(body["authorization_format"], body["format"]);
    assert_eq!(
        (body["price_msat"].as_u64(), body["price_sats"].as_u64()),
        (Some(21_000), Some(21))
    );
    assert_eq!(body["code"], "payment_required");
    assert_eq!(body["service"], "demo");
    for line in ["cache-control: no-store", "content-type: application/json"] {
        assert!(answer.head.to_ascii_lowercase().contains(line), "{answer:?}");
    }
    // Another request, another invoice.
    assert_ne!(service.get("/v1/demo", None).challenge().1, invoice);
}

#[test]
fn the_cli_pays_and_writes_the_body_alone_to_standard_output() {
    let home = tempfile::tempdir().unwrap();
    let service = Service::demo(home.path());

    let quoted = run(plannt_at(home.path()).args(["--dry-run", &service.url("/v1/demo")]));
    assert_eq!(quoted.code, Some(0), "{quoted:?}");
    assert!(quoted.stderr.contains("21 sat"), "{quoted:?}");
    assert_eq!(quoted.stdout, "");

    let paid = run(plannt_at(home.path()).arg(service.url("/v1/demo")));
    assert_eq!(paid.code, Some(0), "{paid:?}");
    let body: serde_json::Value = serde_json::from_str(&paid.stdout).unwrap();
    assert_eq!(body["result"], "verified");
    assert!(paid.stderr.contains("paid 21 sat"), "{paid:?}");

    let included = run(plannt_at(home.path()).args(["-i", &service.url("/v1/demo")]));
    assert!(included.stdout.starts_with("HTTP/1.1 200 OK\r\n"), "{included:?}");
    assert!(included.stdout.contains("x-l402: spent\r\n"), "{included:?}");

    let file = home.path().join("body.json");
    let written =
        run(plannt_at(home.path()).args(["-s", "-o"]).arg(&file).arg(service.url("/v1/data")));
    assert_eq!((written.code, written.stdout.as_str(), written.stderr.as_str()), (Some(0), "", ""));
    assert!(std::fs::read_to_string(&file).unwrap().starts_with('{'));

    // The dry run bought nothing: three payments.
    let receipts = run(plannt_at(home.path()).args(["receipts", "--json"]));
    let amounts: Vec<u64> = receipts
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["amount_msat"].clone())
        .map(|amount| amount.as_u64().unwrap())
        .collect();
    assert_eq!(amounts.len(), 3, "{receipts:?}");
    assert_eq!(amounts.iter().sum::<u64>(), 142_000);
}

#[test]
fn a_free_answer_is_handed_through_without_a_wallet() {
    let home = tempfile::tempdir().unwrap();
    let service = Service::demo(home.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let ran = run(plannt_at(elsewhere.path()).arg(service.url("/status")));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.starts_with('{'));
    // A paid one needs one, and says so.
    let ran = run(plannt_at(elsewhere.path()).arg(service.url("/v1/demo")));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("wallet"), "{ran:?}");
}

#[test]
fn limits_are_kept_before_anything_is_paid() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(folder.path(), &["--demo"]);
    let wallet = node.devnet.payer_url();
    let fetch = |args: &[&str]| {
        let mut command = plannt_at(folder.path());
        command.args(["--wallet", &wallet, "--network", "regtest"]).args(args);
        run(command.arg(service.url("/v1/demo")))
    };
    for (args, code) in [
        (&["--max-sats", "20"][..], "above_limit"),
        (&["--max-sats-per-day", "30"][..], "budget_exceeded"),
        (&["--max-fee-sats", "980"][..], "above_limit"),
        (&["--allow-host", "api.example"][..], "host_not_allowed"),
    ] {
        let ran = fetch(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{args:?} {ran:?}");
        assert!(ran.stderr.contains(code), "{args:?} {ran:?}");
    }
    // Mainnet's wallet does not pay play money.
    let ran = run(plannt_at(folder.path())
        .args(["--wallet", wallet.replace("&network=regtest", "").as_str(), "--network", "bitcoin"])
        .arg(service.url("/v1/demo")));
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("wrong_network"), "{ran:?}");
    assert!(node.payments().is_empty());

    // A limit of exactly the price leaves no room for a fee, and none is needed here.
    assert_eq!(fetch(&["--max-sats", "21"]).code, Some(0));
    // The budget counts what was spent, whatever later calls' own limits are.
    let ran = fetch(&["--max-sats-per-day", "41"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(node.paid_msat(), [21_000]);
}

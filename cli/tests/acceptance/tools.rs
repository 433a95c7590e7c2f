//! The commands that neither pay nor serve.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::common::node::Node;
use crate::common::{plannt, plannt_at, run};

#[test]
fn decode_reads_whatever_the_protocol_writes_and_repeats_no_preimage() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(folder.path(), &["--demo"]);
    let challenge = service.get("/v1/demo", None);
    let (token, invoice) = challenge.challenge();
    let decode = |text: &str| {
        let ran = run(plannt().args(["decode", "--json", text]));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap()
    };

    let header = decode(challenge.header("WWW-Authenticate").unwrap());
    assert_eq!(header["payment_hash_matches"], true);
    assert_eq!(decode(&challenge.body)["invoice"], header["invoice"]);
    assert_eq!(decode(&invoice)["amount_msat"], 21_000);
    assert_eq!(decode(&token)["payment_hash"], challenge.json()["payment_hash"]);

    let credential = node.buy(&challenge);
    let preimage = credential.rsplit_once(':').unwrap().1.to_owned();
    let ran = run(plannt().args(["decode", &credential]));
    assert!(ran.stdout.contains("preimage_matches: true"), "{ran:?}");
    assert!(ran.stdout.contains("demo_path=/v1/demo"), "{ran:?}");
    assert!(!ran.stdout.contains(&preimage));

    // From standard input, too.
    let mut child =
        plannt().arg("decode").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(invoice.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(String::from_utf8(out.stdout).unwrap().contains("21000 (21 sat)"));

    for nonsense in ["", "hello", "lnbc1", "L402 x:y", "{}", &invoice.replace("210n", "220n")] {
        let ran = run(plannt().args(["decode", "--", nonsense]));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{nonsense:?} {ran:?}");
    }
}

#[test]
fn keygen_makes_and_rotates_a_keyring_that_old_credentials_outlive() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let keygen = |args: &[&str]| run(plannt_at(folder.path()).arg("keygen").args(args));

    assert_eq!(keygen(&["--rotate"]).code, Some(2));
    let made = keygen(&["--network", "regtest"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let path = folder.path().join("gateway/keyring.json");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let key = serde_json::from_slice::<serde_json::Value>(&std::fs::read(&path).unwrap()).unwrap();
    let key = key["keys"][0]["root_key"].as_str().unwrap().to_owned();
    assert!(!made.stdout.contains(&key));
    // It never overwrites one.
    assert_eq!(keygen(&["--network", "regtest"]).code, Some(2));

    let service = node.serve(folder.path(), &["--demo"]);
    let old = node.buy(&service.get("/v1/demo", None));
    let older = node.buy(&service.get("/v1/demo", None));
    service.kill();
    assert_eq!(keygen(&["--rotate"]).stdout.lines().count(), 3);
    let service = node.serve(folder.path(), &["--demo"]);
    assert_eq!(service.get("/v1/demo", Some(&old)).status, 200);
    assert_eq!(service.get("/v1/demo", Some(&old)).code(), "spent");
    let new = node.buy(&service.get("/v1/demo", None));
    assert_eq!(service.get("/v1/demo", Some(&new)).status, 200);
    service.kill();

    assert_eq!(keygen(&["--drop-older"]).stdout.lines().count(), 2);
    let service = node.serve(folder.path(), &["--demo"]);
    assert_eq!(service.get("/v1/demo", Some(&older)).code(), "invalid_credential");
}

#[test]
fn a_wrong_command_line_says_so_and_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (args, message) in [
        (&[][..], "required"),
        (&["serve"][..], "--demo"),
        (&["serve", "--upstream", "http://127.0.0.1:1"][..], "--price-sats"),
        (&["serve", "--upstream", "http://127.0.0.1:1", "--price-sats", "0"][..], "price-sats"),
        (&["serve", "--upstream", "http://127.0.0.1:1", "--price-sats", "1"][..], "--node"),
        (&["serve", "--demo", "--node", "nonsense://x"][..], "scheme"),
        (&["-H", "no colon", "http://127.0.0.1:1/"][..], "colon"),
        (&["ftp://127.0.0.1/"][..], "http"),
        (&["-d", "@/no/such/file", "http://127.0.0.1:1/"][..], "/no/such/file"),
    ] {
        let ran = run(plannt_at(folder.path()).args(args));
        assert!(ran.code.is_some_and(|code| code == 1 || code == 2), "{args:?} {ran:?}");
        assert!(ran.stderr.contains(message), "{args:?} {ran:?}");
        assert_eq!(ran.stdout, "");
    }
    assert_eq!(run(plannt_at(folder.path()).arg("http://127.0.0.1:1/")).code, Some(7));
}

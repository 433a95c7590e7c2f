//! `plannt conformance server|client`: this project's own server and client pass every check over the
//! wire, but those that `conformance/expected-failures.txt` names.

use std::process::Command;

use crate::common::node::Node;
use crate::common::{Ran, Service, plannt, run, upstream};

fn expected_failures() -> String {
    format!("{}/../conformance/expected-failures.txt", env!("CARGO_MANIFEST_DIR"))
}

fn conformance(args: &[&str]) -> Command {
    let mut command = plannt();
    command.args(["conformance", args[0], "--strict"]);
    command.args(["--expected-failures", &expected_failures()]).args(&args[1..]);
    command
}

/// The run was a success, and skipped no checks but those whose ids begin so.
fn passes(ran: &Ran, skipped: &[&str]) {
    let found = ran
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("  skipped "))
        .filter_map(|line| line.split_whitespace().nth(1));
    for id in found {
        assert!(
            skipped.iter().any(|begins| id.starts_with(begins)),
            "skipped {id}: {}",
            ran.stdout
        );
    }
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
}

fn server(node: &Node, service: &Service, args: &[&str]) -> Ran {
    let (url, wallet) = (service.url("/v1/demo"), node.devnet.payer_url());
    let mut command = conformance(&["server", &url, "--wallet", &wallet]);
    run(command.args(args))
}

#[test]
fn the_demo_service_passes_every_check_of_servers() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let model = format!("http://{}", upstream::start());
    let limit = ["--challenges-per-minute", "6000"];
    let service =
        node.serve(folder.path(), &[&["--demo", "--generate-url", &model], &limit[..]].concat());
    let junit = folder.path().join("report.xml");
    let mut args = vec!["--paid-path", "/v1/data", "--free-path", "/status"];
    args.extend(["--missing-path", "/nothing"]);
    args.extend(["--post-path", "/v1/generate", "--post-body", r#"{"prompt":"hello","n": 1}"#]);
    args.extend(["--junit", junit.to_str().unwrap()]);
    let ran = server(&node, &service, &args);
    // The proxy's routes bind the query, and the limit has a service of its own.
    passes(&ran, &["server.binding.query", "server.limit"]);
    let xml = std::fs::read_to_string(junit).unwrap();
    assert!(xml.contains("failures=\"0\"") && xml.contains("server.replay.race: "), "{xml}");
}

#[test]
fn the_limit_of_challenges_passes_its_checks() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    // So few that a slow machine reaches it.
    let service = node.serve(folder.path(), &["--demo", "--challenges-per-minute", "12"]);
    let args = ["--only", "server.limit", "--probe-limit", "500"];
    passes(&server(&node, &service, &args), &[]);
}

#[test]
fn a_reverse_proxy_passes_every_check_of_servers() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let behind = format!("http://{}", upstream::start());
    let args = ["--upstream", &behind, "--price-sats", "3", "--challenges-per-minute", "6000"];
    let service = node.serve(folder.path(), &args);
    let ran = server(&node, &service, &["--paid-path", "/v1/data"]);
    // What the demo service has: a body that is bound, a free path, no route, a limit, and CORS.
    let not_here = [
        "server.around.credential_on_free",
        "server.around.x_l402_from_client",
        "server.binding.body",
        "server.cors",
        "server.head.free",
        "server.limit",
        "server.path.not_found",
    ];
    passes(&ran, &not_here);
}

#[test]
fn our_client_passes_every_check_of_clients() {
    let client = env!("CARGO_BIN_EXE_plannt");
    let ran = run(conformance(&["client", "--", client, "{url}"]).env_remove("PLANNT_HOME"));
    passes(&ran, &["client.transport.plain_http"]);
}

#[test]
fn our_client_passes_while_it_follows_redirects() {
    let client = env!("CARGO_BIN_EXE_plannt");
    let args = ["client", "--only", "client.redirect", "--only", "client.untouched"];
    passes(&run(conformance(&args).args(["--", client, "-L", "--silent", "{url}"])), &[]);
}

#[test]
fn a_client_that_pays_too_much_or_never_is_caught() {
    let client = env!("CARGO_BIN_EXE_plannt");
    let dear = ["client", "--only", "client.refuses.dear_and_payable", "--"];
    let ran = run(conformance(&dear).args([client, "--max-sats", "300000000", "{url}"]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("the node was asked to pay 200000000000 msat"), "{ran:?}");

    let two = ["--only", "client.untouched.challenge_on_200", "--only", "client.pays.protocol"];
    let ran = run(conformance(&["client"]).args(two).args(["--", "curl", "-sS", "{url}"]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("passed  must   client.untouched.challenge_on_200"), "{ran:?}");
    assert!(ran.stdout.contains("FAILED  must   client.pays.protocol"), "{ran:?}");
}

#[test]
fn an_expected_failure_that_passes_fails_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("expected.txt");
    std::fs::write(&file, "client.untouched.free  it is said to fail\n").unwrap();
    let client = env!("CARGO_BIN_EXE_plannt");
    let mut command = plannt();
    command.args(["conformance", "client", "--only", "client.untouched.free"]);
    command.args(["--expected-failures", file.to_str().unwrap(), "--", client, "{url}"]);
    let ran = run(&mut command);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("take it off the list"), "{ran:?}");
    std::fs::write(&file, "client.no.such  reason\n").unwrap();
    assert_eq!(run(&mut command).code, Some(2));
}

#[test]
fn the_checks_are_listed_with_their_sentences() {
    let ran = run(plannt().args(["conformance", "server", "--list"]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("must   server.replay.same\n       docs/PROTOCOL.md"), "{ran:?}");
}

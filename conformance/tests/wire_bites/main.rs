//! The checks over the wire find the flaws that deployed servers and clients were seen to have.
#![cfg(feature = "wire")]
#![allow(clippy::unwrap_used)]

mod careless_client;
mod sloppy_server;

use std::path::Path;
use std::time::Duration;

use plannt_conformance::Outcome;
use plannt_conformance::wire::{ClientOptions, ServerOptions, WireReport, run_client, run_server};

fn fails(report: &WireReport, id: &str) {
    let outcome = report.outcome(id);
    assert!(matches!(outcome, Some(Outcome::Failed { .. })), "{id}: {outcome:?}\n{report}");
}

fn passes(report: &WireReport, id: &str) {
    assert_eq!(report.outcome(id), Some(&Outcome::Passed), "{id}\n{report}");
}

#[tokio::test]
async fn a_sloppy_server_fails_where_it_is_sloppy() {
    let server = sloppy_server::Sloppy::start().await;
    let mut options =
        ServerOptions::new(server.url("/one").parse().unwrap(), server.devnet.payer_url());
    options.paid = vec!["/two".into()];
    let report = run_server(&options).await.unwrap();
    assert!(!report.is_success());
    for id in [
        "server.answers.never_401",
        "server.attenuation.more_uses",
        "server.attenuation.wider_time",
        "server.binding.path",
        "server.body.price",
        "server.challenge.no_store",
        "server.challenge.order",
        "server.credential.lsat",
        "server.expiry.compared_as_number",
        "server.forgery.caveat_removed",
        "server.forgery.own_root_key",
        "server.forgery.signature",
        "server.head.never_spends",
        "server.head.no_invoice",
        "server.malformed.junk_after",
        "server.replay.attenuated",
        "server.replay.lower_case_scheme",
        "server.replay.race_of_attenuations",
        "server.replay.upper_case_hex",
    ] {
        fails(&report, id);
    }
    // It is not wrong in everything, and the suite does not say so.
    for id in [
        "server.challenge.complete",
        "server.challenge.fresh",
        "server.credential.accepted",
        "server.invoice.hash_in_token",
        "server.replay.race",
        "server.replay.same",
    ] {
        passes(&report, id);
    }
}

#[tokio::test]
async fn a_careless_client_fails_where_it_is_careless() {
    // This program again, as the client: see `careless_client::process`.
    let program = std::env::current_exe().unwrap();
    let filter = ["careless_client::process", "--exact", "--nocapture", "{url}"];
    let mut command = vec![Path::new(&program).as_os_str().to_owned()];
    command.extend(filter.map(Into::into));
    let mut options = ClientOptions::new(command);
    // It hangs on what has no end, as a flaw more.
    options.timeout = Duration::from_secs(5);
    let report = run_client(&options).await.unwrap();
    assert!(!report.is_success());
    for id in [
        "client.ambiguous.invoice_twice",
        "client.once.endless_402",
        "client.once.hung_up_when_paid",
        "client.redirect.to_a_challenge_elsewhere",
        "client.redirect.credential_elsewhere",
        "client.refuses.bitcoin_network",
        "client.refuses.dear_and_payable",
        "client.refuses.expired",
        "client.refuses.hash_unlike_macaroon",
        "client.refuses.no_amount",
        "client.refuses.part_of_a_msat",
        "client.refuses.whole_bitcoin",
        "client.secrets.not_printed",
        "client.transport.endless_challenge_body",
        "client.untouched.challenge_on_200",
        "client.wallet.wrong_preimage",
    ] {
        fails(&report, id);
    }
    for id in [
        "client.echo.same_request",
        "client.pays.macaroon_and_invoice",
        "client.pays.protocol",
        "client.untouched.free",
    ] {
        passes(&report, id);
    }
}

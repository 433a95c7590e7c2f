//! The devnet itself: what it keeps, who may do what, and how it is found.

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use common::{client, failed, invoice, is_paid, net, paid, pay_request, start, unknown};
use plannt_lightning::devnet::{
    Account, Control, Devnet, DevnetConfig, DevnetFile, Fault, FaultKind, Operation,
};
use plannt_lightning::{
    InvoiceRequest, InvoiceState, Invoicer, LightningError, PayFailure, PayOutcome, Payer,
    PaymentState, invoicer_from_url, payer_from_url,
};

#[tokio::test]
async fn a_restart_keeps_everything_and_the_urls_of_the_new_port_work() {
    let net = net().await;
    let (done, open, stuck) =
        (net.invoice(21_000).await, net.invoice(1_000).await, net.invoice(2_000).await);
    paid(net.payer.pay(&done).await);
    net.devnet.faults().once(Operation::Pay, FaultKind::Stuck);
    unknown(net.payer.pay(&stuck).await);
    let (name, certificate) =
        (net.payer.wallet_id(), fs::read(net.folder.path().join("tls.cert")).expect("a file"));
    let old = net.devnet.payer_url();
    net.devnet.shutdown().await;
    assert_eq!(DevnetFile::read(net.folder.path()), None);
    assert_eq!(client(&old).balance_msat().await.expect_err("gone").code(), "node_unreachable");

    let devnet = start(&net.folder).await;
    let payer = client(&devnet.payer_url());
    assert_eq!(fs::read(net.folder.path().join("tls.cert")).expect("a file"), certificate);
    assert_eq!(payer.wallet_id(), name);
    assert_eq!(payer.balance_msat().await, Ok(10_000_000_000 - 21_007 - 2_007));
    assert!(is_paid(payer.look_up_payment(&done.payment_hash).await));
    let state = payer.look_up_payment(&stuck.payment_hash).await;
    assert!(matches!(state, Ok(PaymentState::InFlight)));
    devnet.settle(&stuck.payment_hash).await.expect("settled");
    paid(payer.pay(&open).await);
    let merchant = client(&devnet.invoicer_url());
    assert_eq!(merchant.balance_msat().await, Ok(24_000));
}

#[tokio::test]
async fn a_data_folder_serves_one_devnet_at_a_time() {
    let net = net().await;
    let second = Devnet::start(DevnetConfig::new(net.folder.path())).await;
    assert_eq!(second.expect_err("in use").code(), "devnet_in_use");
    net.balance().await;
    // Dropping the handle is enough.
    drop(net.devnet);
    start(&net.folder).await;
}

#[tokio::test]
async fn the_files_are_the_owners_alone() {
    let net = net().await;
    for name in [
        "devnet.json",
        "devnet.sqlite",
        "devnet.sqlite-wal",
        "merchant.macaroon",
        "other.macaroon",
        "payer.macaroon",
        "tls.key",
    ] {
        let mode = fs::metadata(net.folder.path().join(name)).expect(name).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let file = DevnetFile::read(net.folder.path()).expect("devnet.json");
    assert_eq!(file.pid, std::process::id());
    assert_eq!(file.listen, net.devnet.local_addr());
    assert_eq!(file.payer_url, net.devnet.payer_url());
    assert_eq!(
        payer_from_url(&file.payer_url).expect("a payer").balance_msat().await,
        Ok(10_000_000_000)
    );
    let made = invoicer_from_url(&file.invoicer_url).expect("an invoicer");
    assert_eq!(made.network(), Some(plannt_core::Network::Regtest));
}

#[tokio::test]
async fn a_folder_name_may_hold_anything() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a b+c&d=e%41ü");
    let devnet = Devnet::start(DevnetConfig::new(&path)).await.expect("a devnet");
    let payer = payer_from_url(&devnet.payer_url()).expect("a payer");
    payer.balance_msat().await.expect("a balance");
}

#[tokio::test]
async fn accounts_are_told_apart_by_their_macaroons() {
    let net = net().await;
    let other = client(&net.devnet.url("other").expect("an account"));
    assert_eq!(other.balance_msat().await, Ok(0));
    let request = net.invoice(21_000).await;
    assert_eq!(failed(other.pay(&request).await), PayFailure::InsufficientBalance);
    assert_eq!(other.look_up_invoice(&request.payment_hash).await, Ok(InvoiceState::NotFound));
    paid(net.payer.pay(&request).await);
    let state = net.payer.look_up_payment(&request.payment_hash).await;
    assert!(is_paid(state));
    // Another wallet cannot pay the same hash again, and learns no preimage.
    paid(net.payer.pay(&invoice(&other, 50_000).await).await);
    assert_eq!(failed(other.pay(&request).await), PayFailure::IncorrectPaymentDetails);
    assert_eq!(net.devnet.url("nobody"), None);

    let stranger = net.devnet.payer_url().replace("payer.macaroon", "devnet.json");
    let error = client(&stranger).balance_msat().await.expect_err("a stranger");
    assert_eq!(error.code(), "node_auth");
    let failure = failed(client(&stranger).pay(&net.invoice(1_000).await).await);
    assert_eq!(failure.code(), "node_auth");
}

#[tokio::test]
async fn a_node_does_not_pay_itself_or_what_it_cannot_reach() {
    let net = net().await;
    let own = invoice(&net.payer, 21_000).await;
    assert_eq!(failed(net.payer.pay(&own).await).code(), "rejected");
    // A node of another network of the same kind.
    let elsewhere = common::net().await;
    let request = elsewhere.invoice(21_000).await;
    assert_eq!(failed(net.payer.pay(&request).await), PayFailure::NoRoute);
}

#[tokio::test]
async fn many_payers_of_one_invoice_move_money_once() {
    let net = net().await;
    let rich = client(&net.devnet.url("other").expect("an account"));
    paid(net.payer.pay(&invoice(&rich, 1_000_000).await).await);
    let before = net.merchant.balance_msat().await.expect("a balance");
    let request = net.invoice(21_000).await;
    let payers = [&net.payer, &rich, &net.payer, &rich, &net.payer, &rich];
    let outcomes = futures_util::future::join_all(payers.map(|p| p.pay(&request))).await;
    let paid = outcomes.iter().filter(|o| matches!(o, PayOutcome::Paid(_))).count();
    assert!((1..=3).contains(&paid), "{outcomes:?}");
    assert_eq!(net.merchant.balance_msat().await, Ok(before + 21_000));
    let payments = net.devnet.payments().await.expect("payments");
    let of_hash = payments.iter().filter(|p| p.payment_hash == request.payment_hash.to_string());
    assert_eq!(of_hash.filter(|p| p.status == "SUCCEEDED").count(), 1);
}

#[tokio::test]
async fn switches_work_from_another_process_also_while_it_plays_dead() {
    let net = net().await;
    let control = Control::open(net.folder.path()).expect("a control");
    let request = net.invoice(21_000).await;
    let down = Fault { operation: Operation::Any, kind: FaultKind::Down, count: None };
    control.set_fault(&down).await.expect("set");
    assert_eq!(control.faults().await.expect("faults"), [down]);
    assert_eq!(failed(net.payer.pay(&request).await).code(), "node_unreachable");
    control.clear_faults().await.expect("cleared");

    net.devnet.faults().once(Operation::Pay, FaultKind::Stuck);
    assert_eq!(unknown(net.payer.pay(&request).await), LightningError::TimeoutUnknown);
    control.settle(&request.payment_hash).await.expect("settled");
    let error = control.fail(&request.payment_hash).await.expect_err("it has ended");
    assert_eq!(error.code(), "devnet_not_in_flight");
    let payments = control.payments().await.expect("payments");
    assert_eq!(payments, net.devnet.payments().await.expect("payments"));
    assert_eq!((payments.len(), payments[0].amount_msat, payments[0].fee_msat), (1, 21_000, 7));
    let invoices = control.invoices().await.expect("invoices");
    assert_eq!((invoices.len(), invoices[0].state.as_str()), (1, "SETTLED"));

    net.devnet.shutdown().await;
    assert_eq!(control.faults().await.expect_err("gone").code(), "devnet_not_running");
    let error = Control::open(net.folder.path()).expect_err("gone");
    assert_eq!(error.code(), "devnet_not_running");
}

#[tokio::test]
async fn accounts_are_checked_before_anything_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    for account in [
        Account::new("../x", 0),
        Account::new("", 0),
        Account::new("x".repeat(65), 0),
        Account::new("x", u64::MAX),
    ] {
        let config = DevnetConfig::new(folder.path()).account(account);
        assert_eq!(Devnet::start(config).await.expect_err("refused").code(), "devnet_config");
    }
    let config = DevnetConfig::new(folder.path()).account(Account::new("payer", 1_500));
    let devnet = Devnet::start(config).await.expect("a devnet");
    assert_eq!(client(&devnet.payer_url()).balance_msat().await, Ok(1_500));
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    let error = Devnet::start(DevnetConfig::new(&file)).await.expect_err("not a folder");
    assert_eq!(error.code(), "devnet_io");
    fs::write(folder.path().join("devnet.sqlite"), "not a database, but long enough")
        .expect("written");
    let error = Devnet::start(DevnetConfig::new(folder.path())).await.expect_err("no database");
    assert_eq!(error.code(), "devnet_store");
    let taken = net().await;
    let other = tempfile::tempdir().expect("a folder");
    let config = DevnetConfig::new(other.path()).listen(taken.devnet.local_addr());
    assert_eq!(Devnet::start(config).await.expect_err("port in use").code(), "devnet_io");
}

const CHILD_FOLDER: &str = "PLANNT_TEST_DEVNET_FOLDER";

/// Not a test: the process that the next one kills.
#[tokio::test]
#[ignore = "a child process of another test"]
async fn child() {
    let folder = std::env::var_os(CHILD_FOLDER).expect("a folder");
    let _devnet = Devnet::start(DevnetConfig::new(folder)).await.expect("a devnet");
    println!("\nready");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn an_acknowledged_payment_survives_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(CHILD_FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let output = BufReader::new(child.stdout.take().expect("its output"));
    assert!(output.lines().map_while(Result::ok).any(|line| line == "ready"));

    let in_use = Devnet::start(DevnetConfig::new(folder.path())).await;
    assert_eq!(in_use.expect_err("another process").code(), "devnet_in_use");
    let file = DevnetFile::read(folder.path()).expect("devnet.json");
    let merchant = client(&file.invoicer_url);
    let ask = InvoiceRequest { amount_msat: 21_000, memo: "x".into(), expiry_seconds: 600 };
    let request = pay_request(&merchant.issue(&ask).await.expect("an invoice"));
    paid(client(&file.payer_url).pay(&request).await);
    child.kill().expect("killed");
    child.wait().expect("gone");

    // Its devnet.json is still there and points nowhere; a new devnet takes over.
    assert_eq!(DevnetFile::read(folder.path()), Some(file));
    let devnet = start(&folder).await;
    let payer = client(&devnet.payer_url());
    assert!(is_paid(payer.look_up_payment(&request.payment_hash).await));
    assert_eq!(payer.balance_msat().await, Ok(10_000_000_000 - 21_000));
}

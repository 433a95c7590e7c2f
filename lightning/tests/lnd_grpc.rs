//! The lnd backend over gRPC: the contract tests on a server of lnd's messages in front of the
//! devnet, and what a broken node or proxy could say. `e2e/` runs it on real lnd nodes.

mod common;
#[path = "common/facade.rs"]
mod facade;
#[path = "common/grpc.rs"]
mod grpc;
#[path = "common/scripted.rs"]
mod scripted;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::{failed, paid, unknown};
use facade::{Facade, Nodes};
use grpc::{Call, End, GrpcServer, Reply};
use plannt_core::PaymentHash;
use plannt_lightning::lnd::{Lnd, LndGrpc};
use plannt_lightning::{
    InvoiceRequest, InvoiceState, Invoicer, LightningError, PayFailure, PayOutcome, PayRequest,
    Payer, PaymentState,
};
use prost::Message;
use scripted::{identity, preimage, request};

// Written from lnd's .proto files, apart from the backend's own.
#[derive(Message)]
struct Invoice {
    #[prost(string, tag = "1")]
    memo: String,
    #[prost(bytes = "vec", tag = "4")]
    r_hash: Vec<u8>,
    #[prost(string, tag = "9")]
    payment_request: String,
    #[prost(int64, tag = "11")]
    expiry: i64,
    #[prost(int64, tag = "20")]
    amt_paid_msat: i64,
    #[prost(int32, tag = "21")]
    state: i32,
    #[prost(int64, tag = "23")]
    value_msat: i64,
}

#[derive(Message)]
struct Added {
    #[prost(bytes = "vec", tag = "1")]
    r_hash: Vec<u8>,
    #[prost(string, tag = "2")]
    payment_request: String,
    #[prost(uint64, tag = "16")]
    add_index: u64,
}

#[derive(Message)]
struct Send {
    #[prost(string, tag = "5")]
    payment_request: String,
    #[prost(int32, tag = "6")]
    timeout_seconds: i32,
    #[prost(int64, tag = "13")]
    fee_limit_msat: i64,
    #[prost(bool, tag = "18")]
    no_inflight_updates: bool,
}

/// `PaymentHash` has its bytes as member 2, `TrackPaymentRequest` as member 1.
#[derive(Message)]
struct Hash {
    #[prost(bytes = "vec", tag = "1")]
    track: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    look_up: Vec<u8>,
}

#[derive(Message)]
struct Payment {
    #[prost(string, tag = "1")]
    payment_hash: String,
    #[prost(string, tag = "6")]
    payment_preimage: String,
    #[prost(string, tag = "9")]
    payment_request: String,
    #[prost(int32, tag = "10")]
    status: i32,
    #[prost(int64, tag = "11")]
    fee_sat: i64,
    #[prost(int64, tag = "12")]
    fee_msat: i64,
    #[prost(int32, tag = "16")]
    failure_reason: i32,
}

#[derive(Message)]
struct Amount {
    #[prost(uint64, tag = "1")]
    sat: u64,
    #[prost(uint64, tag = "2")]
    msat: u64,
}

#[derive(Message)]
struct Balance {
    #[prost(message, optional, tag = "3")]
    local: Option<Amount>,
    #[prost(message, optional, tag = "4")]
    remote: Option<Amount>,
}

fn done(message: &impl Message) -> Reply {
    Reply { messages: vec![message.encode_to_vec()], end: End::Status(0, String::new()) }
}

fn refused(code: i32, message: &str) -> Reply {
    Reply { messages: vec![], end: End::Status(code, message.into()) }
}

async fn fixture() -> Facade {
    Facade::serve(async |nodes, folder: &Path| {
        let identity = identity();
        let answer = move |call| -> std::pin::Pin<Box<dyn Future<Output = _> + std::marker::Send>> {
            Box::pin(answer(Arc::clone(&nodes), call))
        };
        let server = GrpcServer::start(&identity, answer).await;
        let cert = folder.join("grpc.cert");
        std::fs::write(&cert, &identity.pem).expect("written");
        url(&server, &cert) + "&network=regtest"
    })
    .await
}

plannt_lightning::invoicer_contract_tests!(fixture());
plannt_lightning::payer_contract_tests!(fixture());

fn url(server: &GrpcServer, cert: &Path) -> String {
    let (port, macaroon) = (server.port, "ab".repeat(40));
    format!("lnd+grpc://127.0.0.1:{port}?cert={}&macaroon={macaroon}", cert.display())
}

async fn answer(nodes: Arc<Nodes>, call: Call) -> Reply {
    if call.macaroon != "ab".repeat(40) {
        return refused(2, "verification failed: signature mismatch after caveat verification");
    }
    let hash = || {
        let hash = Hash::decode(&call.message[..]).expect("a message");
        let bytes = if hash.track.is_empty() { hash.look_up } else { hash.track };
        PaymentHash::from_bytes(bytes.try_into().expect("32 bytes"))
    };
    match call.path.as_str() {
        "/lnrpc.Lightning/AddInvoice" => {
            let ask = Invoice::decode(&call.message[..]).expect("a message");
            let request = InvoiceRequest {
                amount_msat: ask.value_msat as u64,
                memo: ask.memo,
                expiry_seconds: ask.expiry as u32,
            };
            let payment_request = nodes.merchant.issue(&request).await.expect("an invoice");
            done(&Added { r_hash: vec![7; 32], payment_request, add_index: 1 })
        }
        "/lnrpc.Lightning/LookupInvoice" => {
            let (state, amt_paid_msat) = match nodes.merchant.look_up_invoice(&hash()).await {
                Ok(InvoiceState::Open) => (0, 0),
                Ok(InvoiceState::Settled { amount_msat }) => (1, amount_msat as i64),
                Ok(InvoiceState::Canceled) => (2, 0),
                Ok(InvoiceState::Accepted) => (3, 0),
                _ => return refused(5, "unable to locate invoice"),
            };
            done(&Invoice { state, amt_paid_msat, ..Invoice::default() })
        }
        "/lnrpc.Lightning/SubscribeInvoices" => {
            let told = std::sync::Mutex::new(None);
            let tell = |hash| {
                *told.lock().expect("no panic") = Some(hash);
                None
            };
            nodes.merchant.follow_settled(&tell).await.expect("news");
            let hash: PaymentHash = told.into_inner().expect("no panic").expect("one");
            let invoice = |state| Invoice {
                r_hash: hash.as_bytes().to_vec(),
                state,
                value_msat: 3_000,
                amt_paid_msat: 3_000,
                ..Invoice::default()
            };
            // lnd tells of new ones, too.
            let messages = vec![invoice(0).encode_to_vec(), invoice(1).encode_to_vec()];
            Reply { messages, end: End::Hang }
        }
        "/lnrpc.Lightning/ChannelBalance" => {
            let msat = nodes.payer.balance_msat().await.expect("a balance");
            done(&Balance { local: Some(Amount { sat: msat / 1_000, msat }), remote: None })
        }
        "/routerrpc.Router/SendPaymentV2" => {
            let ask = Send::decode(&call.message[..]).expect("a message");
            assert!(ask.no_inflight_updates);
            let request = PayRequest {
                max_fee_msat: ask.fee_limit_msat as u64,
                timeout: Duration::from_secs(ask.timeout_seconds as u64),
                ..common::pay_request(&ask.payment_request)
            };
            match nodes.payer.look_up_payment(&request.payment_hash).await {
                Ok(PaymentState::Paid(_)) => return refused(6, "invoice is already paid"),
                Ok(PaymentState::InFlight) => return refused(6, "payment is in transition"),
                _ => {}
            }
            match nodes.payer.pay(&request).await {
                PayOutcome::Failed(PayFailure::InvoiceExpired) => {
                    refused(2, "invoice expired. Valid until 2025-01-01")
                }
                PayOutcome::Failed(failure) => {
                    done(&failed_payment(&failure, &request.payment_hash))
                }
                PayOutcome::Paid(payment) => done(&succeeded(
                    payment.preimage.expose_hex().as_str(),
                    payment.fee_msat,
                    &request.payment_hash,
                )),
                PayOutcome::Unknown(_) => refused(6, "payment is in transition"),
            }
        }
        "/routerrpc.Router/TrackPaymentV2" => match nodes.payer.look_up_payment(&hash()).await {
            Ok(PaymentState::Failed(failure)) => done(&failed_payment(&failure, &hash())),
            Ok(PaymentState::InFlight) => Reply {
                messages: vec![
                    Payment { status: 1, payment_hash: hash().to_string(), ..Payment::default() }
                        .encode_to_vec(),
                ],
                end: End::Hang,
            },
            Ok(PaymentState::Paid(payment)) => {
                done(&succeeded(payment.preimage.expose_hex().as_str(), payment.fee_msat, &hash()))
            }
            _ => refused(5, "payment isn't initiated"),
        },
        _ => refused(12, "unknown method"),
    }
}

fn failed_payment(failure: &PayFailure, hash: &PaymentHash) -> Payment {
    let failure_reason = match failure {
        PayFailure::InsufficientBalance => 5,
        PayFailure::IncorrectPaymentDetails => 4,
        PayFailure::Timeout => 1,
        _ => 2,
    };
    Payment { status: 3, failure_reason, payment_hash: hash.to_string(), ..Payment::default() }
}

fn succeeded(preimage: &str, fee_msat: u64, hash: &PaymentHash) -> Payment {
    Payment {
        payment_hash: hash.to_string(),
        payment_preimage: preimage.into(),
        status: 2,
        fee_sat: (fee_msat / 1_000) as i64,
        fee_msat: fee_msat as i64,
        ..Payment::default()
    }
}

/// A wallet at a server that gives these replies to its calls, in this order.
async fn scripted(replies: Vec<Reply>) -> (LndGrpc, GrpcServer) {
    let identity = identity();
    let replies = std::sync::Mutex::new(replies.into_iter());
    let server = GrpcServer::start(&identity, move |_| {
        let reply = replies.lock().expect("no panic").next().expect("one more reply");
        Box::pin(std::future::ready(reply))
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let cert = folder.path().join("tls.cert");
    std::fs::write(&cert, &identity.pem).expect("written");
    let mut config = LndGrpc::config_from_url(&url(&server, &cert)).expect("a configuration");
    config.answer_margin = Duration::ZERO;
    config.request_timeout = Duration::from_secs(1);
    (LndGrpc::new(config).expect("a client"), server)
}

async fn pay(replies: Vec<Reply>) -> (PayOutcome, Vec<String>) {
    let (payer, server) = scripted(replies).await;
    (payer.pay(&request(&preimage())).await, server.calls())
}

fn update(status: i32) -> Vec<u8> {
    let proof = if status == 2 { "07".repeat(32) } else { "00".repeat(32) };
    let payment = succeeded(&proof, 5, &preimage().payment_hash());
    Payment { status, failure_reason: if status == 3 { 2 } else { 0 }, ..payment }.encode_to_vec()
}

fn stream(updates: &[i32], end: End) -> Reply {
    Reply { messages: updates.iter().map(|status| update(*status)).collect(), end }
}

fn ok() -> End {
    End::Status(0, String::new())
}

#[tokio::test]
async fn the_last_update_counts_and_a_proof_at_once() {
    for reply in [
        stream(&[2], ok()),
        stream(&[1, 2], ok()),
        stream(&[2], End::Cut),
        stream(&[2], End::Hang),
        stream(&[4, 1, 2], End::Status(2, "context canceled".into())),
    ] {
        let (outcome, calls) = pay(vec![reply]).await;
        assert_eq!(paid(outcome).fee_msat, 5);
        assert_eq!(calls, ["/routerrpc.Router/SendPaymentV2"]);
    }
    let (outcome, _) = pay(vec![stream(&[1, 3], ok())]).await;
    assert_eq!(failed(outcome), PayFailure::NoRoute);
}

#[tokio::test]
async fn what_proves_nothing_is_unknown() {
    let bad = |payment: Payment| Reply { messages: vec![payment.encode_to_vec()], end: ok() };
    let hash = preimage().payment_hash();
    let invoice = request(&preimage()).bolt11;
    for (reply, code) in [
        (stream(&[], ok()), "invalid_response"),
        (stream(&[], End::Cut), "connection_lost"),
        (stream(&[], End::Hang), "timeout_unknown"),
        (stream(&[1], End::Cut), "connection_lost"),
        (stream(&[3], End::Cut), "connection_lost"),
        (stream(&[1], End::Hang), "timeout_unknown"),
        (stream(&[1], ok()), "payment_in_flight"),
        (stream(&[9], ok()), "invalid_response"),
        (stream(&[1], End::Status(2, "invoice expired".into())), "node_error"),
        (Reply { messages: vec![vec![0xff; 9]], end: ok() }, "invalid_response"),
        (refused(2, "context canceled"), "node_error"),
        (refused(6, "payment is in transition"), "payment_in_flight"),
        (refused(2, "payment already exists"), "payment_in_flight"),
        (refused(14, "upstream connect error"), "node_error"),
        (Reply { messages: vec![], end: End::Http(502) }, "node_error"),
        (bad(succeeded("", 5, &hash)), "preimage_mismatch"),
        (bad(succeeded(&"00".repeat(32), 5, &hash)), "preimage_mismatch"),
        (bad(succeeded(&invoice, 5, &hash)), "preimage_mismatch"),
        (
            bad(succeeded(&"07".repeat(32), 5, &PaymentHash::from_bytes([1; 32]))),
            "invalid_response",
        ),
        (
            bad(Payment { fee_msat: -1, ..succeeded(&"07".repeat(32), 5, &hash) }),
            "invalid_response",
        ),
    ] {
        let (outcome, calls) = pay(vec![reply]).await;
        let error = unknown(outcome);
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(calls.len(), 1, "it was sent once and not again");
    }
}

#[tokio::test]
async fn a_refusal_before_any_attempt_is_a_failure() {
    for (reply, code) in [
        (refused(2, "permission denied"), "node_auth"),
        (refused(2, "verification failed: signature mismatch"), "node_auth"),
        (refused(12, "unknown service routerrpc.Router"), "node_error"),
        (refused(2, "wallet locked, unlock it to enable full RPC access"), "node_error"),
        (refused(2, "invoice not for current active network 'regtest'"), "wrong_network"),
        (refused(3, "invalid payment request"), "rejected"),
        (refused(2, "self-payments not allowed"), "rejected"),
        (Reply { messages: vec![], end: End::Http(404) }, "node_error"),
    ] {
        let (outcome, _) = pay(vec![reply]).await;
        assert_eq!(failed(outcome).code(), code);
    }
}

#[tokio::test]
async fn already_paid_and_expired_are_looked_up() {
    for refusal in [refused(6, "invoice is already paid"), refused(2, "invoice expired. x")] {
        let (outcome, calls) = pay(vec![refusal.clone(), stream(&[2], End::Hang)]).await;
        paid(outcome);
        assert_eq!(calls[1], "/routerrpc.Router/TrackPaymentV2");
        for track in [stream(&[3], ok()), refused(5, "payment isn't initiated")] {
            let (outcome, _) = pay(vec![refusal.clone(), track]).await;
            failed(outcome);
        }
        for track in [stream(&[1], End::Hang), stream(&[], End::Cut), refused(2, "x")] {
            let (outcome, _) = pay(vec![refusal.clone(), track]).await;
            unknown(outcome);
        }
    }
}

#[tokio::test]
async fn nobody_there_and_another_certificate_are_certainly_not_paid() {
    let (payer, server) = scripted(vec![]).await;
    drop(payer);
    let folder = tempfile::tempdir().expect("a folder");
    let cert = folder.path().join("tls.cert");
    std::fs::write(&cert, identity().pem).expect("written");
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = closed.local_addr().expect("an address").port();
    drop(closed);
    let nobody = format!("lnd+grpc://127.0.0.1:{port}?macaroon={}", "ab".repeat(40));
    for url in [url(&server, &cert), nobody] {
        let payer = LndGrpc::from_url(&url).expect("a client");
        let error = failed(payer.pay(&request(&preimage())).await);
        assert_eq!(error.code(), "node_unreachable", "{error}");
        let error = payer.balance_msat().await.expect_err("unreachable");
        assert_eq!(error.code(), "node_unreachable", "{error}");
        let printed = format!("{payer:?} {error}");
        assert!(!printed.contains("abab"), "{printed}");
    }
    assert_eq!(server.calls(), Vec::<String>::new());
}

#[test]
fn the_wallet_is_the_same_over_rest() {
    let macaroon = "ab".repeat(40);
    let grpc = LndGrpc::from_url(&format!("lnd+grpc://h?macaroon={macaroon}")).expect("a client");
    let rest = Lnd::from_url(&format!("lnd://h?macaroon={macaroon}")).expect("a client");
    assert_eq!(grpc.wallet_id(), rest.wallet_id());
    assert!(format!("{grpc:?}").contains("h:10009"));
    assert_eq!(LndGrpc::from_url("lnd://h?macaroon=x").expect_err("refused").code(), "config");
    let _: LightningError = LndGrpc::from_url("lnd+grpc://h").expect_err("no macaroon");
}

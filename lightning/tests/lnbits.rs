//! The LNbits backend: the contract tests by the shapes of LNbits 1.6.2 in front of the devnet, and
//! refusals by scripted answers. `e2e/` runs it on a real LNbits.

mod common;
#[path = "common/facade.rs"]
mod facade;
#[path = "common/scripted.rs"]
mod scripted;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use common::{failed, paid, unknown};
use facade::{Facade, Nodes};
use plannt_core::PaymentHash;
use plannt_lightning::lnbits::Lnbits;
use plannt_lightning::{
    InvoiceRequest, InvoiceState, Invoicer, LightningError, PayFailure, PayOutcome, PayRequest,
    Payer, PaymentState,
};
use scripted::{Answer, Scripted, page, preimage, request};
use serde_json::{Value, json};

async fn fixture() -> Facade {
    let router = |nodes| {
        Router::new()
            .route("/sub/api/v1/payments", post(payments))
            .route("/sub/api/v1/payments/{hash}", get(payment))
            .route("/sub/api/v1/wallet", get(wallet_info))
            .with_state(nodes)
    };
    Facade::start(router, |at| format!("lnbits://{at}/sub/?key=5ec7e7&network=regtest")).await
}

plannt_lightning::invoicer_contract_tests!(fixture());
plannt_lightning::payer_contract_tests!(fixture());

type Behind = State<Arc<Nodes>>;

fn error(status: u16, answer: Value) -> Response {
    (StatusCode::from_u16(status).expect("a status"), Json(answer)).into_response()
}

fn entry(hash: &str, amount: i64, fee: i64, status: &str) -> Value {
    json!({"checking_id": hash, "payment_hash": hash, "wallet_id": "w", "amount": amount,
        "fee": fee, "bolt11": "lnbcrt1", "status": status, "memo": "m", "preimage": null,
        "time": "2025-01-01T00:00:00Z", "extra": {}})
}

async fn payments(State(nodes): Behind, headers: HeaderMap, Json(ask): Json<Value>) -> Response {
    if headers.get("x-api-key").is_none_or(|key| key != "5ec7e7") {
        return error(404, json!({"detail": "Wallet not found."}));
    }
    if ask["out"] == true {
        return pay_out(&nodes, ask["bolt11"].as_str().expect("an invoice")).await;
    }
    let request = InvoiceRequest {
        amount_msat: ask["amount"].as_u64().expect("an amount") * 1_000,
        memo: ask["memo"].as_str().expect("a memo").into(),
        expiry_seconds: ask["expiry"].as_u64().expect("an expiry") as u32,
    };
    let bolt11 = nodes.merchant.issue(&request).await.expect("an invoice");
    let hash = common::pay_request(&bolt11).payment_hash.to_string();
    let mut made = entry(&hash, request.amount_msat as i64, 0, "pending");
    made["bolt11"] = bolt11.into();
    made["preimage"] = "11".repeat(32).into();
    (StatusCode::CREATED, Json(made)).into_response()
}

async fn pay_out(nodes: &Nodes, bolt11: &str) -> Response {
    let request = PayRequest { max_fee_msat: 100_000, ..common::pay_request(bolt11) };
    let failure = |detail: &str, status| error(520, json!({"detail": detail, "status": status}));
    match nodes.payer.look_up_payment(&request.payment_hash).await {
        Ok(PaymentState::Paid(_)) => return failure("Payment already paid.", "success"),
        Ok(PaymentState::InFlight) => return failure("Payment is still pending.", "pending"),
        _ => {}
    }
    let hash = request.payment_hash.to_string();
    let amount = -(request.amount_msat as i64);
    match nodes.payer.pay(&request).await {
        PayOutcome::Paid(payment) => {
            let mut made = entry(&hash, amount, -(payment.fee_msat as i64), "success");
            made["preimage"] = payment.preimage.expose_hex().as_str().into();
            (StatusCode::CREATED, Json(made)).into_response()
        }
        PayOutcome::Failed(PayFailure::InsufficientBalance) => {
            failure("Insufficient balance.", "failed")
        }
        PayOutcome::Failed(_) => failure("Payment failed: FAILURE_REASON_NO_ROUTE", "failed"),
        PayOutcome::Unknown(_) => {
            (StatusCode::CREATED, Json(entry(&hash, amount, -2_000, "pending"))).into_response()
        }
    }
}

async fn payment(State(nodes): Behind, Path(hash): Path<String>) -> Response {
    let parsed: PaymentHash = hash.parse().expect("a hash");
    // One LNbits holds both sides here; what went out comes first, as in its own query.
    let (paid, status, preimage, details) = match nodes.payer.look_up_payment(&parsed).await {
        Ok(PaymentState::Paid(payment)) => (
            true,
            "success",
            Some(payment.preimage.expose_hex().to_string()),
            entry(&hash, -sent_msat(&nodes, &parsed).await, -(payment.fee_msat as i64), "success"),
        ),
        Ok(PaymentState::InFlight) => (false, "pending", None, entry(&hash, -1, 0, "pending")),
        Ok(PaymentState::Failed(_)) => (false, "failed", None, entry(&hash, -1, 0, "failed")),
        _ => match nodes.merchant.look_up_invoice(&parsed).await {
            Ok(InvoiceState::NotFound) => {
                return error(404, json!({"detail": "Payment does not exist."}));
            }
            _ => (false, "pending", None, entry(&hash, 1_000, 0, "pending")),
        },
    };
    Json(json!({"paid": paid, "status": status, "preimage": preimage, "details": details}))
        .into_response()
}

async fn sent_msat(nodes: &Nodes, hash: &PaymentHash) -> i64 {
    match nodes.merchant.look_up_invoice(hash).await {
        Ok(InvoiceState::Settled { amount_msat }) => amount_msat as i64,
        other => panic!("paid, and the payee says {other:?}"),
    }
}

async fn wallet_info(State(nodes): Behind) -> Json<Value> {
    let msat = nodes.payer.balance_msat().await.expect("a balance");
    Json(json!({"name": "wallet", "balance": msat}))
}

async fn pay(answers: Vec<Answer>) -> (PayOutcome, Vec<String>) {
    let server = Scripted::plain(answers).await;
    let outcome = wallet(&server).pay(&request(&preimage())).await;
    (outcome, server.seen())
}

fn wallet(server: &Scripted) -> Lnbits {
    let url = format!("lnbits://127.0.0.1:{}?key=5ec7e7", server.port);
    let mut config = Lnbits::config_from_url(&url).expect("a configuration");
    config.answer_margin = Duration::ZERO;
    Lnbits::new(config).expect("a client")
}

fn hash() -> String {
    preimage().payment_hash().to_string()
}

fn created(status: &str, preimage: Value) -> Answer {
    let mut made = entry(&hash(), -21_001, -4_000, status);
    made["preimage"] = preimage;
    page(201, &made.to_string())
}

fn record(paid: bool, status: &str, preimage: Value) -> Answer {
    let details = entry(&hash(), -21_001, -4_321, status);
    page(
        200,
        &json!({"paid": paid, "status": status, "preimage": preimage, "details": details})
            .to_string(),
    )
}

fn none() -> Answer {
    page(404, "{\"detail\":\"Payment does not exist.\"}")
}

fn refused(status: &str, detail: &str) -> Answer {
    page(520, &json!({"detail": detail, "status": status}).to_string())
}

#[tokio::test]
async fn paid_only_with_the_preimage() {
    let (outcome, seen) = pay(vec![created("success", json!("07".repeat(32)))]).await;
    assert_eq!(paid(outcome).fee_msat, 4_000);
    let (head, body) = seen[0].split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("POST /api/v1/payments HTTP/1.1\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains("x-api-key: 5ec7e7"), "{head}");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["out"], true);
    assert_eq!(body.as_object().map(|o| o.len()), Some(2));
    let invoice = request(&preimage()).bolt11;
    for wrong in [json!(null), json!(""), json!("00".repeat(32)), json!(invoice)] {
        let (outcome, seen) = pay(vec![created("success", wrong)]).await;
        assert_eq!(unknown(outcome), LightningError::PreimageMismatch);
        assert_eq!(seen.len(), 1, "it is not sent again");
    }
}

#[tokio::test]
async fn pending_is_not_paid_and_is_followed_to_its_end() {
    for begun in [
        created("pending", json!("07".repeat(32))),
        refused("pending", "Payment is still pending."),
    ] {
        let pending = record(false, "pending", json!(null));
        let was_paid = record(true, "success", json!("07".repeat(32)));
        let (outcome, _) = pay(vec![begun.clone(), pending.clone(), was_paid]).await;
        assert_eq!(paid(outcome).fee_msat, 4_321);
        let no_proof = record(true, "success", json!(null));
        let (outcome, _) = pay(vec![begun.clone(), pending.clone(), no_proof]).await;
        assert_eq!(unknown(outcome).code(), "preimage_mismatch");
        let was_lost = record(false, "failed", json!(null));
        let (outcome, _) = pay(vec![begun.clone(), pending.clone(), was_lost]).await;
        assert_eq!(failed(outcome).code(), "rejected");
        let (outcome, _) = pay([vec![begun], vec![pending; 8]].concat()).await;
        assert_eq!(unknown(outcome).code(), "payment_in_flight");
    }
}

#[tokio::test]
async fn each_failure_counts_where_the_record_agrees() {
    for (detail, code) in [
        ("Insufficient balance.", "insufficient_balance"),
        (
            "You must reserve at least (10  sat) to cover potential routing fees.",
            "insufficient_balance",
        ),
        ("Payment failed: FAILURE_REASON_NO_ROUTE", "no_route"),
        ("Payment failed: FAILURE_REASON_INSUFFICIENT_BALANCE", "insufficient_balance"),
        ("Payment failed: FAILURE_REASON_INCORRECT_PAYMENT_DETAILS", "incorrect_payment_details"),
        ("Payment failed: FAILURE_REASON_TIMEOUT", "payment_timeout"),
        ("Payment failed: invoice expired. Valid until x", "invoice_expired"),
        ("Internal invoice already paid.", "already_paid"),
        ("Invoice amount 21 sats is too high. Max allowed: 20 sats.", "quota_exceeded"),
        ("Wallet does not have permission to pay invoices.", "node_auth"),
        ("Payment failed: without an error message.", "rejected"),
    ] {
        let answer = || refused("failed", detail);
        for record in [none(), record(false, "failed", json!(null))] {
            let (outcome, _) = pay(vec![answer(), record]).await;
            assert_eq!(failed(outcome).code(), code, "{detail}");
        }
        let (outcome, _) = pay(vec![answer(), record(false, "pending", json!(null))]).await;
        assert_eq!(unknown(outcome).code(), "payment_in_flight", "{detail}");
        let was_paid = record(true, "success", json!("07".repeat(32)));
        let (outcome, _) = pay(vec![answer(), was_paid]).await;
        paid(outcome);
    }
}

#[tokio::test]
async fn other_answers_are_a_refusal_or_unknown() {
    for (answer, code) in [
        (page(400, "{\"detail\":\"Missing BOLT11 invoice\"}"), "rejected"),
        (page(401, "{\"detail\":\"No Api Key provided.\"}"), "node_auth"),
        (page(403, "{\"detail\":\"Invoice (or Admin) key required.\"}"), "node_auth"),
        (page(404, "{\"detail\":\"Wallet not found.\"}"), "node_auth"),
        (page(404, "{\"detail\":\"Not Found\"}"), "node_error"),
        (page(429, "{\"detail\":\"Rate limit exceeded\"}"), "node_error"),
    ] {
        let (outcome, seen) = pay(vec![answer]).await;
        assert_eq!(failed(outcome).code(), code);
        assert_eq!(seen.len(), 1);
    }
    for (answer, code) in [
        // Its record says so while its node still works on it.
        (created("failed", json!(null)), "payment_in_flight"),
        (page(520, "{\"detail\":\"odd\"}"), "node_error"),
        (page(500, "{\"detail\":\"Unexpected error! ID: x\"}"), "node_error"),
        (page(502, "<html>"), "invalid_response"),
        (page(404, "<html>"), "invalid_response"),
        (page(201, "{}"), "invalid_response"),
        (created("odd", json!(null)), "invalid_response"),
        (Answer::Close(vec![]), "connection_lost"),
        (Answer::Hang(vec![]), "timeout_unknown"),
    ] {
        let (outcome, seen) = pay(vec![answer]).await;
        assert_eq!(unknown(outcome).code(), code);
        assert_eq!(seen.len(), 1, "it was sent once and not again");
    }
}

#[tokio::test]
async fn looking_up_guesses_nothing() {
    let look_up = async |answer| {
        let server = Scripted::plain(vec![answer]).await;
        wallet(&server).look_up_payment(&preimage().payment_hash()).await
    };
    assert!(matches!(look_up(none()).await, Ok(PaymentState::NotFound)));
    let incoming = json!({"paid": true, "preimage": "07".repeat(32),
        "details": entry(&hash(), 21_001, 0, "success")});
    let answer = page(200, &incoming.to_string());
    assert!(matches!(look_up(answer).await, Ok(PaymentState::NotFound)), "it came in");
    for (answer, code) in [
        (page(404, "{\"detail\":\"Not Found\"}"), "node_error"),
        (page(404, "{\"detail\":\"Wallet not found.\"}"), "node_auth"),
        // What anybody may see of somebody's payment.
        (page(200, "{\"paid\":false}"), "node_auth"),
        (page(200, "{}"), "invalid_response"),
        (page(500, "<html>"), "invalid_response"),
    ] {
        assert_eq!(look_up(answer).await.expect_err("an error").code(), code);
    }
}

#[tokio::test]
async fn a_new_invoices_preimage_and_the_key_go_nowhere() {
    let made = created("pending", json!("07".repeat(32)));
    let server = Scripted::plain(vec![made]).await;
    let node = wallet(&server);
    let ask = InvoiceRequest { amount_msat: 21_000, memo: "m".into(), expiry_seconds: 60 };
    let issued = node.issue(&ask).await;
    let printed = format!("{issued:?} {node:?} {}", node.wallet_id());
    assert!(issued.is_ok() && !printed.contains("0707") && !printed.contains("5ec7e7"));
    let odd = InvoiceRequest { amount_msat: 21_001, ..ask };
    assert_eq!(node.issue(&odd).await.expect_err("refused").code(), "invalid_request");
}

#[test]
fn the_port_and_tls_follow_the_host() {
    let base = |url: &str| format!("{:?}", Lnbits::config_from_url(url).expect("a configuration"));
    assert!(base("lnbits://127.0.0.1?key=x").contains("\"http://127.0.0.1:5000\""));
    assert!(base("lnbits://pay.example/x/?key=x").contains("\"https://pay.example:443/x\""));
    assert!(base("lnbits://pay.example:8443?key=x").contains("\"https://pay.example:8443\""));
    assert!(base("lnbits://pay.example?key=x&tls=off").contains("\"http://pay.example:5000\""));
}

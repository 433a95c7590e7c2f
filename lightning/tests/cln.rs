//! The Core Lightning backend: the contract tests by the shapes of its documentation in front of
//! the devnet, and refusals by scripted answers.

mod common;
#[path = "common/facade.rs"]
mod facade;
#[path = "common/scripted.rs"]
mod scripted;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use common::{failed, paid, unknown};
use facade::{Facade, Nodes};
use plannt_core::PaymentHash;
use plannt_lightning::cln::Cln;
use plannt_lightning::{
    InvoiceRequest, InvoiceState, Invoicer, LightningError, PayFailure, PayOutcome, PayRequest,
    Payer, PaymentState,
};
use scripted::{Answer, Scripted, identity, page, preimage, request};
use serde_json::{Value, json};

async fn fixture() -> Facade {
    let router = |nodes| {
        Router::new()
            .route("/v1/invoice", post(invoice))
            .route("/v1/listinvoices", post(list_invoices))
            .route("/v1/pay", post(pay_command))
            .route("/v1/listpays", post(list_pays))
            .route("/v1/listpeerchannels", post(list_peer_channels))
            .with_state(nodes)
    };
    Facade::start(router, |at| format!("cln://{at}?rune=c2VjcmV0&tls=off&network=regtest")).await
}

plannt_lightning::invoicer_contract_tests!(fixture());
plannt_lightning::payer_contract_tests!(fixture());

type Behind = State<Arc<Nodes>>;

fn done(answer: Value) -> Response {
    (StatusCode::CREATED, Json(answer)).into_response()
}

fn error(status: StatusCode, code: i64, message: &str) -> Response {
    (status, Json(json!({"code": code, "message": message}))).into_response()
}

fn hash_in(arguments: &Value) -> PaymentHash {
    arguments["payment_hash"].as_str().expect("a hash").parse().expect("a hash")
}

async fn invoice(State(nodes): Behind, headers: HeaderMap, Json(ask): Json<Value>) -> Response {
    if headers.get("rune").is_none_or(|rune| rune != "c2VjcmV0") {
        return error(StatusCode::FORBIDDEN, 1502, "Not permitted: Not derived from master");
    }
    assert!(ask["label"].as_str().is_some_and(|label| label.len() > 32));
    let request = InvoiceRequest {
        amount_msat: ask["amount_msat"].as_u64().expect("an amount"),
        memo: ask["description"].as_str().expect("a description").into(),
        expiry_seconds: ask["expiry"].as_u64().expect("an expiry") as u32,
    };
    let bolt11 = nodes.merchant.issue(&request).await.expect("an invoice");
    let hash = common::pay_request(&bolt11).payment_hash.to_string();
    done(json!({
        "payment_hash": hash, "expires_at": 1_900_000_000, "bolt11": bolt11,
        "payment_secret": "22".repeat(32), "created_index": 1,
        "warning_capacity": "Insufficient incoming channel capacity to pay invoice",
    }))
}

async fn list_invoices(State(nodes): Behind, Json(ask): Json<Value>) -> Response {
    let hash = hash_in(&ask);
    let (status, received) = match nodes.merchant.look_up_invoice(&hash).await {
        Ok(InvoiceState::NotFound) => return done(json!({"invoices": []})),
        Ok(InvoiceState::Settled { amount_msat }) => ("paid", Some(amount_msat)),
        Ok(InvoiceState::Canceled) => ("expired", None),
        _ => ("unpaid", None),
    };
    let mut invoice = json!({"label": "plannt-x", "payment_hash": hash.to_string(),
        "status": status, "description": "d", "expires_at": 1_900_000_000});
    if let Some(received) = received {
        invoice["amount_received_msat"] = received.into();
        invoice["payment_preimage"] = "11".repeat(32).into();
    }
    done(json!({"invoices": [invoice]}))
}

async fn pay_command(State(nodes): Behind, Json(ask): Json<Value>) -> Response {
    let request = PayRequest {
        max_fee_msat: ask["maxfee"].as_u64().expect("a limit"),
        timeout: Duration::from_secs(ask["retry_for"].as_u64().expect("a time")),
        ..common::pay_request(ask["bolt11"].as_str().expect("an invoice"))
    };
    let failure = StatusCode::INTERNAL_SERVER_ERROR;
    match nodes.payer.pay(&request).await {
        PayOutcome::Paid(payment) => done(json!({
            "destination": "02".repeat(33), "payment_hash": request.payment_hash.to_string(),
            "created_at": 1_722_000_000.5, "parts": 1, "status": "complete",
            "amount_msat": request.amount_msat,
            "amount_sent_msat": request.amount_msat + payment.fee_msat,
            "payment_preimage": payment.preimage.expose_hex().as_str(),
        })),
        PayOutcome::Failed(PayFailure::IncorrectPaymentDetails) => error(failure, 203, "x"),
        PayOutcome::Failed(_) => error(failure, 205, "Ran out of routes to try after 1 attempt"),
        PayOutcome::Unknown(_) => error(failure, 200, "in progress"),
    }
}

async fn list_pays(State(nodes): Behind, Json(ask): Json<Value>) -> Response {
    let hash = hash_in(&ask);
    let mut pay = json!({"payment_hash": hash.to_string(), "created_at": 1, "bolt11": "lnbcrt1"});
    match nodes.payer.look_up_payment(&hash).await.expect("a state") {
        PaymentState::NotFound => return done(json!({"pays": []})),
        PaymentState::InFlight => pay["status"] = "pending".into(),
        PaymentState::Failed(_) => pay["status"] = "failed".into(),
        PaymentState::Paid(payment) => {
            pay["status"] = "complete".into();
            pay["preimage"] = payment.preimage.expose_hex().as_str().into();
            pay["amount_msat"] = 1_000.into();
            pay["amount_sent_msat"] = (1_000 + payment.fee_msat).into();
        }
    }
    done(json!({"pays": [pay]}))
}

async fn list_peer_channels(State(nodes): Behind) -> Response {
    let msat = nodes.payer.balance_msat().await.expect("a balance");
    done(json!({"channels": [
        {"state": "CHANNELD_NORMAL", "peer_connected": true, "spendable_msat": msat},
        {"state": "CHANNELD_NORMAL", "peer_connected": false, "spendable_msat": 5_000},
        {"state": "ONCHAIN", "peer_connected": true},
    ]}))
}

async fn pay(answers: Vec<Answer>) -> (PayOutcome, Vec<String>) {
    let server = Scripted::plain(answers).await;
    let outcome = wallet(&server).pay(&request(&preimage())).await;
    (outcome, server.seen())
}

fn wallet(server: &Scripted) -> Cln {
    let url = format!("cln://127.0.0.1:{}?rune=c2VjcmV0&tls=off", server.port);
    let mut config = Cln::config_from_url(&url).expect("a configuration");
    config.answer_margin = Duration::ZERO;
    Cln::new(config).expect("a client")
}

fn complete(preimage: Value) -> Answer {
    page(
        201,
        &json!({"status": "complete", "payment_preimage": preimage, "amount_msat": 21_001,
        "amount_sent_msat": 21_006})
        .to_string(),
    )
}

fn refused(status: u16, code: i64, message: &str) -> Answer {
    page(status, &json!({"code": code, "message": message}).to_string())
}

fn pays(status: &[&str]) -> Answer {
    let pays: Vec<_> = status
        .iter()
        .map(|status| {
            json!({"payment_hash": preimage().payment_hash().to_string(), "status": status,
                "preimage": (*status == "complete").then(|| "07".repeat(32)),
                "amount_msat": "21001msat", "amount_sent_msat": "21008msat"})
        })
        .collect();
    page(201, &json!({"pays": pays}).to_string())
}

#[tokio::test]
async fn the_request_is_what_pay_takes() {
    let (outcome, seen) = pay(vec![complete(json!("07".repeat(32)))]).await;
    assert_eq!(paid(outcome).fee_msat, 5);
    let (head, body) = seen[0].split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("POST /v1/pay HTTP/1.1\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains("rune: c2vjcmv0"), "{head}");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["maxfee"], 1_000);
    assert_eq!(body["retry_for"], 1);
    assert_eq!(body.as_object().map(|o| o.len()), Some(3));
}

#[tokio::test]
async fn paid_only_with_the_preimage() {
    let invoice = request(&preimage()).bolt11;
    for wrong in [json!(null), json!(""), json!("00".repeat(32)), json!(invoice)] {
        let (outcome, seen) = pay(vec![complete(wrong)]).await;
        assert_eq!(unknown(outcome), LightningError::PreimageMismatch);
        assert_eq!(seen.len(), 1, "it is not sent again");
    }
    // `xpay` in the place of `pay` says no status.
    let xpay = json!({"payment_preimage": "07".repeat(32), "failed_parts": 0,
        "successful_parts": 1, "amount_msat": 21_001, "amount_sent_msat": 21_003});
    let (outcome, _) = pay(vec![page(201, &xpay.to_string())]).await;
    assert_eq!(paid(outcome).fee_msat, 2);
}

#[tokio::test]
async fn each_code_counts_where_the_record_agrees() {
    for (code, expected) in [
        (201, "already_paid"),
        (203, "incorrect_payment_details"),
        (205, "no_route"),
        (206, "fee_limit"),
        (207, "invoice_expired"),
        (209, "rejected"),
        (210, "payment_timeout"),
        (219, "already_paid"),
    ] {
        let answer = || refused(500, code, "words");
        for record in [pays(&[]), pays(&["failed"]), pays(&["failed", "failed"])] {
            let (outcome, _) = pay(vec![answer(), record]).await;
            assert_eq!(failed(outcome).code(), expected);
        }
        for record in
            [pays(&["pending"]), pays(&["pending", "failed"]), pays(&["failed", "pending"])]
        {
            let (outcome, _) = pay(vec![answer(), record]).await;
            assert_eq!(unknown(outcome).code(), "payment_in_flight");
        }
        let (outcome, _) = pay(vec![answer(), pays(&["failed", "complete"])]).await;
        assert_eq!(paid(outcome).fee_msat, 7);
        let (outcome, _) = pay(vec![answer(), page(500, "")]).await;
        assert_eq!(unknown(outcome).code(), "invalid_response");
    }
    // As clnrest in Python wraps it.
    let wrapped =
        page(500, "{\"error\":{\"code\":206,\"message\":\"Fee exceeds our fee budget\"}}");
    let (outcome, _) = pay(vec![wrapped, pays(&[])]).await;
    assert_eq!(failed(outcome), PayFailure::FeeLimit);
}

#[tokio::test]
async fn what_is_pending_is_followed_to_its_end() {
    for begun in [page(201, "{\"status\":\"pending\"}"), refused(500, 200, "in progress")] {
        let (outcome, _) = pay(vec![begun.clone(), pays(&["pending"]), pays(&["complete"])]).await;
        paid(outcome);
        let (outcome, _) = pay(vec![begun, pays(&["pending"]), pays(&["failed"])]).await;
        assert_eq!(failed(outcome).code(), "rejected");
    }
}

#[tokio::test]
async fn other_answers_are_a_refusal_or_unknown() {
    for (answer, code) in [
        (refused(401, 1501, "Not authorized: Missing rune"), "node_auth"),
        (refused(403, 1502, "Not permitted: method is not equal to pay"), "node_auth"),
        (refused(404, -32601, "Unknown command 'pay'"), "node_error"),
        (refused(500, -32602, "Invalid bolt11: Prefix bc is not for regtest"), "wrong_network"),
        (refused(500, -32602, "Invalid bolt11: bad signature"), "rejected"),
    ] {
        let (outcome, seen) = pay(vec![answer]).await;
        assert_eq!(failed(outcome).code(), code);
        assert_eq!(seen.len(), 1);
    }
    for (answer, code) in [
        (refused(500, -1, "words"), "node_error"),
        (refused(500, -4, "Plugin terminated before replying to RPC call."), "node_error"),
        (page(500, "<html>"), "invalid_response"),
        (page(302, ""), "invalid_response"),
        (page(201, "{}"), "preimage_mismatch"),
        (page(201, "{\"status\":\"odd\"}"), "invalid_response"),
        (page(201, &json!({"payment_preimage": "07".repeat(32)}).to_string()), "invalid_response"),
        (Answer::Close(vec![]), "connection_lost"),
        (Answer::Hang(vec![]), "timeout_unknown"),
    ] {
        let (outcome, seen) = pay(vec![answer]).await;
        assert_eq!(unknown(outcome).code(), code);
        assert_eq!(seen.len(), 1, "it was sent once and not again");
    }
}

#[tokio::test]
async fn the_certificate_is_pinned_as_lnds_is() {
    let (folder, pinned, other) = (tempfile::tempdir().expect("a folder"), identity(), identity());
    let cert = folder.path().join("server.pem");
    std::fs::write(&cert, &pinned.pem).expect("written");
    for (shown, reached) in [(&pinned, true), (&other, false)] {
        let server = Scripted::start(shown, shown, vec![complete(json!("07".repeat(32)))]).await;
        let url = format!("cln://127.0.0.1:{}?rune=x&cert={}", server.port, cert.display());
        let outcome = Cln::from_url(&url).expect("a client").pay(&request(&preimage())).await;
        assert_eq!(server.seen().len(), usize::from(reached));
        if reached {
            paid(outcome);
        } else {
            assert_eq!(failed(outcome).code(), "node_unreachable");
        }
    }
}

#[test]
fn the_rune_is_never_printed_and_never_sent_in_the_clear_unasked() {
    let config = Cln::config_from_url("cln://node.example?rune=c2VjcmV0").expect("a configuration");
    let printed = format!("{config:?} {:?}", Cln::new(config.clone()).expect("a client"));
    assert!(printed.contains("https://node.example:3010") && !printed.contains("c2VjcmV0"));
    assert!(
        format!("{:?}", Cln::config_from_url("cln://127.0.0.1?rune=x")).contains("https://127"),
        "clnrest has TLS on this machine too"
    );
    for url in ["cln://h", "cln://h?rune=", "cln://h/x?rune=x", "cln://h?rune=x&password=c2VjcmV0"]
    {
        let error = Cln::config_from_url(url).expect_err("refused");
        assert!(error.code() == "config" && !error.to_string().contains("c2VjcmV0"));
    }
}

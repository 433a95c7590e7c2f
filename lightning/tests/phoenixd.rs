//! The phoenixd backend: the contract tests by the shapes of phoenixd's documentation in front of
//! the devnet, and refusals by scripted answers.

mod common;
#[path = "common/facade.rs"]
mod facade;
#[path = "common/scripted.rs"]
mod scripted;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use common::{failed, paid, unknown};
use facade::{Facade, Nodes};
use plannt_core::PaymentHash;
use plannt_lightning::phoenixd::Phoenixd;
use plannt_lightning::{
    InvoiceRequest, InvoiceState, Invoicer, LightningError, PayFailure, PayOutcome, Payer,
    PaymentState,
};
use scripted::{Answer, Scripted, page, preimage, request};
use serde::Deserialize;
use serde_json::{Value, json};

async fn fixture() -> Facade {
    let router = |nodes| {
        Router::new()
            .route("/createinvoice", post(create_invoice))
            .route("/payments/incoming/{hash}", get(incoming))
            .route("/payinvoice", post(pay_invoice))
            .route("/payments/outgoingbyhash/{hash}", get(outgoing))
            .route("/getbalance", get(balance))
            .route("/getinfo", get(async || Json(json!({"version": "0.6.2-1a2b3c4"}))))
            .with_state(nodes)
    };
    Facade::start(router, |at| format!("phoenixd://{at}?password=secret&network=regtest")).await
}

plannt_lightning::invoicer_contract_tests!(fixture());
plannt_lightning::payer_contract_tests!(fixture());

type Behind = State<Arc<Nodes>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateInvoice {
    amount_sat: u64,
    description: String,
    expiry_seconds: u32,
}

async fn create_invoice(
    State(nodes): Behind,
    headers: HeaderMap,
    form: Form<CreateInvoice>,
) -> Response {
    // The empty user and "secret".
    if headers["authorization"] != "Basic OnNlY3JldA==" {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let request = InvoiceRequest {
        amount_msat: form.amount_sat * 1_000,
        memo: form.description.clone(),
        expiry_seconds: form.expiry_seconds,
    };
    let bolt11 = nodes.merchant.issue(&request).await.expect("an invoice");
    let hash = common::pay_request(&bolt11).payment_hash;
    Json(json!({
        "amountSat": form.amount_sat, "paymentHash": hash.to_string(), "serialized": bolt11,
    }))
    .into_response()
}

async fn incoming(State(nodes): Behind, Path(hash): Path<String>) -> Response {
    let parsed: PaymentHash = hash.parse().expect("a hash");
    let state = nodes.merchant.look_up_invoice(&parsed).await.expect("a state");
    let received = match state {
        InvoiceState::NotFound => return StatusCode::NOT_FOUND.into_response(),
        InvoiceState::Settled { amount_msat } => Some(amount_msat / 1_000),
        _ => None,
    };
    Json(json!({
        "type": "incoming_payment", "subType": "lightning", "paymentHash": hash,
        "preimage": "11".repeat(32), "isPaid": received.is_some(),
        "isExpired": state == InvoiceState::Canceled, "requestedSat": 1,
        "receivedSat": received.unwrap_or(0), "fees": 0, "createdAt": 1_712_785_550_079_u64,
    }))
    .into_response()
}

#[derive(Deserialize)]
struct PayInvoice {
    invoice: String,
}

async fn pay_invoice(State(nodes): Behind, form: Form<PayInvoice>) -> Json<Value> {
    let request = plannt_lightning::PayRequest {
        max_fee_msat: 100_000,
        ..common::pay_request(&form.invoice)
    };
    let hash = request.payment_hash.to_string();
    let failure = |reason: &str| json!({"paymentHash": hash, "reason": reason});
    Json(match nodes.payer.pay(&request).await {
        PayOutcome::Paid(payment) => json!({
            "recipientAmountSat": request.amount_msat / 1_000,
            "routingFeeSat": payment.fee_msat / 1_000,
            "paymentId": "8c1b1d6c-2ab5-4b0a-8c8d-4f4e0d7ff2a1",
            "paymentHash": hash,
            "paymentPreimage": payment.preimage.expose_hex().as_str(),
        }),
        PayOutcome::Failed(PayFailure::InsufficientBalance) => failure("InsufficientBalance"),
        PayOutcome::Failed(_) => failure("NoRouteToRecipient"),
        PayOutcome::Unknown(_) => failure("AlreadyInProgress"),
    })
}

async fn outgoing(State(nodes): Behind, Path(hash): Path<String>) -> Response {
    let parsed: PaymentHash = hash.parse().expect("a hash");
    let (preimage, fees, completed) = match nodes.payer.look_up_payment(&parsed).await {
        Ok(PaymentState::Paid(payment)) => {
            (Some(payment.preimage.expose_hex().to_string()), payment.fee_msat, Some(1))
        }
        Ok(PaymentState::InFlight) => (None, 0, None),
        Ok(PaymentState::Failed(_)) => (None, 0, Some(1)),
        Ok(PaymentState::NotFound) => return StatusCode::NOT_FOUND.into_response(),
        Err(error) => panic!("{error}"),
    };
    Json(json!({
        "type": "outgoing_payment", "subType": "lightning",
        "paymentId": "8c1b1d6c-2ab5-4b0a-8c8d-4f4e0d7ff2a1", "paymentHash": hash,
        "preimage": preimage, "isPaid": preimage.is_some(), "sent": 1, "fees": fees,
        "completedAt": completed, "createdAt": 1_712_785_550_079_u64,
    }))
    .into_response()
}

async fn balance(State(nodes): Behind) -> Json<Value> {
    let msat = nodes.payer.balance_msat().await.expect("a balance");
    Json(json!({"balanceSat": msat / 1_000, "feeCreditSat": 0}))
}

/// Pays at a server with these answers; the outcome, and what the server saw.
async fn pay(answers: Vec<Answer>) -> (PayOutcome, Vec<String>) {
    let server = Scripted::plain(answers).await;
    let outcome = wallet(&server).pay(&request(&preimage())).await;
    (outcome, server.seen())
}

fn wallet(server: &Scripted) -> Phoenixd {
    let url = format!("phoenixd://127.0.0.1:{}?password=secret", server.port);
    let mut config = Phoenixd::config_from_url(&url).expect("a configuration");
    config.answer_margin = Duration::ZERO;
    Phoenixd::new(config).expect("a client")
}

fn told(members: Value) -> Answer {
    let mut told = json!({"paymentHash": preimage().payment_hash().to_string()});
    told.as_object_mut().expect("an object").extend(members.as_object().expect("one").clone());
    page(200, &told.to_string())
}

fn sent(preimage: Value) -> Answer {
    told(json!({"recipientAmountSat": 21, "routingFeeSat": 4, "paymentPreimage": preimage}))
}

fn record(is_paid: bool, completed: Value, preimage: Value) -> Answer {
    told(json!({"isPaid": is_paid, "sent": 21, "fees": 4_321, "completedAt": completed,
        "preimage": preimage}))
}

fn none() -> Vec<Answer> {
    vec![page(404, "Unknown endpoint"), page(200, "{\"version\":\"0.7.0\"}")]
}

#[tokio::test]
async fn paid_only_with_the_preimage() {
    let (outcome, seen) = pay(vec![sent(json!("07".repeat(32)))]).await;
    assert_eq!(paid(outcome).fee_msat, 4_000);
    assert!(seen[0].starts_with("POST /payinvoice HTTP/1.1\r\n"), "{seen:?}");
    assert!(seen[0].contains("\r\n\r\ninvoice=lnbcrt"), "{seen:?}");
    let invoice = request(&preimage()).bolt11;
    for wrong in [json!(null), json!(""), json!("00".repeat(32)), json!(invoice)] {
        let (outcome, seen) = pay(vec![sent(wrong)]).await;
        assert_eq!(unknown(outcome), LightningError::PreimageMismatch);
        assert_eq!(seen.len(), 1, "it is not sent again");
    }
}

#[tokio::test]
async fn each_reason_counts_where_the_record_agrees() {
    for (reason, code) in [
        ("InsufficientBalance", "insufficient_balance"),
        ("NoRouteToRecipient", "no_route"),
        ("RetryExhausted", "no_route"),
        ("RecipientUnreachable", "no_route"),
        ("AlreadyPaid", "already_paid"),
        ("WalletRestarted", "rejected"),
    ] {
        let answers = || vec![told(json!({"reason": reason}))];
        for record in [none(), vec![record(false, json!(1), json!(null))]] {
            let (outcome, _) = pay([answers(), record].concat()).await;
            assert_eq!(failed(outcome).code(), code, "{reason}");
        }
        let in_flight = record(false, json!(null), json!(null));
        let (outcome, _) = pay([answers(), vec![in_flight]].concat()).await;
        assert_eq!(unknown(outcome).code(), "payment_in_flight", "{reason}");
        let was_paid = record(true, json!(1), json!("07".repeat(32)));
        let (outcome, _) = pay([answers(), vec![was_paid]].concat()).await;
        assert_eq!(paid(outcome).fee_msat, 4_321, "{reason}");
        let (outcome, _) = pay([answers(), vec![page(500, "")]].concat()).await;
        assert_eq!(unknown(outcome).code(), "node_error", "{reason}");
    }
}

#[tokio::test]
async fn a_payment_in_progress_is_followed_to_its_end() {
    let begun = told(json!({"reason": "AlreadyInProgress"}));
    let in_flight = record(false, json!(null), json!(null));
    let was_paid = record(true, json!(1), json!("07".repeat(32)));
    let (outcome, _) = pay(vec![begun.clone(), in_flight, was_paid]).await;
    paid(outcome);
    // A record that is not there is no end.
    let (outcome, _) = pay([vec![begun], none(), none(), none(), none()].concat()).await;
    assert_eq!(unknown(outcome).code(), "payment_in_flight");
}

#[tokio::test]
async fn other_answers_are_a_refusal_or_unknown() {
    for (status, code) in [
        (400, "rejected"),
        (401, "node_auth"),
        (403, "node_auth"),
        (404, "node_error"),
        (405, "node_error"),
    ] {
        let (outcome, _) = pay(vec![page(status, "words")]).await;
        assert_eq!(failed(outcome).code(), code);
    }
    for (answer, code) in [
        (page(500, "words"), "node_error"),
        (page(502, ""), "node_error"),
        (page(302, ""), "node_error"),
        (page(200, "<html>"), "invalid_response"),
        (told(json!({})), "invalid_response"),
        (told(json!({"routingFeeSat": 1, "reason": "NoRouteToRecipient"})), "invalid_response"),
        (page(200, "{\"paymentHash\":\"00\",\"reason\":\"NoRoute\"}"), "invalid_response"),
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
    let look_up = async |answers| {
        let server = Scripted::plain(answers).await;
        wallet(&server).look_up_payment(&preimage().payment_hash()).await
    };
    assert!(matches!(look_up(none()).await, Ok(PaymentState::NotFound)));
    for (answers, code) in [
        // A phoenixd without this call is not a phoenixd without this payment.
        (vec![page(404, ""), page(200, "{\"version\":\"0.4.2-abc\"}")], "unsupported"),
        (vec![page(404, ""), page(404, "")], "node_error"),
        (vec![page(404, ""), page(200, "{\"version\":\"x\"}")], "invalid_response"),
        (vec![page(401, "")], "node_auth"),
        (vec![record(true, json!(1), json!(null))], "preimage_mismatch"),
        (vec![page(200, "{}")], "invalid_response"),
    ] {
        assert_eq!(look_up(answers).await.expect_err("an error").code(), code);
    }
}

#[tokio::test]
async fn a_limited_password_issues_and_is_never_printed() {
    let server = Scripted::plain(vec![page(401, "Invalid authentication")]).await;
    let node = wallet(&server);
    let ask = InvoiceRequest { amount_msat: 1_000, memo: "m".into(), expiry_seconds: 60 };
    let error = node.issue(&ask).await.expect_err("refused");
    assert_eq!(error.code(), "node_auth");
    assert!(!format!("{node:?} {error}").contains("secret&"));
    assert!(format!("{node:?}").contains("[redacted]"));
    assert!(!node.wallet_id().contains("secret"));
    for wrong in [
        InvoiceRequest { amount_msat: 1_001, ..ask.clone() },
        InvoiceRequest { memo: "m".repeat(129), ..ask },
    ] {
        assert_eq!(node.issue(&wrong).await.expect_err("refused").code(), "invalid_request");
    }
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_password_goes_over_the_network_in_the_clear_only_on_request() {
    let base =
        |url: &str| format!("{:?}", Phoenixd::config_from_url(url).expect("a configuration"));
    assert!(base("phoenixd://127.0.0.1?password=x").contains("http://127.0.0.1:9740"));
    assert!(base("phoenixd://[::1]?password=x").contains("http://[::1]:9740"));
    assert!(base("phoenixd://node.example?password=x").contains("https://node.example:9740"));
    assert!(base("phoenixd://node.example?password=x&tls=off").contains("http://node.example"));
    for url in [
        "phoenixd://h",
        "phoenixd://h?password=x&tls=maybe",
        "phoenixd://h?password=x&tls=off&cert=/x",
        "phoenixd://h/path?password=x",
        "phoenixd://h?password=x&macaroon=x",
        "phoenixd://:x@h",
    ] {
        assert_eq!(Phoenixd::config_from_url(url).expect_err("refused").code(), "config");
    }
}

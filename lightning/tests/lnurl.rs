//! Issuing through a Lightning address: a service of LUD-06, LUD-16 and LUD-21 in front of the
//! devnet, and answers that it should not give.

mod common;
#[path = "common/scripted.rs"]
mod scripted;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use common::{net, paid};
use plannt_core::PaymentHash;
use plannt_lightning::lnurl::Lnurl;
use plannt_lightning::{
    InvoiceRequest, InvoiceState, Invoicer, LightningError, Payer, invoicer_from_url,
    payer_from_url,
};
use scripted::{Answer, Scripted, page, preimage, request};
use serde_json::{Value, json};

/// A service with one user, `shop`.
struct Service {
    net: common::Net,
    host: String,
    /// The preimages of what was paid: a payment of the test's tells them.
    proofs: Mutex<HashMap<String, String>>,
    comments: Mutex<Vec<Option<String>>>,
    invoices: Mutex<HashMap<String, String>>,
}

async fn serve() -> Arc<Service> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let host = listener.local_addr().expect("an address").to_string();
    let service = Arc::new(Service {
        net: net().await,
        host,
        proofs: Mutex::default(),
        comments: Mutex::default(),
        invoices: Mutex::default(),
    });
    let router = Router::new()
        .route("/.well-known/lnurlp/shop", get(pay_request))
        .route("/callback", get(callback))
        .route("/verify/{hash}", get(verify))
        .with_state(Arc::clone(&service));
    tokio::spawn(async move { axum::serve(listener, router).await });
    service
}

type Behind = State<Arc<Service>>;

async fn pay_request(State(service): Behind) -> Json<Value> {
    Json(
        json!({"tag": "payRequest", "callback": format!("http://{}/callback?user=1", service.host),
        "minSendable": 1_000, "maxSendable": 100_000_000, "commentAllowed": 20,
        "metadata": "[[\"text/plain\",\"shop\"]]"}),
    )
}

async fn callback(
    State(service): Behind,
    Query(ask): Query<HashMap<String, String>>,
) -> Json<Value> {
    assert_eq!(ask["user"], "1");
    service.comments.lock().expect("no panic").push(ask.get("comment").cloned());
    let request = InvoiceRequest {
        amount_msat: ask["amount"].parse().expect("an amount"),
        memo: "shop".into(),
        expiry_seconds: 600,
    };
    let pr = service.net.merchant.issue(&request).await.expect("an invoice");
    let hash = common::pay_request(&pr).payment_hash.to_string();
    service.invoices.lock().expect("no panic").insert(hash.clone(), pr.clone());
    Json(
        json!({"pr": pr, "routes": [], "verify": format!("http://{}/verify/{hash}", service.host)}),
    )
}

async fn verify(State(service): Behind, Path(hash): Path<String>) -> Json<Value> {
    let pr = service.invoices.lock().expect("no panic").get(&hash).cloned();
    let Some(pr) = pr else { return Json(json!({"status": "ERROR", "reason": "Not found"})) };
    let parsed: PaymentHash = hash.parse().expect("a hash");
    let state = service.net.merchant.look_up_invoice(&parsed).await;
    let proof = service.proofs.lock().expect("no panic").get(&hash).cloned();
    Json(json!({"status": "OK", "settled": matches!(state, Ok(InvoiceState::Settled { .. })),
        "preimage": proof, "pr": pr}))
}

fn ask(amount_msat: u64) -> InvoiceRequest {
    InvoiceRequest { amount_msat, memo: "a sale".into(), expiry_seconds: 600 }
}

#[tokio::test]
async fn an_invoice_is_issued_paid_and_verified() {
    let service = serve().await;
    let address = format!("shop@{}?network=regtest", service.host);
    let shop = invoicer_from_url(&address).expect("an invoicer");
    assert_eq!(shop.network(), Some(plannt_core::Network::Regtest));
    let unknown = PaymentHash::from_bytes([9; 32]);
    let error = shop.look_up_invoice(&unknown).await.expect_err("nobody knows where to ask");
    assert_eq!(error.code(), "unsupported");

    let pay = common::pay_request(&shop.issue(&ask(21_001)).await.expect("an invoice"));
    assert_eq!(pay.amount_msat, 21_001);
    assert_eq!(shop.look_up_invoice(&pay.payment_hash).await, Ok(InvoiceState::Open));
    let payment = paid(service.net.payer.pay(&pay).await);
    let hash = pay.payment_hash.to_string();
    service
        .proofs
        .lock()
        .expect("no panic")
        .insert(hash, payment.preimage.expose_hex().to_string());
    let settled = Ok(InvoiceState::Settled { amount_msat: 21_001 });
    assert_eq!(shop.look_up_invoice(&pay.payment_hash).await, settled);
    assert_eq!(shop.look_up_invoice(&unknown).await, Ok(InvoiceState::NotFound));

    // After a start, the next invoice shows where to ask for the earlier ones.
    let restarted = invoicer_from_url(&address).expect("an invoicer");
    restarted.issue(&ask(1_000)).await.expect("an invoice");
    assert_eq!(restarted.look_up_invoice(&pay.payment_hash).await, settled);

    let long = InvoiceRequest { memo: "x".repeat(21), ..ask(1_000) };
    shop.issue(&long).await.expect("an invoice");
    let comments = service.comments.lock().expect("no panic").clone();
    assert_eq!(comments, [Some("a sale".into()), Some("a sale".into()), None]);
    for amount in [999, 100_000_001] {
        let error = shop.issue(&ask(amount)).await.expect_err("out of range");
        assert_eq!(error.code(), "invalid_request");
    }
}

#[test]
fn nothing_is_paid_from_an_address() {
    for text in ["shop@pay.example", "lnurlp://pay.example/x", "lnurl:https://pay.example/x"] {
        let Err(error) = payer_from_url(text) else { panic!("a payer of {text}") };
        assert_eq!(error.code(), "config");
    }
}

fn terms(port: u16, changes: Value) -> Answer {
    let mut terms = json!({"tag": "payRequest", "callback": format!("http://127.0.0.1:{port}/"),
        "minSendable": 1, "maxSendable": 100_000_000, "metadata": "[]"});
    let changed = terms.as_object_mut().expect("an object");
    changed.extend(changes.as_object().expect("an object").clone());
    page(200, &terms.to_string())
}

/// Issues at a service that answers this, after terms that lead back to it.
async fn issue(changes: Value, answer: Option<Answer>) -> Result<String, LightningError> {
    // Its port is part of its first answer, so that is given by a server of its own.
    let second = Scripted::plain(answer.into_iter().collect()).await;
    let first = Scripted::plain(vec![terms(second.port, changes)]).await;
    let url = format!("lnurl:http://127.0.0.1:{}/", first.port);
    Lnurl::from_url(&url).expect("a client").issue(&ask(21_001)).await
}

#[tokio::test]
async fn answers_that_are_none_are_refused() {
    let pr = request(&preimage()).bolt11;
    let ok = |told: Value| Some(page(200, &told.to_string()));
    let verify = "https://pay.example/verify/1";
    let good = ok(json!({"pr": pr, "routes": [], "verify": verify}));
    assert_eq!(issue(json!({}), good).await, Ok(pr.clone()));
    for (changes, answer, code) in [
        (json!({"tag": "withdrawRequest"}), None, "invalid_response"),
        (json!({"callback": "http://pay.example/"}), None, "invalid_response"),
        (json!({"callback": "file:///etc/passwd"}), None, "invalid_response"),
        (json!({"minSendable": -1}), None, "invalid_response"),
        (json!({"status": "ERROR", "reason": "gone"}), None, "node_error"),
        (json!({}), ok(json!({"status": "ERROR", "reason": "gone"})), "node_error"),
        (json!({}), Some(page(500, "<html>")), "node_error"),
        (json!({}), Some(page(302, "")), "node_error"),
        (json!({}), ok(json!({"pr": pr, "routes": []})), "unsupported"),
        (json!({}), ok(json!({"pr": pr, "verify": "http://pay.example/"})), "invalid_response"),
        (json!({}), ok(json!({"pr": "lnbcrt1", "verify": verify})), "invalid_response"),
        (json!({}), Some(Answer::Close(vec![])), "connection_lost"),
    ] {
        let error = issue(changes.clone(), answer).await.expect_err("refused");
        assert_eq!(error.code(), code, "{changes}: {error}");
    }
}

#[tokio::test]
async fn settled_only_with_the_invoice_and_its_preimage() {
    let (pr, hash) = (request(&preimage()).bolt11, preimage().payment_hash());
    let other = request(&plannt_core::Preimage::from_bytes([8; 32])).bolt11;
    let told = |settled, preimage: Value, pr: &str| {
        page(
            200,
            &json!({"status": "OK", "settled": settled, "preimage": preimage, "pr": pr})
                .to_string(),
        )
    };
    let proof = json!("07".repeat(32));
    for (answer, expected) in [
        (told(true, proof.clone(), &pr), Ok(InvoiceState::Settled { amount_msat: 21_001 })),
        (told(false, json!(null), &pr), Ok(InvoiceState::Open)),
        (page(404, "{\"status\":\"ERROR\",\"reason\":\"unknown\"}"), Ok(InvoiceState::NotFound)),
        (told(true, json!(null), &pr), Err("invalid_response")),
        (told(true, json!("00".repeat(32)), &pr), Err("invalid_response")),
        (told(true, json!("08".repeat(32)), &other), Err("invalid_response")),
        (told(true, proof, "lnbcrt1"), Err("invalid_response")),
        (page(200, "{\"status\":\"ERROR\",\"reason\":\"busy\"}"), Err("node_error")),
        (page(404, "<html>"), Err("node_error")),
        (page(200, "{}"), Err("invalid_response")),
    ] {
        let verifier = Scripted::plain(vec![answer]).await;
        let verify = format!("http://127.0.0.1:{}/", verifier.port);
        let issued = json!({"pr": pr, "verify": verify}).to_string();
        let second = Scripted::plain(vec![page(200, &issued)]).await;
        let first = Scripted::plain(vec![terms(second.port, json!({}))]).await;
        let url = format!("lnurl:http://127.0.0.1:{}/", first.port);
        let shop = Lnurl::from_url(&url).expect("a client");
        shop.issue(&ask(21_001)).await.expect("an invoice");
        let state = shop.look_up_invoice(&hash).await;
        assert_eq!(state.map_err(|error| error.code()), expected);
    }
}

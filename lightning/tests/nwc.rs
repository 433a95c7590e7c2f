//! Nostr Wallet Connect over relays in this process: the contract tests with a wallet service on the
//! devnet's lnd, and what a wallet or a relay could say.

mod common;
#[path = "common/facade.rs"]
mod facade;
#[path = "common/scripted.rs"]
mod scripted;
#[path = "common/wallet_service.rs"]
mod wallet_service;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{failed, paid, unknown};
use facade::{Facade, Nodes};
use nostr::{RelayUrl, TagKind};
use nostr_relay_builder::builder::{RelayBuilderNip42, RelayBuilderNip42Mode};
use nostr_relay_builder::{LocalRelay, MockRelay, RelayBuilder};
use plannt_core::PaymentHash;
use plannt_lightning::nwc::{Nwc, NwcConfig};
use plannt_lightning::{
    InvoiceRequest, InvoiceState, Invoicer, LightningError, PayFailure, PayOutcome, PayRequest,
    Payer, PaymentState,
};
use scripted::{preimage, request};
use serde_json::{Value, json};
use wallet_service::WalletService;

/// Kept by the test, since a relay ends with its handle.
static RELAYS: Mutex<Vec<MockRelay>> = Mutex::new(Vec::new());

async fn fixture() -> Facade {
    Facade::serve(async |nodes, _: &std::path::Path| {
        // The wallet listens at two relays, and a third is gone.
        let relays =
            [MockRelay::run().await.expect("a relay"), MockRelay::run().await.expect("one")];
        let service = WalletService::new(move |method, parameters| {
            Box::pin(answer(Arc::clone(&nodes), method, parameters))
        });
        let mut urls = vec![RelayUrl::parse("ws://127.0.0.1:9").expect("a URL")];
        for relay in relays {
            let url = relay.url().await;
            service.listen(&url, Some("nip44_v2 nip04")).await;
            urls.push(url);
            RELAYS.lock().expect("no panic").push(relay);
        }
        service.uri(&urls) + "&network=regtest"
    })
    .await
}

plannt_lightning::invoicer_contract_tests!(fixture());
plannt_lightning::payer_contract_tests!(fixture());

fn result(method: &str, result: Value) -> Value {
    json!({"result_type": method, "error": null, "result": result})
}

fn error(method: &str, code: &str) -> Value {
    json!({"result_type": method, "error": {"code": code, "message": "words"}, "result": null})
}

async fn answer(nodes: Arc<Nodes>, method: String, ask: Value) -> Option<Value> {
    let told = |told| Some(result(&method, told));
    match method.as_str() {
        "get_balance" => {
            told(json!({"balance": nodes.payer.balance_msat().await.expect("a balance")}))
        }
        "make_invoice" => {
            let request = InvoiceRequest {
                amount_msat: ask["amount"].as_u64().expect("an amount"),
                memo: ask["description"].as_str().expect("a description").into(),
                expiry_seconds: ask["expiry"].as_u64().expect("an expiry") as u32,
            };
            let invoice = nodes.merchant.issue(&request).await.expect("an invoice");
            let hash = common::pay_request(&invoice).payment_hash.to_string();
            told(json!({"type": "incoming", "state": "pending", "invoice": invoice,
                "payment_hash": hash, "amount": request.amount_msat, "created_at": 1}))
        }
        "pay_invoice" => {
            let request = PayRequest {
                max_fee_msat: 100_000,
                ..common::pay_request(ask["invoice"].as_str().expect("an invoice"))
            };
            match nodes.payer.pay(&request).await {
                PayOutcome::Paid(payment) => told(json!({
                    "preimage": payment.preimage.expose_hex().as_str(),
                    "fees_paid": payment.fee_msat,
                })),
                PayOutcome::Failed(PayFailure::InsufficientBalance) => {
                    Some(error(&method, "INSUFFICIENT_BALANCE"))
                }
                _ => Some(error(&method, "PAYMENT_FAILED")),
            }
        }
        "lookup_invoice" => {
            let hash = ask["payment_hash"].as_str().expect("a hash");
            Some(match look_up(&nodes, &hash.parse().expect("a hash")).await {
                Some(mut found) => {
                    found["payment_hash"] = hash.into();
                    result(&method, found)
                }
                None => error(&method, "NOT_FOUND"),
            })
        }
        _ => Some(error(&method, "NOT_IMPLEMENTED")),
    }
}

async fn look_up(nodes: &Nodes, hash: &PaymentHash) -> Option<Value> {
    match nodes.payer.look_up_payment(hash).await.expect("a state") {
        // One wallet service stands for both sides here. What comes in is told by its settled
        // amount, what goes out by its proof: so a settled one is told as both.
        PaymentState::Paid(payment) => {
            let InvoiceState::Settled { amount_msat } =
                nodes.merchant.look_up_invoice(hash).await.expect("a state")
            else {
                panic!("paid, and not settled")
            };
            Some(json!({"state": "settled", "settled_at": 1, "amount": amount_msat,
                "preimage": payment.preimage.expose_hex().as_str(), "fees_paid": payment.fee_msat}))
        }
        PaymentState::InFlight => Some(json!({"type": "outgoing", "state": "pending"})),
        PaymentState::Failed(_) => Some(json!({"type": "outgoing", "state": "failed"})),
        PaymentState::NotFound => match nodes.merchant.look_up_invoice(hash).await {
            Ok(InvoiceState::Open) => Some(json!({"type": "incoming", "state": "pending"})),
            Ok(InvoiceState::Canceled) => Some(json!({"type": "incoming", "state": "expired"})),
            _ => None,
        },
    }
}

/// A wallet that gives these answers to its requests, in this order; `None` is silence.
struct World {
    service: WalletService,
    url: RelayUrl,
    _relay: MockRelay,
}

async fn world(encryption: Option<&str>, answers: Vec<Option<Value>>) -> World {
    let relay = MockRelay::run().await.expect("a relay");
    let answers = Mutex::new(answers.into_iter());
    let service = WalletService::new(move |_, _| {
        let answer = answers.lock().expect("no panic").next().expect("one more answer");
        Box::pin(std::future::ready(answer))
    });
    let url = relay.url().await;
    service.listen(&url, encryption).await;
    World { service, url, _relay: relay }
}

fn client(uri: &str) -> Nwc {
    let mut config = NwcConfig::from_url(uri).expect("a configuration");
    config.answer_margin = Duration::ZERO;
    config.request_timeout = Duration::from_secs(2);
    config.connect_timeout = Duration::from_secs(2);
    Nwc::new(config).expect("a client")
}

async fn pay(answers: Vec<Option<Value>>) -> (PayOutcome, usize) {
    let world = world(Some("nip44_v2"), answers).await;
    let outcome = client(&world.service.uri([&world.url])).pay(&request(&preimage())).await;
    (outcome, world.service.count())
}

fn sent(told: Value) -> Option<Value> {
    Some(result("pay_invoice", told))
}

fn refused(code: &str) -> Option<Value> {
    Some(error("pay_invoice", code))
}

fn record(state: &str, preimage_hex: Value) -> Option<Value> {
    let hash = preimage().payment_hash().to_string();
    Some(result(
        "lookup_invoice",
        json!({"type": "outgoing", "state": state, "payment_hash": hash,
        "preimage": preimage_hex, "amount": 21_001, "fees_paid": 9}),
    ))
}

fn proof() -> Value {
    json!("07".repeat(32))
}

#[tokio::test]
async fn paid_only_with_the_preimage() {
    let (outcome, count) = pay(vec![sent(json!({"preimage": proof(), "fees_paid": 5}))]).await;
    assert_eq!((paid(outcome).fee_msat, count), (5, 1));
    let invoice = request(&preimage()).bolt11;
    for wrong in [json!(null), json!(""), json!("00".repeat(32)), json!(invoice)] {
        let (outcome, count) = pay(vec![sent(json!({"preimage": wrong, "fees_paid": 5}))]).await;
        assert_eq!(unknown(outcome), LightningError::PreimageMismatch);
        assert_eq!(count, 1, "it is not sent again");
    }
    // A fee that is not told is asked for, and else counts as the limit.
    let told = || sent(json!({"preimage": proof()}));
    let (outcome, _) = pay(vec![told(), record("settled", proof())]).await;
    assert_eq!(paid(outcome).fee_msat, 9);
    let (outcome, _) = pay(vec![told(), Some(error("lookup_invoice", "NOT_IMPLEMENTED"))]).await;
    assert_eq!(paid(outcome).fee_msat, 1_000);
}

#[tokio::test]
async fn a_refusal_before_any_attempt_is_a_failure() {
    for (code, expected) in [
        ("INSUFFICIENT_BALANCE", "insufficient_balance"),
        ("QUOTA_EXCEEDED", "quota_exceeded"),
        ("RESTRICTED", "node_auth"),
        ("UNAUTHORIZED", "node_auth"),
        ("RATE_LIMITED", "node_error"),
        ("NOT_IMPLEMENTED", "unsupported"),
        ("UNSUPPORTED_ENCRYPTION", "unsupported"),
    ] {
        let (outcome, count) = pay(vec![refused(code)]).await;
        assert_eq!((failed(outcome).code(), count), (expected, 1), "{code}");
    }
}

#[tokio::test]
async fn payment_failed_counts_where_the_record_says_so() {
    for code in ["PAYMENT_FAILED", "INTERNAL", "OTHER", "SOMETHING_NEW"] {
        let (outcome, _) = pay(vec![refused(code), record("failed", json!(null))]).await;
        assert_eq!(failed(outcome).code(), "rejected", "{code}");
        let (outcome, _) = pay(vec![refused(code), record("settled", proof())]).await;
        assert_eq!(paid(outcome).fee_msat, 9, "{code}");
        let pending = || record("pending", json!(null));
        let (outcome, _) =
            pay(vec![refused(code), pending(), pending(), record("settled", proof())]).await;
        paid(outcome);
        // Some wallets list only what is settled, so this may be a payment that took too long.
        let (outcome, _) =
            pay(vec![refused(code), Some(error("lookup_invoice", "NOT_FOUND"))]).await;
        assert_eq!(unknown(outcome).code(), "node_error", "{code}");
    }
}

#[tokio::test]
async fn what_proves_nothing_is_unknown() {
    for (answer, code) in [
        (None, "timeout_unknown"),
        (Some(json!({})), "invalid_response"),
        (
            Some(json!({"result_type": "get_info", "result": {"preimage": proof()}})),
            "invalid_response",
        ),
        (sent(json!({"preimage": 7})), "invalid_response"),
        (sent(json!("x".repeat(60_000))), "invalid_response"),
    ] {
        let (outcome, count) = pay(vec![answer]).await;
        assert_eq!((unknown(outcome).code(), count), (code, 1));
    }
}

#[tokio::test]
async fn an_invoice_that_expired_may_still_be_noted_as_paid() {
    let hash = preimage().payment_hash();
    for (state, expected) in [
        ("pending", InvoiceState::Open),
        ("expired", InvoiceState::Open),
        ("failed", InvoiceState::Canceled),
    ] {
        let told = json!({"type": "incoming", "payment_hash": hash.to_string(), "state": state});
        let world = world(None, vec![Some(result("lookup_invoice", told))]).await;
        let client = client(&world.service.uri([&world.url]));
        assert_eq!(client.look_up_invoice(&hash).await, Ok(expected), "{state}");
    }
}

#[tokio::test]
async fn looking_up_guesses_nothing() {
    let look_up = async |answer| {
        let world = world(None, vec![answer]).await;
        client(&world.service.uri([&world.url])).look_up_payment(&preimage().payment_hash()).await
    };
    let not_found = Some(error("lookup_invoice", "NOT_FOUND"));
    assert!(matches!(look_up(not_found).await, Ok(PaymentState::NotFound)));
    for state in ["pending", "accepted", "expired", "something new"] {
        let found = look_up(record(state, json!(null))).await;
        assert!(matches!(found, Ok(PaymentState::InFlight)), "{state}: {found:?}");
    }
    let hash = preimage().payment_hash().to_string();
    let found = |told: Value| Some(result("lookup_invoice", told));
    let older = found(json!({"type": "outgoing", "payment_hash": hash, "preimage": proof(),
        "settled_at": 1_700_000_000, "amount": 1, "fees_paid": 3}));
    assert!(matches!(look_up(older).await, Ok(PaymentState::Paid(_))));
    let incoming = found(json!({"type": "incoming", "state": "settled", "payment_hash": hash,
        "preimage": proof(), "amount": 1}));
    assert!(matches!(look_up(incoming).await, Ok(PaymentState::NotFound)));
    for (answer, code) in [
        (record("settled", json!(null)), "preimage_mismatch"),
        (record("settled", json!("00".repeat(32))), "preimage_mismatch"),
        (found(json!({"state": "settled", "payment_hash": "00"})), "invalid_response"),
        (found(json!({"state": "settled"})), "invalid_response"),
        (Some(error("lookup_invoice", "RESTRICTED")), "node_auth"),
        (Some(error("lookup_invoice", "INTERNAL")), "node_error"),
        (None, "timeout_unknown"),
    ] {
        assert_eq!(look_up(answer).await.expect_err("an error").code(), code);
    }
}

#[tokio::test]
async fn encryption_is_what_the_wallet_reads() {
    let balance = || Some(result("get_balance", json!({"balance": 5})));
    for (info, nip44) in [
        (Some("nip44_v2 nip04"), true),
        (Some("nip44_v2"), true),
        (Some("nip04"), false),
        // Without the tag, NIP-47 says, it reads NIP-04 alone.
        (Some(""), false),
        (None, true),
    ] {
        let world = world(info, vec![balance(), balance()]).await;
        let wallet = client(&world.service.uri([&world.url]));
        for _ in 0..2 {
            assert_eq!(wallet.balance_msat().await, Ok(5));
        }
        for request in world.service.requests.lock().expect("no panic").iter() {
            assert_eq!(
                request.tags.find(TagKind::custom("encryption")).is_some(),
                nip44,
                "{info:?}"
            );
            assert_eq!(request.content.contains("?iv="), !nip44);
        }
    }
}

#[tokio::test]
async fn a_payment_request_expires_with_its_time() {
    let world = world(None, vec![sent(json!({"preimage": proof(), "fees_paid": 0}))]).await;
    let before = nostr::Timestamp::now();
    let outcome = client(&world.service.uri([&world.url])).pay(&request(&preimage())).await;
    paid(outcome);
    let requests = world.service.requests.lock().expect("no panic");
    let expires_at = requests[0].tags.expiration().expect("an expiration");
    assert!(*expires_at > before && *expires_at <= nostr::Timestamp::now() + 1);
}

#[tokio::test]
async fn without_a_relay_it_is_certainly_not_sent() {
    let service = WalletService::new(|_, _| panic!("nobody asks"));
    let listen = async || tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = |listener: &tokio::net::TcpListener| {
        let address = listener.local_addr().expect("an address");
        RelayUrl::parse(&format!("ws://{address}")).expect("a URL")
    };
    let gone = url(&listen().await);
    // Connections to it stand, and nobody answers.
    let listener = listen().await;
    let silent = url(&listener);
    let unresolved = RelayUrl::parse("wss://no-such-host.invalid").expect("a URL");
    let wallet = client(&service.uri([&gone, &silent, &unresolved]));
    assert_eq!(failed(wallet.pay(&request(&preimage())).await).code(), "node_unreachable");
    assert_eq!(wallet.balance_msat().await.expect_err("an error").code(), "node_unreachable");
}

#[tokio::test]
async fn a_relay_that_asks_who_we_are_is_told() {
    for mode in
        [RelayBuilderNip42Mode::Write, RelayBuilderNip42Mode::Read, RelayBuilderNip42Mode::Both]
    {
        // Only the client speaks here: it has to come as far as waiting for the wallet.
        let builder = RelayBuilder::default().nip42(RelayBuilderNip42 { mode });
        let relay = LocalRelay::new(builder);
        relay.run().await.expect("a relay");
        let service = WalletService::new(|_, _| panic!("nobody asks"));
        let url = relay.url().await;
        let outcome = client(&service.uri([&url])).pay(&request(&preimage())).await;
        assert_eq!(unknown(outcome).code(), "timeout_unknown");
    }
}

#[tokio::test]
async fn nothing_prints_the_secret() {
    let world = world(None, vec![refused("UNAUTHORIZED")]).await;
    let uri = world.service.uri([&world.url]);
    let secret = uri.split("secret=").nth(1).expect("a secret");
    let wallet = client(&uri);
    let outcome = wallet.pay(&request(&preimage())).await;
    let printed = format!("{wallet:?} {outcome:?} {}", wallet.wallet_id());
    assert!(!printed.contains(secret), "{printed}");
    assert_eq!(client(&uri).wallet_id(), wallet.wallet_id());
}

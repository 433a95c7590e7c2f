//! Each refusal of docs/PROTOCOL.md §5 step 3: its own code, one request, nothing paid, nothing journaled.

use std::time::Duration;

use axum::response::Response as AxumResponse;
use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{Secp256k1, SecretKey};
use futures_util::stream;
use lightning_invoice::{
    Currency, InvoiceBuilder, PaymentSecret, PositiveTimestamp, RawBolt11Invoice, RawDataPart,
    RawHrp, SiPrefix, TaggedField,
};
use plannt_client::{Body, Client, ClientBuilder, FeeLimit, Hosts, Request};
use plannt_core::{PaymentHash, challenge_header};

use crate::support::*;

const HASH: [u8; 32] = [7; 32];

struct Invoice {
    amount_msat: Option<u64>,
    currency: Currency,
    issued_at: u64,
    expiry: u64,
    payee_seed: Option<u8>,
}

impl Default for Invoice {
    fn default() -> Self {
        Self {
            amount_msat: Some(PRICE_MSAT),
            currency: Currency::Regtest,
            issued_at: now(),
            expiry: 600,
            payee_seed: None,
        }
    }
}

impl Invoice {
    fn text(self) -> String {
        let mut builder = InvoiceBuilder::new(self.currency)
            .description("one call".into())
            .payment_hash(sha256::Hash::from_byte_array(HASH))
            .payment_secret(PaymentSecret([8; 32]))
            .duration_since_epoch(Duration::from_secs(self.issued_at))
            .expiry_time(Duration::from_secs(self.expiry))
            .min_final_cltv_expiry_delta(18);
        if let Some(amount) = self.amount_msat {
            builder = builder.amount_milli_satoshis(amount);
        }
        if let Some(seed) = self.payee_seed {
            let other = SecretKey::from_slice(&[seed; 32]).unwrap();
            builder = builder.payee_pub_key(other.public_key(&Secp256k1::new()));
        }
        builder
            .build_signed(|m| Secp256k1::new().sign_ecdsa_recoverable(m, &node()))
            .unwrap()
            .to_string()
    }
}

fn node() -> SecretKey {
    SecretKey::from_slice(&[0x42; 32]).unwrap()
}

/// An invoice over a tenth of a msat, which no builder makes.
fn sub_msat() -> String {
    let like: lightning_invoice::Bolt11Invoice = Invoice::default().text().parse().unwrap();
    let fields = [
        TaggedField::PaymentHash(lightning_invoice::Sha256(sha256::Hash::from_byte_array(HASH))),
        TaggedField::Description(lightning_invoice::Description::new("x".into()).unwrap()),
        TaggedField::PaymentSecret(PaymentSecret([8; 32])),
        TaggedField::Features(like.features().unwrap().clone()),
    ];
    let hrp = RawHrp {
        currency: Currency::Regtest,
        raw_amount: Some(11),
        si_prefix: Some(SiPrefix::Pico),
    };
    let timestamp = PositiveTimestamp::from_unix_timestamp(now()).unwrap();
    let data = RawDataPart { timestamp, tagged_fields: fields.map(Into::into).to_vec() };
    RawBolt11Invoice { hrp, data }
        .sign(|m| Ok::<_, ()>(Secp256k1::new().sign_ecdsa_recoverable(m, &node())))
        .unwrap()
        .to_string()
}

fn header(invoice: &str) -> String {
    challenge_header(&token(PaymentHash::from_bytes(HASH), now() + 3_600, "/*"), invoice)
}

/// Sends one request to a server that challenges with `line`, and makes sure that nothing was paid.
async fn refused_as(line: String, expected: &str) {
    let world = World::ruled(move |_| Reply::Answer(response_402(&line))).await;
    refused_in(&world, world.client(), world.get("/"), expected).await;
}

async fn refused_in(world: &World, client: Client, request: Request, expected: &str) {
    let error = client.send(request).await.map(|r| r.status).unwrap_err();
    assert_eq!(error.code(), expected, "{error}");
    assert_eq!(world.attempts().await, 0, "{expected}");
    assert_eq!(client.receipts(1).await.unwrap(), [], "{expected}");
    assert!(world.seen().iter().all(|seen| seen.authorization.is_empty()));
    assert_eq!(world.seen().len(), 1);
}

/// The same for a real invoice of the devnet, and a client with a stricter policy.
async fn refused_by(setting: impl FnOnce(ClientBuilder) -> ClientBuilder, expected: &str) {
    let world = World::selling(1).await;
    let client = setting(world.builder()).build().unwrap();
    refused_in(&world, client, world.get("/"), expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_that_does_not_parse() {
    refused_as(header("lnbcrt1junk"), "invoice_malformed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_that_is_not_signed_right() {
    let invoice = Invoice { payee_seed: Some(0x43), ..Default::default() };
    refused_as(header(&invoice.text()), "invoice_wrong_signature").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_without_an_amount() {
    let invoice = Invoice { amount_msat: None, ..Default::default() };
    refused_as(header(&invoice.text()), "invoice_no_amount").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_with_a_part_of_a_msat() {
    refused_as(header(&sub_msat()), "invoice_sub_msat").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_that_has_expired() {
    let invoice = Invoice { issued_at: now() - 1_000, ..Default::default() };
    refused_as(header(&invoice.text()), "invoice_expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_with_less_than_30_seconds_left() {
    let invoice = Invoice { expiry: 25, ..Default::default() };
    refused_as(header(&invoice.text()), "invoice_expiring").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_for_another_network() {
    let invoice = Invoice { currency: Currency::Bitcoin, ..Default::default() };
    refused_as(header(&invoice.text()), "wrong_network").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_above_the_limit_with_its_maximum_fee() {
    let limit = PRICE_MSAT + FEE_MSAT;
    refused_by(|b| b.max_payment_msat(limit - 1), "above_limit").await;
    refused_by(|b| b.max_payment_msat(PRICE_MSAT - 1).max_fee(FeeLimit::NONE), "above_limit").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_has_too_little_left() {
    use plannt_client::{Budget, BudgetRule};
    let budget = Budget::new([BudgetRule::per_day(PRICE_MSAT + FEE_MSAT - 1)]);
    refused_by(|b| b.budget(budget), "budget_exceeded").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_allowed() {
    refused_by(|b| b.allowed_hosts(Hosts::listed(["api.example"])), "host_not_allowed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_to_another_machine() {
    let world = World::selling(1).await;
    // This machine, by an address that is not loopback's.
    let probe = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let address = probe.connect("192.0.2.1:9").and_then(|()| probe.local_addr());
    let Some(ip) = address.ok().map(|a| a.ip()).filter(|ip| !ip.is_loopback()) else {
        eprintln!("skipped: this machine has no address but loopback");
        return;
    };
    let listener = tokio::net::TcpListener::bind((ip, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let upstream = world.url.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((mut inbound, _)) = listener.accept().await {
            let mut outbound = tokio::net::TcpStream::connect(&upstream).await.unwrap();
            tokio::spawn(async move {
                let _ = tokio::io::copy_bidirectional(&mut inbound, &mut outbound).await;
            });
        }
    });
    let url = format!("http://{ip}:{port}/");
    refused_in(&world, world.client(), Request::get(&url).unwrap(), "plain_http").await;

    let allowed = world.builder().plain_http_hosts(Hosts::listed([ip])).build().unwrap();
    assert_eq!(allowed.send(Request::get(&url).unwrap()).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_sent_again() {
    let world = World::selling(1).await;
    let body = Body::stream(stream::iter([Ok("once".into())]));
    let request = Request::new("POST", &world.url).unwrap().body(body);
    refused_in(&world, world.client(), request, "body_not_replayable").await;
    assert_eq!(world.seen()[0].body, b"once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_hash_unlike_the_tokens() {
    let other = token(PaymentHash::from_bytes([9; 32]), now() + 3_600, "/*");
    let line = challenge_header(&other, &Invoice::default().text());
    refused_as(line, "payment_hash_mismatch").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expired_already() {
    let token = token(PaymentHash::from_bytes(HASH), now() - 1, "/*");
    refused_as(challenge_header(&token, &Invoice::default().text()), "token_expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_that_says_two_things() {
    let line = header(&Invoice::default().text());
    refused_as(line.replace(", token=\"", ", token=\"x"), "challenge_token_mismatch").await;
    refused_as(format!("{line}, invoice=\"lnbcrt1\""), "challenge_repeated_parameter").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_that_was_paid_before() {
    let world = World::selling(1).await;
    let client = world.client();
    assert_eq!(client.send(world.get("/one")).await.unwrap().status, 200);
    let paid = world.devnet.payments().await.unwrap()[0].payment_request.clone();
    // The server sends the same invoice for something else.
    world.rule(move |_| Reply::Answer(challenge_response(&paid)));
    assert_eq!(code(client.send(world.get("/two")).await), "payment_hash_known");
    assert_eq!(world.attempts().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_messages_hold_no_token() {
    let world = World::selling(1).await;
    world.rule(|seen| if seen.index == 0 { Reply::Challenge } else { status(402) });
    let error = world.client().send(world.get("/?key=secret")).await.unwrap_err();
    assert_eq!(error.code(), "payment_lost");
    let sent = world.seen()[1].authorization[0].clone();
    let (token, preimage) = sent["L402 ".len()..].split_once(':').unwrap();
    for text in [format!("{error}"), format!("{error:?}")] {
        assert!(!text.contains(token) && !text.contains(preimage), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_no_header_carries() {
    let invoice = Invoice::default().text();
    let body = serde_json::json!({ "invoice": invoice, "macaroon": "a\u{1F600}b" }).to_string();
    let world = World::ruled(move |_| {
        let response = AxumResponse::builder().status(402).body(body.clone().into());
        Reply::Answer(response.unwrap())
    })
    .await;
    let result = world.client().send(world.get("/")).await;
    // Either the reader takes it for no token at all, or it is refused: it is never paid for.
    assert!(result.map_or_else(|e| e.code() == "token_unusable", |r| r.status == 402));
    assert_eq!(world.attempts().await, 0);
}

//! Where a challenge is due: its form to the byte, and everything that stands in its way.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plannt_core::{Network, Token, read_invoice};
use plannt_lightning::devnet::{FaultKind, Operation};
use support::faulty::{OddInvoicer, Oddity};
use support::http::Ask;
use support::world::{BODY_LIMIT, Setup, World};

/// The caveats of a token, as text.
fn caveats(token: &str) -> Vec<String> {
    let macaroon = token.parse::<Token>().unwrap().parse_macaroon().unwrap();
    macaroon.caveats().map(|c| String::from_utf8(c.id.to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn the_challenge_is_the_protocols_to_the_byte() {
    let world = World::start().await;
    let now = world.clock.load(Ordering::SeqCst);
    let answer = world.send(Ask::get("/v1/demo?q=1")).await;
    answer.assert_challenge("payment_required");
    let challenge = answer.challenge().unwrap();
    let (token, invoice) = (&challenge.token, &challenge.invoice);
    let header = format!(
        "L402 macaroon=\"{token}\", invoice=\"{invoice}\", version=\"0\", token=\"{token}\""
    );
    let www: Vec<_> = answer.headers.iter().filter(|(n, _)| n == "www-authenticate").collect();
    assert_eq!(www, [&("www-authenticate".to_owned(), header)]);
    assert_eq!(answer.headers[0].0, "www-authenticate");
    assert_eq!(answer.header("content-type"), Some("application/json"));

    let start = format!(
        "{{\"error\":\"Payment Required\",\"invoice\":\"{invoice}\",\"format\":\"L402 {token}:<preimage>\","
    );
    assert!(answer.body.starts_with(&start), "{}", answer.body);
    let facts = read_invoice(invoice).unwrap();
    let json = answer.json();
    assert_eq!(json["macaroon"], **token);
    assert_eq!(json["authorization_format"], json["format"]);
    assert_eq!(json["payment_hash"], facts.payment_hash.to_string());
    assert_eq!(json["price_msat"], 21_000);
    assert_eq!(json["price_sats"], 21);
    assert_eq!(json["service"], "demo");
    let expires_at = humantime::parse_rfc3339(json["expires_at"].as_str().unwrap()).unwrap();
    let expires_at = expires_at.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(expires_at, facts.expires_at);
    assert!(expires_at >= now + 300, "{expires_at} {now}");

    let caveats = caveats(token);
    let minted = ["services=demo:0", "demo_valid_until=", "demo_method=GET", "demo_path=/v1/demo"];
    for (caveat, start) in caveats.iter().zip(minted) {
        assert!(caveat.starts_with(start), "{caveats:?}");
    }
    assert_eq!(caveats[4..], ["demo_max_price_msat=21000", "demo_uses=1"]);
    assert_eq!(world.upstream.count(), 0);
}

#[tokio::test]
async fn a_credential_outlives_its_invoice_by_ten_minutes() {
    let world = World::start().await;
    let challenge = world.send(Ask::get("/v1/brief")).await.challenge().unwrap();
    let valid_until = caveats(&challenge.token)[1].clone();
    let expires_at = read_invoice(&challenge.invoice).unwrap().expires_at;
    assert_eq!(valid_until, format!("demo_valid_until={}", expires_at + 600));
}

#[tokio::test]
async fn what_the_route_sells_and_binds_is_minted() {
    let world = World::start().await;
    let asks = [
        (Ask::get("/v1/bundle"), "demo_uses=3".to_owned()),
        (Ask::get("/v1/query?a=b"), {
            let digest = plannt_core::query_digest(b"a=b");
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("demo_query={hex}")
        }),
        (Ask::post("/v1/generate", b"tea"), {
            let digest = plannt_core::content_digest(b"tea");
            format!("demo_digest={}", plannt_core::content_digest_text(&digest))
        }),
        (Ask::get("/v1/capable"), "demo_capabilities=write".to_owned()),
    ];
    for (ask, caveat) in asks {
        let challenge = world.send(ask).await.challenge().unwrap();
        assert_eq!(caveats(&challenge.token).last(), Some(&caveat));
    }
}

#[tokio::test]
async fn other_schemes_and_broken_lines_are_challenged() {
    let world = World::start().await;
    let none = Ask::get("/v1/demo").header("Authorization", "Bearer abc");
    world.send(none).await.assert_challenge("payment_required");
    let hex = "ab".repeat(32);
    let secret = "AgEEbDQwMg==";
    for value in [
        "L402".to_owned(),
        "lsat ".to_owned(),
        format!("L402 {secret}"),
        format!("L402 {secret}:"),
        format!("L402 {secret}:{}", &hex[1..]),
        format!("L402 {secret}:{hex}0"),
        format!("LSAT {secret}:{}", hex.replace('a', "g")),
        format!("L402 :{hex}"),
        format!("L402 {secret},,{secret}:{hex}"),
        format!("L402 {secret}!:{hex}"),
    ] {
        let answer = world.send(Ask::get("/v1/demo").with(&value)).await;
        answer.assert_challenge("malformed_credential");
        let detail = answer.detail().expect("it says what");
        assert!(!detail.contains(secret) && !detail.contains("abab"), "{detail}");
    }
    // The first line with the scheme decides.
    let lines = Ask::get("/v1/demo").with("Basic abc").with("L402 x").with("L402 y:z");
    world.send(lines).await.assert_challenge("malformed_credential");
    assert_eq!(world.upstream.count(), 0);
}

#[tokio::test]
async fn what_cannot_be_taken_costs_no_invoice() {
    let world = World::start().await;
    for path in ["/v1/../free", "/v1//demo", "/v1/demo;a", "/v1%2fdemo", "/v1/%00", "/v1/%2e%2e/x"]
    {
        let answer = world.send(Ask::get(path)).await;
        answer.assert_error(400, "bad_path");
        assert!(answer.detail().is_some());
    }
    world.send(Ask::get("/nowhere")).await.assert_error(404, "not_found");
    let long = format!("/v1/long/{}", "a".repeat(900));
    world.send(Ask::get(&long)).await.assert_error(414, "uri_too_long");
    let header = format!("L402 {}", "a".repeat(17_000));
    world.send(Ask::get("/v1/demo").with(&header)).await.assert_error(431, "header_too_large");
    let body = vec![b'x'; BODY_LIMIT + 1];
    for ask in [Ask::post("/v1/generate", &body), Ask::post("/v1/generate", &body).chunked()] {
        world.send(ask).await.assert_error(413, "body_too_large");
    }
    world.send(Ask::new("get", "/v1/demo")).await.assert_error(405, "method_not_allowed");
    assert_eq!(world.invoices().await, 0);
    assert_eq!(world.upstream.count(), 0);
    world.send(Ask::post("/v1/generate", &body[1..])).await.assert_challenge("payment_required");
}

#[tokio::test]
async fn head_tells_the_price_and_spends_nothing() {
    let world = World::start().await;
    let credential = world.credential(&Ask::get("/v1/demo")).await;
    let invoices = world.invoices().await;
    for ask in [
        Ask::new("HEAD", "/v1/demo"),
        Ask::new("HEAD", "/v1/demo").with(&credential),
        Ask::new("HEAD", "/v1/generate"),
    ] {
        let answer = world.send(ask).await;
        assert_eq!(answer.status, 402);
        assert_eq!(answer.header("x-l402-price-msat"), Some("21000"));
        assert_eq!(answer.header("www-authenticate"), None);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.body, "");
    }
    assert_eq!(world.invoices().await, invoices);
    assert_eq!(world.upstream.count(), 0);
    assert_eq!(world.send(Ask::get("/v1/demo").with(&credential)).await.status, 200);
}

#[tokio::test]
async fn challenges_are_limited_and_credentials_are_not() {
    let limit = |b: plannt_gate::GateBuilder| b.challenges_per_minute(NonZeroU32::MIN);
    let world = World::start_with(Setup { builder: Box::new(limit), ..Setup::default() }).await;
    let credential = world.credential(&Ask::get("/v1/demo")).await;
    for _ in 0..2 {
        world.send(Ask::get("/v1/demo")).await.assert_challenge("payment_required");
    }
    let invoices = world.invoices().await;
    for _ in 0..3 {
        world.send(Ask::get("/v1/demo")).await.assert_error(429, "too_many_challenges");
    }
    assert_eq!(world.invoices().await, invoices);
    let paid = Ask::get("/v1/demo").with(&credential);
    assert_eq!(world.send(paid.clone()).await.status, 200);
    world.send(paid).await.assert_error(429, "too_many_challenges");
    assert_eq!(world.send(Ask::new("HEAD", "/v1/demo")).await.status, 402);
}

#[tokio::test]
async fn a_node_that_is_down_stops_challenges_and_nothing_else() {
    let world = World::start().await;
    let credential = world.credential(&Ask::get("/v1/demo")).await;
    world.devnet.faults().always(Operation::Issue, FaultKind::Down);
    world.send(Ask::get("/v1/demo")).await.assert_error(503, "unavailable");
    let paid = Ask::get("/v1/demo").with(&credential);
    assert_eq!(world.send(paid.clone()).await.status, 200);
    world.send(paid.clone()).await.assert_error(503, "unavailable");
    for fault in [FaultKind::ReplyLost, FaultKind::Nonsense] {
        world.devnet.faults().clear();
        world.devnet.faults().always(Operation::Issue, fault);
        world.send(Ask::get("/v1/demo")).await.assert_error(503, "unavailable");
    }
    world.devnet.faults().clear();
    world.send(paid).await.assert_challenge("spent");
    assert_eq!(world.upstream.count(), 1);
}

#[tokio::test]
async fn a_slow_node_is_waited_for_until_the_deadline() {
    let deadline = |b: plannt_gate::GateBuilder| b.invoice_deadline(Duration::from_millis(300));
    let world = World::start_with(Setup { builder: Box::new(deadline), ..Setup::default() }).await;
    world.devnet.faults().once(Operation::Issue, FaultKind::Slow { ms: 600_000 });
    world.send(Ask::get("/v1/demo")).await.assert_error(503, "unavailable");
}

type Next = Arc<Mutex<VecDeque<Oddity>>>;

/// A world whose node does what `Next` says, and asks for whole units.
async fn odd_world(unit_msat: u64, network: Network) -> (World, Next) {
    let next = Next::default();
    let oddities = next.clone();
    let invoicer =
        Box::new(move |inner| Arc::new(OddInvoicer { inner, next: oddities, unit_msat }) as Arc<_>);
    let world = World::start_with(Setup { invoicer, network, ..Setup::default() }).await;
    (world, next)
}

#[tokio::test]
async fn an_invoice_that_was_not_asked_for_is_not_handed_out() {
    let (world, next) = odd_world(1, Network::Regtest).await;
    let old = world.send(Ask::get("/v1/demo")).await.challenge().unwrap().invoice;
    for oddity in [
        Oddity::Amount,
        Oddity::Expiry(60),
        Oddity::Expiry(86_400),
        Oddity::Nonsense,
        // An invoice appears in one challenge, ever.
        Oddity::Old(old),
    ] {
        next.lock().unwrap().push_back(oddity.clone());
        let answer = world.send(Ask::get("/v1/demo")).await;
        assert_eq!(answer.status, 503, "{oddity:?}");
        answer.assert_error(503, "unavailable");
        world.send(Ask::get("/v1/demo")).await.assert_challenge("payment_required");
    }
}

#[tokio::test]
async fn an_invoice_of_another_network_is_not_handed_out() {
    let (world, _) = odd_world(1, Network::Signet).await;
    world.send(Ask::get("/v1/demo")).await.assert_error(503, "unavailable");
}

#[tokio::test]
async fn prices_round_up_to_the_nodes_unit() {
    let (world, _) = odd_world(1_000, Network::Regtest).await;
    for (price, rounded) in [(1, "1000"), (1_000, "1000"), (20_001, "21000")] {
        world.prices.price_msat.store(price, Ordering::SeqCst);
        let head = world.send(Ask::new("HEAD", "/v1/demo")).await;
        assert_eq!(head.header("x-l402-price-msat"), Some(rounded));
        let answer = world.send(Ask::get("/v1/demo")).await;
        assert_eq!(answer.json()["price_msat"].to_string(), rounded);
        let challenge = answer.challenge().unwrap();
        let facts = read_invoice(&challenge.invoice).unwrap();
        assert_eq!(facts.amount_msat.unwrap().to_string(), rounded);
        assert_eq!(caveats(&challenge.token)[4], format!("demo_max_price_msat={rounded}"));
    }
}

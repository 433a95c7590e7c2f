//! Each row of the answer table (docs/PROTOCOL.md §3), over real HTTP.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{SystemTime, UNIX_EPOCH};

use plannt_core::{Preimage, attenuate_token, authorization_value};
use plannt_lightning::devnet::{FaultKind, Operation};
use support::{Running, challenge_of};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

async fn demo() -> Running {
    Running::demo(|config| config).await
}

#[tokio::test]
async fn the_challenge_is_exact() {
    let gateway = demo().await;
    let answer = gateway.get("/v1/demo", &[]).await;
    answer.expect(402, "payment_required");
    let json = answer.json();
    let (token, invoice) = (json["macaroon"].as_str().unwrap(), json["invoice"].as_str().unwrap());
    let challenges: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"))
        .collect();
    let value = format!(
        "L402 macaroon=\"{token}\", invoice=\"{invoice}\", version=\"0\", token=\"{token}\""
    );
    assert_eq!(challenges, [&("WWW-Authenticate".to_owned(), value)]);
    let begins = format!(
        "{{\"error\":\"Payment Required\",\"invoice\":\"{invoice}\",\"format\":\"L402 {token}:<preimage>\","
    );
    let body = String::from_utf8(answer.body.clone()).unwrap();
    assert!(body.starts_with(&begins), "{body}");
    assert_eq!(json["price_msat"], 21_000);
    assert_eq!(json["price_sats"], 21);
    assert_eq!(json["service"], "demo");
}

#[tokio::test]
async fn a_paid_request_is_answered_once() {
    let gateway = demo().await;
    let credential = gateway.buy("GET", "/v1/demo", b"").await;
    let answer = gateway.get("/v1/demo", &[&credential]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, br#"{"result":"verified"}"#);
    assert_eq!(answer.header("x-l402"), Some("spent"));
    let again = gateway.get("/v1/demo", &[&credential]).await;
    again.expect(402, "spent");
    challenge_of(&again);
}

#[tokio::test]
async fn a_spent_credential_stays_spent_over_a_restart() {
    let gateway = demo().await;
    let credential = gateway.buy("GET", "/v1/demo", b"").await;
    assert_eq!(gateway.get("/v1/demo", &[&credential]).await.status, 200);
    let gateway = gateway.restart(|config| config).await;
    gateway.get("/v1/demo", &[&credential]).await.expect(402, "spent");
}

#[tokio::test]
async fn of_many_uses_at_once_exactly_one_is_answered() {
    let gateway = demo().await;
    let credential = gateway.buy("GET", "/v1/demo", b"").await;
    let headers = [credential.as_str()];
    let uses = (0..200).map(|_| gateway.get("/v1/demo", &headers));
    let answers = futures_util::future::join_all(uses).await;
    let accepted = answers.iter().filter(|answer| answer.status == 200).count();
    let refused = answers.iter().filter(|answer| [402, 429].contains(&answer.status)).count();
    assert_eq!((accepted, refused), (1, 199));
}

#[tokio::test]
async fn malformed_credentials_are_told_what_is_wrong() {
    let gateway = demo().await;
    for credential in ["L402", "L402 abc", "L402 abc:zz", "lsat !!:00", "L402 AAAA:", "LSAT  :"] {
        let answer = gateway.get("/v1/demo", &[&format!("Authorization: {credential}")]).await;
        answer.expect(402, "malformed_credential");
        assert!(answer.json()["detail"].is_string(), "{credential}");
        challenge_of(&answer);
    }
    // Another scheme is no credential of ours.
    let answer = gateway.get("/v1/demo", &["Authorization: Bearer abc"]).await;
    answer.expect(402, "payment_required");
}

#[tokio::test]
async fn forged_credentials_are_told_nothing() {
    let gateway = demo().await;
    let other = demo().await;
    let credential = gateway.buy("GET", "/v1/demo", b"").await;
    let value = credential.strip_prefix("Authorization: L402 ").unwrap();
    let (token, preimage) = value.split_once(':').unwrap();
    let middle = token.len() / 2;
    let flipped = if &token[middle..=middle] == "A" { "B" } else { "A" };
    let tampered = format!("{}{flipped}{}", &token[..middle], &token[middle + 1..]);
    let foreign = other.buy("GET", "/v1/demo", b"").await;
    let wrong = authorization_value(token, &Preimage::from_bytes([7; 32]));
    for line in [
        format!("Authorization: L402 {tampered}:{preimage}"),
        format!("Authorization: {}", wrong.as_str()),
        foreign,
    ] {
        let answer = gateway.get("/v1/demo", &[&line]).await;
        answer.expect(402, "invalid_credential");
        assert!(answer.json().get("detail").is_none(), "{:?}", answer.json());
    }
    // None of that spent it.
    assert_eq!(gateway.get("/v1/demo", &[&credential]).await.status, 200);
}

#[tokio::test]
async fn a_credential_opens_only_what_it_was_bought_for() {
    let gateway = demo().await;
    let credential = gateway.buy("GET", "/v1/demo", b"").await;
    let answer = gateway.get("/v1/data", &[&credential]).await;
    answer.expect(402, "out_of_scope");
    assert_eq!(answer.json()["detail"], "demo_path");
    assert_eq!(answer.json()["price_msat"], 100_000);
    assert_eq!(gateway.get("/v1/demo", &[&credential]).await.status, 200);
}

#[tokio::test]
async fn an_expired_credential_says_so_and_a_wider_one_is_out_of_scope() {
    let gateway = demo().await;
    let (token, invoice) = challenge_of(&gateway.get("/v1/demo", &[]).await);
    let preimage = gateway.lightning.pay(&invoice).await;
    let with = |caveat: String| {
        let token = attenuate_token(&token, &[&caveat]).unwrap();
        format!("Authorization: {}", authorization_value(token.as_str(), &preimage).as_str())
    };
    let expired = with(format!("demo_valid_until={}", now() - 1));
    gateway.get("/v1/demo", &[&expired]).await.expect(402, "expired");
    let wider = with(format!("demo_valid_until={}", now() + 1_000_000));
    let answer = gateway.get("/v1/demo", &[&wider]).await;
    answer.expect(402, "out_of_scope");
    assert_eq!(answer.json()["detail"], "demo_valid_until");
}

#[tokio::test]
async fn too_many_challenges_are_429_and_make_no_invoice() {
    let gateway = Running::demo(|config| config.challenges_per_minute(2)).await;
    let credential = gateway.buy("GET", "/v1/demo", b"").await;
    let mut last = gateway.get("/v1/demo", &[]).await;
    for _ in 0..50 {
        if last.status != 402 {
            break;
        }
        last = gateway.get("/v1/demo", &[]).await;
    }
    last.expect(429, "too_many_challenges");
    assert!(last.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    let invoices = gateway.lightning.devnet.invoices().await.unwrap().len();
    gateway.get("/v1/demo", &[]).await.expect(429, "too_many_challenges");
    assert_eq!(gateway.lightning.devnet.invoices().await.unwrap().len(), invoices);
    // The limit never stops a valid credential.
    assert_eq!(gateway.get("/v1/demo", &[&credential]).await.status, 200);
}

#[tokio::test]
async fn with_the_node_down_there_are_no_challenges_and_valid_credentials_still_work() {
    let gateway = demo().await;
    let credential = gateway.buy("GET", "/v1/demo", b"").await;
    gateway.lightning.devnet.faults().always(Operation::Any, FaultKind::Down);
    let answer = gateway.get("/v1/demo", &[]).await;
    answer.expect(503, "unavailable");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(gateway.get("/status", &[]).await.status, 200);
    assert_eq!(gateway.get("/v1/demo", &[&credential]).await.status, 200);
}

#[tokio::test]
async fn without_its_spend_store_a_gateway_lets_nobody_in() {
    let gateway = demo().await;
    let credential = gateway.buy("GET", "/v1/demo", b"").await;
    for entry in std::fs::read_dir(gateway.dir.path()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let answer = gateway.get("/v1/demo", &[&credential]).await;
    answer.expect(503, "unavailable");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(answer.header("x-l402"), None);
}

#[tokio::test]
async fn no_invoice_is_made_for_a_path_that_cannot_be_taken() {
    let gateway = demo().await;
    for (path, status, code) in [
        ("/v1//demo", 400, "bad_path"),
        ("//v1/demo", 400, "bad_path"),
        ("/v1/./demo", 400, "bad_path"),
        ("/v1/x/../demo", 400, "bad_path"),
        ("/v1/%2e%2e/v1/demo", 400, "bad_path"),
        ("/v1/%2E/demo", 400, "bad_path"),
        ("/v1%2fdemo", 400, "bad_path"),
        ("/v1%5Cdemo", 400, "bad_path"),
        ("/v1\\demo", 400, "bad_path"),
        ("/v1/demo;a=b", 400, "bad_path"),
        ("/v1/demo%00", 400, "bad_path"),
        ("/v1/demo%0a", 400, "bad_path"),
        ("/v1/demo%zz", 400, "bad_path"),
        ("/v1/demo#x", 400, "bad_path"),
        ("/v1/DEMO", 404, "not_found"),
        ("/V1/demo", 404, "not_found"),
        ("/v1/demo/", 404, "not_found"),
        ("/v1/demo%20", 404, "not_found"),
        ("/v1/demo*", 404, "not_found"),
        ("/", 404, "not_found"),
    ] {
        let answer = gateway.get(path, &[]).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}");
    }
    assert!(gateway.lightning.devnet.invoices().await.unwrap().is_empty());
    // Escapes of plain letters are the same path, at the same price.
    let answer = gateway.get("/v1/%64emo", &[]).await;
    assert_eq!(answer.json()["price_msat"], 21_000);
    let credential = gateway.pay_for(&answer).await;
    assert_eq!(gateway.get("/v1/demo?any=query", &[&credential]).await.status, 200);
}

#[tokio::test]
async fn sizes_are_refused_before_any_invoice() {
    let gateway = demo().await;
    let long = format!("/v1/demo?{}", "q".repeat(9_000));
    gateway.get(&long, &[]).await.expect(414, "uri_too_long");
    let credential = format!("Authorization: L402 {}", "A".repeat(17_000));
    gateway.get("/v1/demo", &[&credential]).await.expect(431, "header_too_large");
    let headers = format!("X-Long: {}", "h".repeat(70_000));
    gateway.get("/v1/demo", &[&headers]).await.expect(431, "header_too_large");
    assert!(gateway.lightning.devnet.invoices().await.unwrap().is_empty());
}

#[tokio::test]
async fn methods_and_method_overrides_open_no_other_route() {
    let gateway = demo().await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get", "BREW"] {
        gateway.send(method, "/v1/demo", &[]).await.expect(404, "not_found");
    }
    for method in ["TRACE", "CONNECT"] {
        let answer = gateway.send(method, "/v1/demo", &[]).await;
        answer.expect(405, "method_not_allowed");
        assert!(answer.header("allow").is_some());
    }
    for header in ["X-HTTP-Method-Override: GET", "X-Method-Override: GET", "X-HTTP-Method: GET"] {
        gateway.send("POST", "/v1/demo", &[header]).await.expect(404, "not_found");
    }
    for header in ["X-Original-URL: /status", "X-Rewrite-URL: /status"] {
        gateway.get("/v1/demo", &[header]).await.expect(402, "payment_required");
    }
}

#[tokio::test]
async fn the_free_route_is_free() {
    let gateway = demo().await;
    let answer = gateway.get("/status", &["X-L402: spent"]).await;
    assert_eq!((answer.status, answer.header("x-l402")), (200, None));
    let json = answer.json();
    assert_eq!((json["ok"].as_bool(), json["network"].as_str()), (Some(true), Some("regtest")));
    let prices: Vec<_> = json["prices"].as_array().unwrap().iter().collect();
    assert_eq!(prices.len(), 3);
    assert_eq!(prices[1]["path"], "/v1/demo");
    assert_eq!(prices[1]["price_sats"], 21);
}

#[tokio::test]
async fn head_asks_for_the_price_and_never_spends() {
    let gateway = demo().await;
    let credential = gateway.buy("GET", "/v1/demo", b"").await;
    let invoices = gateway.lightning.devnet.invoices().await.unwrap().len();
    let answer = gateway.send("HEAD", "/v1/demo", &[&credential]).await;
    assert_eq!(answer.status, 402);
    assert_eq!(answer.header("x-l402-price-msat"), Some("21000"));
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(gateway.lightning.devnet.invoices().await.unwrap().len(), invoices);
    assert_eq!(gateway.send("HEAD", "/status", &[]).await.status, 200);
    assert_eq!(gateway.get("/v1/demo", &[&credential]).await.status, 200);
}

#[tokio::test]
async fn hosts_are_checked() {
    let gateway = Running::demo(|config| config.hosts(["shop.example"])).await;
    gateway.get("/v1/demo", &[]).await.expect(402, "payment_required");
    gateway.get("/v1/demo", &["Host: shop.example"]).await.expect(400, "bad_request");
    for (head, status, code) in [
        ("GET /status HTTP/1.1\r\n\r\n", 400, "bad_request"),
        ("GET /status HTTP/1.0\r\n\r\n", 400, "bad_request"),
        ("GET /status HTTP/1.1\r\nHost: other.example\r\n\r\n", 421, "misdirected_request"),
        (
            "GET /status HTTP/1.1\r\nHost: other.example\r\nX-Forwarded-Host: shop.example\r\n\r\n",
            421,
            "misdirected_request",
        ),
        (
            "GET http://shop.example/status HTTP/1.1\r\nHost: other.example\r\n\r\n",
            400,
            "bad_request",
        ),
    ] {
        let mut wire = gateway.wire().await;
        wire.write(head.as_bytes()).await;
        wire.answer().await.expect(status, code);
    }
    let mut wire = gateway.wire().await;
    wire.write(b"GET http://shop.example/status HTTP/1.1\r\nHost: shop.example\r\n\r\n").await;
    assert_eq!(wire.answer().await.status, 200);
}

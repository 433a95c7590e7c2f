//! What is presented: every row of the protocol's answer table that a credential decides.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::atomic::Ordering;

use plannt_core::macaroon::{Format, Macaroon};
use plannt_core::{
    Keyring, MintRequest, Network, Preimage, attenuate_token, authorization_value,
    grpc_metadata_value,
};
use support::http::Ask;
use support::world::{World, stranger};

fn present(token: &str, preimage: &Preimage) -> String {
    authorization_value(token, preimage).to_string()
}

#[tokio::test]
async fn a_paid_request_goes_through_once() {
    let world = World::start().await;
    let ask = Ask::get("/v1/demo?q=1");
    let paid = ask.clone().with(&world.credential(&ask).await);
    let answer = world.send(paid.clone()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "{\"result\":\"verified\"}"));
    let ours: Vec<_> =
        answer.headers.iter().filter(|(name, _)| name.starts_with("x-l402")).collect();
    assert_eq!(ours, [&("x-l402".to_owned(), "spent".to_owned())], "none of the upstream's");
    assert_eq!(answer.header("cache-control"), Some("private, max-age=60"));
    assert_eq!(world.upstream.last().target, "/v1/demo?q=1");
    for _ in 0..2 {
        world.send(paid.clone()).await.assert_challenge("spent");
    }
    assert_eq!(world.upstream.count(), 1);
}

#[tokio::test]
async fn every_spelling_is_the_same_credential() {
    let world = World::start().await;
    let ask = Ask::get("/v1/bundle");
    let (token, preimage) = world.buy(&ask).await;
    let hex = preimage.expose_hex();
    let spellings = [
        format!("lsat {}:{}", token.trim_end_matches('='), hex.to_uppercase()),
        format!("L402 {}:{}", token.replace('+', "-").replace('/', "_"), *hex),
        format!("l402 {token},{token}:{}", *hex),
        format!("L402 {token}:{}", *hex),
    ];
    for (n, line) in spellings.iter().enumerate() {
        let answer = world.send(ask.clone().with(line)).await;
        match n {
            0 => assert_eq!(answer.header("x-l402"), Some("valid; remaining=2")),
            1 => assert_eq!(answer.header("x-l402"), Some("valid; remaining=1")),
            // Several tokens of one payment are one use.
            2 => assert_eq!(answer.header("x-l402"), Some("spent")),
            _ => answer.assert_challenge("spent"),
        }
    }
    assert_eq!(world.upstream.count(), 3);
}

#[tokio::test]
async fn what_was_not_bought_here_is_invalid() {
    let world = World::start().await;
    let ask = Ask::get("/v1/demo");
    let (token, preimage) = world.buy(&ask).await;
    let mut macaroon = Macaroon::parse(&plannt_core::base64::decode(&token).unwrap()).unwrap();
    let bytes = macaroon.to_format(Format::V2).unwrap();
    let mut refused = vec![present(&token, &Preimage::from_bytes([1; 32]))];
    for index in [20, 60, bytes.len() - 1] {
        let mut bytes = bytes.clone();
        bytes[index] ^= 1;
        refused.push(present(&plannt_core::base64::encode(&bytes), &preimage));
    }
    let now = world.clock.load(Ordering::SeqCst);
    let forged = Keyring::new(Network::Regtest, stranger()).mint(&MintRequest::new(
        preimage.payment_hash(),
        "demo",
        "GET",
        "/v1/demo",
        now + 3_600,
        21_000,
    ));
    refused.push(present(forged.unwrap().as_str(), &preimage));
    macaroon.attenuate(b"preimage=00").unwrap();
    refused.push(present(
        &plannt_core::base64::encode(&macaroon.to_format(Format::V2).unwrap()),
        &preimage,
    ));
    for line in refused {
        let answer = world.send(ask.clone().with(&line)).await;
        answer.assert_challenge("invalid_credential");
        assert_eq!(answer.detail(), None, "it does not say why");
    }
    assert_eq!(world.upstream.count(), 0);
    assert_eq!(world.send(ask.with(&present(&token, &preimage))).await.status, 200);
}

#[tokio::test]
async fn a_credential_is_for_what_was_bought() {
    let world = World::start().await;
    for (bought, asked, condition) in [
        (Ask::get("/v1/demo"), Ask::get("/v1/data"), "demo_path"),
        (Ask::get("/v1/demo"), Ask::get("/v1/demo/"), "demo_path"),
        (Ask::get("/v1/demo"), Ask::new("PUT", "/v1/demo"), "demo_method"),
        (Ask::get("/v1/demo"), Ask::get("/v1/other"), "services"),
        (Ask::get("/v1/query?a=1"), Ask::get("/v1/query?a=2"), "demo_query"),
        (Ask::get("/v1/query"), Ask::get("/v1/query?"), ""),
        (Ask::post("/v1/generate", b"one"), Ask::post("/v1/generate", b"two"), "demo_digest"),
        (Ask::post("/v1/generate", b"one"), Ask::post("/v1/generate", b""), "demo_digest"),
    ] {
        let credential = world.credential(&bought).await;
        let answer = world.send(asked.clone().with(&credential)).await;
        if condition.is_empty() {
            assert_eq!(answer.status, 200, "{asked:?}");
            continue;
        }
        answer.assert_challenge("out_of_scope");
        assert_eq!(answer.detail().as_deref(), Some(condition), "{asked:?}");
        assert_eq!(world.send(bought.with(&credential)).await.status, 200, "it is not spent");
    }
}

#[tokio::test]
async fn a_holder_narrows_and_never_widens() {
    let world = World::start().await;
    let ask = Ask::get("/v1/bundle");
    let (token, preimage) = world.buy(&ask).await;
    for caveat in [
        "demo_uses=4",
        "demo_valid_until=9999999999",
        "demo_max_price_msat=99999",
        "demo_path=/v1/*",
        "services=demo:0,other:0",
    ] {
        let wide = attenuate_token(&token, &[caveat]).unwrap();
        let answer = world.send(ask.clone().with(&present(wide.as_str(), &preimage))).await;
        answer.assert_challenge("out_of_scope");
        assert_eq!(answer.detail().as_deref(), caveat.split('=').next());
    }
    let narrow = attenuate_token(&token, &["demo_uses=1", "color=blue"]).unwrap();
    let narrow = ask.clone().with(&present(narrow.as_str(), &preimage));
    assert_eq!(world.send(narrow.clone()).await.header("x-l402"), Some("spent"));
    world.send(narrow).await.assert_challenge("spent");
    let whole = ask.with(&present(&token, &preimage));
    assert_eq!(world.send(whole).await.header("x-l402"), Some("valid; remaining=1"));
}

#[tokio::test]
async fn the_price_that_was_paid_stays_good_for_its_window() {
    let world = World::start().await;
    let ask = Ask::get("/v1/demo");
    let paid = ask.clone().with(&world.credential(&ask).await);
    let dear = ask.clone().with(&world.credential(&ask).await);
    world.prices.price_msat.store(30_000, Ordering::SeqCst);
    assert_eq!(world.send(paid).await.status, 200);
    world.prices.lowest_price_msat.store(30_000, Ordering::SeqCst);
    let answer = world.send(dear).await;
    answer.assert_challenge("out_of_scope");
    assert_eq!(answer.detail().as_deref(), Some("demo_max_price_msat"));
}

#[tokio::test]
async fn a_credential_ends_with_its_time() {
    let world = World::start().await;
    let ask = Ask::get("/v1/brief");
    let paid = ask.clone().with(&world.credential(&ask).await);
    // Ten minutes after its invoice, which was asked for ten minutes.
    world.clock.fetch_add(1_190, Ordering::SeqCst);
    assert_eq!(world.send(paid).await.status, 200);
    world.clock.fetch_sub(1_190, Ordering::SeqCst);
    let paid = ask.clone().with(&world.credential(&ask).await);
    world.clock.fetch_add(1_260, Ordering::SeqCst);
    // The node's clock is not the test's: it makes no invoice that is still payable.
    world.send(paid.clone()).await.assert_error(503, "unavailable");
    assert_eq!(world.upstream.count(), 1);
}

#[tokio::test]
async fn an_expired_attenuation_is_expired_and_its_original_is_not() {
    let world = World::start().await;
    let ask = Ask::get("/v1/demo");
    let (token, preimage) = world.buy(&ask).await;
    let now = world.clock.load(Ordering::SeqCst);
    let short = attenuate_token(&token, &[&format!("demo_valid_until={now}")]).unwrap();
    let short = ask.clone().with(&present(short.as_str(), &preimage));
    world.send(short).await.assert_challenge("expired");
    assert_eq!(world.send(ask.with(&present(&token, &preimage))).await.status, 200);
}

#[tokio::test]
async fn pruning_lets_no_attenuated_credential_in_again() {
    let world = World::start().await;
    let ask = Ask::get("/v1/demo");
    let (token, preimage) = world.buy(&ask).await;
    let now = world.clock.load(Ordering::SeqCst);
    let second = attenuate_token(&token, &[&format!("demo_valid_until={}", now + 1)]).unwrap();
    let second = ask.clone().with(&present(second.as_str(), &preimage));
    assert_eq!(world.send(second).await.status, 200);
    world.clock.fetch_add(1_000, Ordering::SeqCst);
    assert_eq!(world.store.prune(now + 1_000).await, Ok(0));
    world.clock.fetch_sub(1_000, Ordering::SeqCst);
    let original = ask.with(&present(&token, &preimage));
    world.send(original.clone()).await.assert_challenge("spent");
    // Until 300 seconds after it was minted to be valid.
    assert_eq!(world.store.prune(now + 3_600).await, Ok(0));
    assert_eq!(world.store.prune(now + 3_600 + 330).await, Ok(1));
    // By a clock that is behind the store's it is still valid, and nobody knows any more whether it is spent.
    world.send(original).await.assert_error(503, "unavailable");
}

#[tokio::test]
async fn paths_cannot_be_disguised() {
    let world = World::start().await;
    let credential = world.credential(&Ask::get("/v1/demo")).await;
    let with = |path: &str| Ask::get(path).with(&credential);
    for path in ["/v1/x/../demo", "/v1/%2e/demo", "//v1/demo", "/v1//demo", "/v1/demo%2F"] {
        world.send(with(path)).await.assert_error(400, "bad_path");
    }
    for path in ["/V1/demo", "/v1/DEMO", "/v1/demo%20", "/v1/%64emo%2A"] {
        world.send(with(path)).await.assert_error(404, "not_found");
    }
    world.send(with("/v1/dat%61")).await.assert_challenge("out_of_scope");
    let tricks = with("/v1/data").header("X-Original-URL", "/v1/demo");
    world.send(tricks).await.assert_challenge("out_of_scope");
    assert_eq!(world.upstream.count(), 0);
    // The same path in another spelling is the same path, and that is what is forwarded.
    assert_eq!(world.send(with("/v1/%64em%6f?%61")).await.status, 200);
    assert_eq!(world.upstream.last().target, "/v1/demo?%61");
}

#[tokio::test]
async fn the_upstream_sees_no_credential_of_ours() {
    let world = World::start().await;
    let ask = Ask::get("/v1/demo");
    let credential = world.credential(&ask).await;
    let ask = ask
        .with("Bearer theirs")
        .with(&credential)
        .with(&credential.replace("L402", "LSAT"))
        .header("X-L402", "valid")
        .header("X-L402-Price-Msat", "1")
        .header("Macaroon", "theirs");
    assert_eq!(world.send(ask.clone()).await.status, 200);
    let headers = world.upstream.last().headers;
    let lines: Vec<_> = headers.get_all("authorization").iter().collect();
    assert_eq!(lines, ["Bearer theirs"]);
    assert!(!headers.keys().any(|name| name.as_str().starts_with("x-l402")), "{headers:?}");
    assert_eq!(headers["macaroon"], "theirs", "only gRPC keeps ours there");

    let free = Ask::get("/free").with(&credential).header("x-l402", "1");
    let answer = world.send(free).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-l402"), None);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=60, s-maxage=600"));
    let headers = world.upstream.last().headers;
    assert!(!headers.contains_key("authorization") && !headers.contains_key("x-l402"));
}

#[tokio::test]
async fn a_bound_body_arrives_intact() {
    let world = World::start().await;
    let body = b"{\"prompt\":\"t\xc3\xa9\"}";
    let ask = Ask::post("/v1/generate", body);
    let credential = world.credential(&ask).await;
    assert_eq!(world.send(ask.with(&credential)).await.status, 200);
    assert_eq!(world.upstream.last().body, body[..]);
    // Transfer coding is none of the content.
    let chunked = Ask::post("/v1/generate", body).chunked();
    let credential = world.credential(&chunked).await;
    assert_eq!(world.send(chunked.with(&credential)).await.status, 200);
    assert_eq!(world.upstream.last().body, body[..]);
    // A body that is not bound passes as it comes.
    let long = vec![b'y'; 100_000];
    let ask = Ask::post("/v1/demo", &long);
    let credential = world.credential(&ask).await;
    assert_eq!(world.send(ask.with(&credential)).await.status, 200);
    assert_eq!(world.upstream.last().body, long);
}

#[tokio::test]
async fn grpc_answers_end_with_their_headers() {
    let world = World::start().await;
    let socket = tokio::net::TcpStream::connect(world.addr).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(socket),
    )
    .await
    .unwrap();
    tokio::spawn(connection);
    let request = http::Request::post(format!("http://{}/grpc.Service/Call", world.addr))
        .header("content-type", "application/grpc")
        .body(String::new())
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!((answer.status(), answer.version()), (http::StatusCode::OK, http::Version::HTTP_2));
    assert_eq!(answer.headers()["grpc-status"], "13");
    assert!(http_body::Body::is_end_stream(answer.body()), "no frame follows the headers");
}

#[tokio::test]
async fn grpc_gets_trailers_only_answers() {
    let world = World::start().await;
    let ask = Ask::post("/grpc.Service/Call", b"").header("Content-Type", "application/grpc+proto");
    let answer = world.send(ask.clone()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(answer.header("content-type"), Some("application/grpc"));
    assert_eq!(answer.header("grpc-status"), Some("13"));
    assert_eq!(answer.header("grpc-message"), Some("payment required"));
    let challenge = answer.challenge().unwrap();
    let preimage = world.pay(&challenge.invoice).await;
    let metadata = grpc_metadata_value(&challenge.token, &preimage).unwrap();
    // Elsewhere the metadata is not looked at.
    let plain = Ask::post("/grpc.Service/Call", b"").header("macaroon", metadata.as_str());
    world.send(plain).await.assert_challenge("payment_required");
    let garbage = world.send(ask.clone().header("token", "zz")).await;
    assert_eq!(garbage.header("grpc-status"), Some("13"));

    let paid = ask.clone().header("macaroon", metadata.as_str()).header("x-other", "kept");
    let answer = world.send(paid.clone()).await;
    assert_eq!(answer.header("x-l402"), Some("spent"));
    let headers = world.upstream.last().headers;
    assert!(!headers.contains_key("macaroon"), "{headers:?}");
    assert_eq!(headers["x-other"], "kept");
    assert_eq!(world.send(paid).await.header("grpc-status"), Some("13"));

    let token = world.send(ask.clone()).await.challenge().unwrap();
    let preimage = world.pay(&token.invoice).await;
    let line = present(&token.token, &preimage);
    assert_eq!(world.send(ask.with(&line)).await.header("x-l402"), Some("spent"));
}

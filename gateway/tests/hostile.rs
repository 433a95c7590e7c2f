//! Attempts to get in without paying, to get in twice, or to pay for one thing and be served another.
#![allow(clippy::unwrap_used)]

mod support;

use plannt_core::{
    Preimage, Token, attenuate_token, authorization_value, grpc_metadata_value, read_invoice,
};
use plannt_lightning::devnet::{FaultKind, Operation};
use support::upstream::Upstream;
use support::wire::{Answer, Wire};
use support::{Running, challenge_of};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

async fn demo() -> Running {
    Running::demo(|config| config.challenges_per_minute(10_000)).await
}

/// What a payment for `GET /v1/demo` brings: the token and the preimage.
async fn bought(gateway: &Running) -> (String, Preimage) {
    let (token, invoice) = challenge_of(&gateway.get("/v1/demo", &[]).await);
    let preimage = gateway.lightning.pay(&invoice).await;
    (token, preimage)
}

fn line(token: &str, preimage: &Preimage) -> String {
    format!("Authorization: {}", authorization_value(token, preimage).as_str())
}

/// Every way to present one credential that a verifier takes: the header lines of each.
fn spellings(token: &str, preimage: &Preimage) -> Vec<Vec<String>> {
    let value = authorization_value(token, preimage);
    let hex = value.rsplit_once(':').unwrap().1;
    let (upper, url) = (hex.to_uppercase(), token.replace('+', "-").replace('/', "_"));
    let narrowed = attenuate_token(token, &["services=demo:0", "note=mine"]).unwrap();
    let grpc = grpc_metadata_value(token, preimage).unwrap();
    let one = |line: String| vec![line];
    vec![
        one(format!("Authorization: L402 {token}:{hex}")),
        one(format!("authorization:lsat   {token}:{upper}\t ")),
        one(format!("Authorization: LSAT {}:{hex}", token.trim_end_matches('='))),
        one(format!("Authorization: l402 {url}:{hex}")),
        one(format!("Authorization: L402 {}:{upper}", url.trim_end_matches('='))),
        one(format!("Authorization: L402 {token},{url},{narrowed}:{hex}")),
        one(format!("Authorization: L402 {narrowed}:{hex}")),
        vec!["Authorization: Bearer other".into(), format!("Authorization: LSAT {token}:{hex}")],
        vec![format!("Authorization: L402 {token}:{hex}"), "Authorization: L402 junk".into()],
        vec!["Content-Type: application/grpc".into(), format!("macaroon: {}", grpc.as_str())],
        vec![
            "Content-Type: application/grpc+proto".into(),
            format!("Token: {}", grpc.to_uppercase()),
        ],
    ]
}

fn is_let_in(answer: &Answer) -> bool {
    answer.header("x-l402").is_some()
}

async fn get(gateway: &Running, lines: &[String]) -> Answer {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    gateway.get("/v1/demo", &lines).await
}

#[tokio::test]
async fn one_payment_is_one_use_however_it_is_spelt() {
    let gateway = demo().await;
    let count = {
        let (token, preimage) = bought(&gateway).await;
        spellings(&token, &preimage).len()
    };
    for first in 0..count {
        let (token, preimage) = bought(&gateway).await;
        let spellings = spellings(&token, &preimage);
        let answer = get(&gateway, &spellings[first]).await;
        assert_eq!((answer.status, answer.header("x-l402")), (200, Some("spent")), "{first}");
        for (at, again) in spellings.iter().enumerate() {
            let answer = get(&gateway, again).await;
            assert!(!is_let_in(&answer), "{first}, then {at}");
            match answer.header("grpc-status") {
                Some(status) => assert_eq!(status, "13"),
                None => answer.expect(402, "spent"),
            }
        }
    }
}

#[tokio::test]
async fn two_gateways_with_one_folder_let_one_use_in() {
    let gateway = demo().await;
    let second = gateway.second().await;
    for _ in 0..4 {
        let (token, preimage) = bought(&gateway).await;
        let spellings = spellings(&token, &preimage);
        let uses = (0..60).map(|n| {
            let lines: Vec<String> = spellings[n % spellings.len()].clone();
            let addr = if n % 2 == 0 { gateway.addr } else { second };
            async move {
                let mut wire = Wire::connect(addr).await;
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                wire.request("GET", "/v1/demo", &lines, b"").await;
                wire.answer().await
            }
        });
        let answers = futures_util::future::join_all(uses).await;
        assert_eq!(answers.iter().filter(|answer| is_let_in(answer)).count(), 1);
        assert!(answers.iter().all(|answer| [200, 402].contains(&answer.status)));
    }
}

#[tokio::test]
async fn the_first_line_of_our_scheme_decides() {
    let gateway = demo().await;
    let (token, preimage) = bought(&gateway).await;
    let good = line(&token, &preimage);
    let credential = good.strip_prefix("Authorization: ").unwrap();
    for (lines, code) in [
        (vec!["Authorization: L402 junk".to_owned(), good.clone()], "malformed_credential"),
        (vec!["Authorization: lsat".to_owned(), good.clone()], "malformed_credential"),
        (vec![format!("Authorization: Bearer x, {credential}")], "payment_required"),
        (vec![format!("Authorization: {credential}, Bearer x")], "malformed_credential"),
        (vec![format!("Authorization: {credential}00")], "malformed_credential"),
        (vec![format!("Authorization: {credential},{token}")], "malformed_credential"),
        (vec![format!("Authorization: L402 {token},:{}", "0".repeat(64))], "malformed_credential"),
        (vec![format!("Proxy-Authorization: {credential}")], "payment_required"),
        (vec![format!("X-Authorization: {credential}")], "payment_required"),
        // A credential that is named as one hop's own is gone before it is read.
        (vec!["Connection: close, Authorization".to_owned(), good.clone()], "payment_required"),
        // gRPC's metadata means nothing elsewhere.
        (
            vec![format!("macaroon: {}", grpc_metadata_value(&token, &preimage).unwrap().as_str())],
            "payment_required",
        ),
    ] {
        get(&gateway, &lines).await.expect(402, code);
    }
    let answer = get(&gateway, &["Connection: x-l402, cookie".into(), good.clone()]).await;
    assert_eq!((answer.status, answer.header("x-l402")), (200, Some("spent")));
}

#[tokio::test]
async fn no_caveat_widens() {
    let gateway = demo().await;
    let (token, preimage) = bought(&gateway).await;
    let with = |caveats: &[&str]| {
        let token: Token = attenuate_token(&token, caveats).unwrap();
        line(token.as_str(), &preimage)
    };
    for (caveat, named) in [
        ("demo_uses=2", "demo_uses"),
        ("demo_uses=0", "demo_uses"),
        ("demo_uses=01", "demo_uses"),
        ("demo_uses=+1", "demo_uses"),
        ("demo_uses=1.0", "demo_uses"),
        ("demo_uses=\u{661}", "demo_uses"),
        ("demo_uses=4294967297", "demo_uses"),
        ("demo_uses=18446744073709551617", "demo_uses"),
        ("  demo_uses  =  2  ", "demo_uses"),
        ("demo_uses==1", "demo_uses"),
        ("demo_uses=", "demo_uses"),
        ("demo_valid_until=99999999999999999999999999", "demo_valid_until"),
        ("demo_valid_until=9999999999", "demo_valid_until"),
        ("demo_valid_until=-1", "demo_valid_until"),
        ("demo_method=get", "demo_method"),
        ("demo_method=POST", "demo_method"),
        ("demo_method=GET,POST", "demo_method"),
        ("demo_path=*", "demo_path"),
        ("demo_path=/v1/*", "demo_path"),
        ("demo_path=/v1/demo*", "demo_path"),
        ("demo_path=/v1/data", "demo_path"),
        ("demo_path=/v1/%64emo", "demo_path"),
        ("demo_max_price_msat=21001", "demo_max_price_msat"),
        ("demo_max_price_msat=20999", "demo_max_price_msat"),
        ("services=demo:1", "services"),
        ("services=demo:00", "services"),
        ("services=demo:256", "services"),
        ("services=demo:0,other:0", "services"),
        ("services=", "services"),
        ("demo_query=00", "demo_query"),
        ("demo_digest=sha-256=:AAAA:", "demo_digest"),
        ("demo_capabilities=", "demo_capabilities"),
    ] {
        // Also where a narrower one follows, or one that is right.
        for more in [&[][..], &["demo_uses=1"], &["demo_path=/v1/demo", "services=demo:0"]] {
            let caveats = [&[caveat], more].concat();
            let answer = gateway.get("/v1/demo", &[&with(&caveats)]).await;
            answer.expect(402, "out_of_scope");
            assert_eq!(answer.json()["detail"], named, "{caveat:?}");
        }
    }
    let other = format!("preimage={}", "07".repeat(32));
    for caveat in [other.as_str(), "preimage=07", " preimage = "] {
        let answer = gateway.get("/v1/demo", &[&with(&[caveat])]).await;
        answer.expect(402, "invalid_credential");
    }
    // What is another service's, or nobody's, changes nothing: neither opens nor shuts.
    let caveats = [
        "dem_uses=9",
        "demo-_uses=9",
        "demo_o_uses=9",
        "Demo_uses=9",
        "demo_Uses=9",
        "demo_uses\t=9",
        "\u{2003}demo_uses=9",
        "demo_uses",
        "uses=9",
        "valid_until=1",
        "other_valid_until=1",
        "services_uses=9",
    ];
    let narrowed = with(&caveats);
    let answer = gateway.get("/v1/demo", &[&narrowed]).await;
    assert_eq!((answer.status, answer.header("x-l402")), (200, Some("spent")));
    gateway.get("/v1/demo", &[&narrowed]).await.expect(402, "spent");
}

#[tokio::test]
async fn targets_of_every_form_are_one_path_at_one_host_or_refused() {
    let upstream = Upstream::start().await;
    let gateway = Running::proxy(&upstream.url(), |config| config).await;
    for (start, status, code) in [
        ("OPTIONS * HTTP/1.1\r\nHost: a", 400, "bad_path"),
        ("GET * HTTP/1.1\r\nHost: a", 400, "bad_path"),
        ("GET a:80 HTTP/1.1\r\nHost: a:80", 400, "bad_path"),
        ("GET ?x HTTP/1.1\r\nHost: a", 400, "bad_path"),
        ("GET /x?# HTTP/1.1\r\nHost: a", 400, "bad_path"),
        ("GET //evil/x HTTP/1.1\r\nHost: a", 400, "bad_path"),
        ("GET /\u{e9} HTTP/1.1\r\nHost: a", 400, "bad_path"),
        ("GET http://a/x/%2e%2e/y HTTP/1.1\r\nHost: a", 400, "bad_path"),
        ("GET http://b/x HTTP/1.1\r\nHost: a", 400, "bad_request"),
        ("GET http://a@b/x HTTP/1.1\r\nHost: a", 400, "bad_request"),
        // On HTTP/1 a target does not stand in for the header.
        ("GET http://a/x HTTP/1.1", 400, "bad_request"),
        ("GET http://a/x HTTP/1.0", 400, "bad_request"),
        ("GET /x HTTP/1.0", 400, "bad_request"),
        ("GET /x HTTP/1.1\r\nHost:", 400, "bad_request"),
        ("GET /x HTTP/1.1\r\nHost: a\r\nhost: a", 400, "bad_request"),
        ("get /x HTTP/1.1\r\nHost: a", 404, "not_found"),
    ] {
        let mut wire = gateway.wire().await;
        wire.write(format!("{start}\r\n\r\n").as_bytes()).await;
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{start:?}");
    }
    assert!(gateway.lightning.devnet.invoices().await.unwrap().is_empty());

    let mut wire = gateway.wire().await;
    wire.write(b"GET HTTP://A/%78?q HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let credential = gateway.pay_for(&wire.answer().await).await;
    gateway.get("/X?q", &[&credential]).await.expect(402, "out_of_scope");
    gateway.get("/%2578?q", &[&credential]).await.expect(402, "out_of_scope");
    assert_eq!(gateway.get("/x?q", &[&credential]).await.status, 200);
    assert_eq!(upstream.seen()[0].target, "/x?q");
}

#[tokio::test]
async fn a_credential_outlives_its_invoice_however_short_the_validity() {
    let gateway = Running::demo(|config| config.validity(std::time::Duration::from_secs(1))).await;
    let (token, invoice) = challenge_of(&gateway.get("/v1/demo", &[]).await);
    let macaroon = token.parse::<Token>().unwrap().parse_macaroon().unwrap();
    let valid_until = macaroon
        .caveats()
        .find_map(|caveat| {
            let text = std::str::from_utf8(caveat.id).unwrap();
            text.strip_prefix("demo_valid_until=").map(|text| text.parse::<u64>().unwrap())
        })
        .unwrap();
    assert!(valid_until >= read_invoice(&invoice).unwrap().expires_at + 600);
    let preimage = gateway.lightning.pay(&invoice).await;
    assert_eq!(gateway.get("/v1/demo", &[&line(&token, &preimage)]).await.status, 200);
}

#[tokio::test]
async fn what_was_paid_before_the_price_went_up_is_still_good() {
    let upstream = Upstream::start().await;
    let url = upstream.url();
    let gateway = Running::proxy(&url, |config| config).await;
    let credential = gateway.buy("GET", "/a", b"").await;
    let another = gateway.buy("GET", "/a", b"").await;
    let gateway = gateway.restart_proxy(&url, 9_000).await;
    assert_eq!(gateway.get("/a", &[]).await.json()["price_msat"], 9_000);
    assert_eq!(gateway.get("/a", &[&credential]).await.status, 200);
    let gateway = gateway.restart_proxy(&url, 12_000).await;
    assert_eq!(gateway.get("/a", &[&another]).await.status, 200);
    // Less than it ever cost is not enough, however it comes.
    let (token, invoice) = challenge_of(&gateway.get("/a", &[]).await);
    let preimage = gateway.lightning.pay(&invoice).await;
    let less = attenuate_token(&token, &["api_max_price_msat=4999"]).unwrap();
    let answer = gateway.get("/a", &[&line(less.as_str(), &preimage)]).await;
    answer.expect(402, "out_of_scope");
    assert_eq!(answer.json()["detail"], "api_max_price_msat");
}

#[tokio::test]
async fn head_tells_the_price_of_a_route_without_get() {
    let gateway = Running::demo(|config| config.generate_url("http://127.0.0.1:9").unwrap()).await;
    let answer = gateway.send("HEAD", "/v1/generate", &[]).await;
    assert_eq!((answer.status, answer.header("x-l402-price-msat")), (402, Some("250000")));
    assert_eq!(answer.header("www-authenticate"), None);
    gateway.get("/v1/generate", &[]).await.expect(404, "not_found");
    assert!(gateway.lightning.devnet.invoices().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_upstreams_interim_answers_are_not_the_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let gateway = Running::proxy(&url, |config| config).await;
    let upstream = async |bytes: &[u8]| {
        let (mut socket, _) = listener.accept().await.unwrap();
        assert!(socket.read(&mut [0; 4096]).await.unwrap() > 0);
        socket.write_all(bytes).await.unwrap();
    };
    let credential = gateway.buy("GET", "/a", b"").await;
    let early = b"HTTP/1.1 103 Early Hints\r\nX-L402: unspent\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n\
        HTTP/1.1 200 OK\r\nX-L402: valid; remaining=9\r\nx-l402-price-msat: 1\r\n\
        Cache-Control: s-maxage=9, public\r\nConnection: close, x-l402\r\nContent-Length: 2\r\n\r\nok";
    let lines = [credential.as_str()];
    let (answer, ()) = tokio::join!(gateway.get("/a", &lines), upstream(early));
    assert_eq!((answer.status, &*answer.body), (200, &b"ok"[..]));
    assert_eq!(answer.header_values("x-l402"), ["spent"]);
    assert_eq!(answer.header("x-l402-price-msat"), None);
    assert_eq!(answer.header("cache-control"), Some("private"));

    let credential = gateway.buy("GET", "/b", b"").await;
    let lines = [credential.as_str(), "Connection: Upgrade", "Upgrade: websocket"];
    let switching =
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let (answer, ()) = tokio::join!(gateway.get("/b", &lines), upstream(switching));
    answer.expect(502, "upstream_failed");
    // It has seen the request.
    assert_eq!(answer.header("x-l402"), Some("spent"));
}

#[tokio::test]
async fn a_preflight_with_a_credential_spends_nothing() {
    let gateway = demo().await;
    let (token, preimage) = bought(&gateway).await;
    let good = line(&token, &preimage);
    let asked = ["Origin: https://shop.example", "Access-Control-Request-Method: GET", &good];
    assert_eq!(gateway.send("OPTIONS", "/v1/demo", &asked).await.status, 204);
    assert_eq!(gateway.send("HEAD", "/v1/demo", &[&good]).await.status, 402);
    assert_eq!(gateway.get("/v1/demo", &[&good]).await.status, 200);
}

#[tokio::test]
async fn a_third_party_caveat_is_refused_and_not_explained() {
    let gateway = demo().await;
    let (token, preimage) = bought(&gateway).await;
    for id in [&b"who pays?"[..], b"demo_uses=1"] {
        let mut macaroon = token.parse::<Token>().unwrap().parse_macaroon().unwrap();
        macaroon.attenuate_third_party(b"shared", id, Some("https://pay"), &[7; 24]).unwrap();
        let text = plannt_core::base64::encode(&macaroon.to_v2());
        let answer = gateway.get("/v1/demo", &[&line(&text, &preimage)]).await;
        answer.expect(402, "invalid_credential");
        assert!(answer.json().get("detail").is_none());
        // Not beside the good one, either.
        let both = line(&format!("{token},{text}"), &preimage);
        gateway.get("/v1/demo", &[&both]).await.expect(402, "invalid_credential");
    }
    assert_eq!(gateway.get("/v1/demo", &[&line(&token, &preimage)]).await.status, 200);
}

#[tokio::test]
async fn grpc_is_told_of_limits_and_outages_in_its_own_way() {
    let gateway = Running::demo(|config| config.challenges_per_minute(1)).await;
    let grpc = ["Content-Type: application/grpc"];
    let mut said = Vec::new();
    for _ in 0..4 {
        let answer = gateway.get("/v1/demo", &grpc).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        said.push(answer.header("grpc-status").unwrap().to_owned());
        let limited = answer.header("retry-after").is_some();
        assert_eq!(limited, answer.header("www-authenticate").is_none());
    }
    assert_eq!(said, ["13", "13", "13", "8"]);

    let gateway = demo().await;
    gateway.lightning.devnet.faults().always(Operation::Any, FaultKind::Down);
    let answer = gateway.get("/v1/demo", &grpc).await;
    assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("14")));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(answer.header("www-authenticate"), None);
}

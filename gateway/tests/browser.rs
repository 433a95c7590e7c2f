//! What pages in browsers get to see.
#![allow(clippy::unwrap_used)]

mod support;

use http::HeaderValue;
use plannt_gateway::Cors;
use support::Running;
use support::upstream::Upstream;
use support::wire::Answer;

const EXPOSED: &str = "WWW-Authenticate, x-l402, x-l402-price-msat, Retry-After";

fn assert_readable(answer: &Answer) {
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{answer:?}");
    assert_eq!(answer.header("access-control-expose-headers"), Some(EXPOSED));
}

#[tokio::test]
async fn preflights_are_answered_and_never_challenged() {
    let gateway = Running::demo(|config| config).await;
    let asked = [
        "Origin: https://shop.example",
        "Access-Control-Request-Method: GET",
        "Access-Control-Request-Headers: authorization,accept-authenticate",
    ];
    let answer = gateway.send("OPTIONS", "/v1/demo", &asked).await;
    assert_eq!(answer.status, 204);
    assert_readable(&answer);
    let allowed = answer.header("access-control-allow-headers").unwrap();
    assert!(allowed.contains("Authorization") && allowed.contains("Accept-Authenticate"));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("GET"));
    assert!(gateway.lightning.devnet.invoices().await.unwrap().is_empty());
}

#[tokio::test]
async fn every_answer_can_be_read() {
    let gateway = Running::demo(|config| config.challenges_per_minute(1)).await;
    let origin = "Origin: https://shop.example";
    let challenge = gateway.get("/v1/demo", &[origin]).await;
    assert_eq!(challenge.status, 402);
    assert_readable(&challenge);
    let credential = gateway.pay_for(&challenge).await;
    let paid = gateway.get("/v1/demo", &[origin, &credential]).await;
    assert_eq!(paid.status, 200);
    assert_readable(&paid);
    for (method, path) in [("GET", "/nowhere"), ("GET", "/v1//demo"), ("TRACE", "/v1/demo")] {
        assert_readable(&gateway.send(method, path, &[origin]).await);
    }
    let mut wire = gateway.wire().await;
    wire.write(b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n").await;
    assert_readable(&wire.answer().await);
}

#[tokio::test]
async fn a_proxy_leaves_cors_to_its_upstream_unless_told() {
    let upstream = Upstream::start().await;
    let gateway =
        Running::proxy(&upstream.url(), |config| config.free_paths(["/free"]).unwrap()).await;
    let asked = ["Origin: https://a.example", "Access-Control-Request-Method: GET"];
    let answer = gateway.send("OPTIONS", "/free", &asked).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn only_listed_origins_can_read() {
    let shop = HeaderValue::from_static("https://shop.example");
    let gateway = Running::demo(|config| config.cors(Cors::Origins(vec![shop]))).await;
    let answer = gateway.get("/status", &["Origin: https://shop.example"]).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example"));
    let answer = gateway.get("/status", &["Origin: https://evil.example"]).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.header("vary"), Some("Origin"));
}

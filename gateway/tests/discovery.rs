//! What the gateway tells of itself before anyone pays.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::json;
use support::Running;
use support::upstream::{Upstream, free_addr};

const PATH: &str = "/.well-known/l402.json";

#[tokio::test]
async fn the_demo_service_lists_its_routes_and_what_a_credential_binds() {
    let url = format!("http://{}", free_addr().await);
    let gateway = Running::demo(|config| config.generate_url(&url).unwrap()).await;
    let answer = gateway.get(PATH, &[]).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let sold = |method: &str, path: &str, sats: u64, binds: &[&str]| {
        json!({"method": method, "path": path, "price_msat": sats * 1_000, "price_sats": sats,
               "service": "demo", "uses": 1, "valid_seconds": 3600, "binds": binds})
    };
    let mut generate = sold("POST", "/v1/generate", 250, &["method", "path", "body"]);
    generate["max_body_bytes"] = json!(1_048_576);
    assert_eq!(
        answer.json(),
        json!({
            "protocol": "L402", "version": "0", "network": "regtest",
            "services": [{"name": "demo", "tier": 0}],
            "routes": [
                {"method": "GET", "path": "/status", "price_msat": 0, "price_sats": 0},
                sold("GET", "/v1/demo", 21, &["method", "path"]),
                sold("GET", "/v1/data", 100, &["method", "path"]),
                generate,
            ],
        })
    );
    // It says what a request meets.
    assert_eq!(gateway.get("/v1/demo", &[]).await.json()["price_msat"], 21_000);
    assert_eq!(gateway.send("HEAD", PATH, &[]).await.status, 200);
    gateway.send("POST", PATH, &[]).await.expect(404, "not_found");
}

#[tokio::test]
async fn a_proxy_answers_for_itself_and_asks_its_upstream_nothing() {
    let upstream = Upstream::start().await;
    let gateway = Running::proxy(&upstream.url(), |config| {
        config.free_paths(["/health", "/public/*"]).unwrap()
    })
    .await;
    let told = gateway.get(PATH, &[]).await.json();
    let routes = told["routes"].as_array().unwrap();
    let paths: Vec<_> = routes.iter().map(|r| (&r["method"], &r["path"])).collect();
    let any = json!("*");
    assert_eq!(
        paths,
        [(&any, &json!("/health")), (&any, &json!("/public/*")), (&any, &json!("/*"))]
    );
    assert_eq!(routes[2]["binds"], json!(["method", "path", "query"]));
    assert_eq!(routes[2]["service"], "api");
    assert!(upstream.seen().is_empty());
}

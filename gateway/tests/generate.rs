//! `POST /v1/generate`, in front of an OpenAI-compatible server.
#![allow(clippy::unwrap_used)]

mod support;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use http_body_util::Full;
use plannt_gateway::{GatewayConfig, Limits};
use support::upstream::{Upstream, free_addr};
use support::{Running, challenge_of};

const CHAT: &[u8] =
    b"{ \"model\":\"m\",\n\t\"messages\": [{\"role\":\"user\",\"content\":\"h\xc3\xa9llo\"}] }\n";

/// A completion for every prompt.
async fn openai() -> Upstream {
    Upstream::answering("127.0.0.1:0".parse().unwrap(), |_| {
        let text = r#"{"object":"chat.completion","choices":[{"message":{"content":"hi"}}]}"#;
        let mut response = Response::new(Full::new(text.into()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    })
    .await
}

fn at(url: String) -> impl FnOnce(GatewayConfig) -> GatewayConfig {
    move |config| config.generate_url(&url).unwrap()
}

#[tokio::test]
async fn a_paid_prompt_arrives_byte_for_byte() {
    let server = openai().await;
    let gateway = Running::demo(at(server.url())).await;
    let json = "Content-Type: application/json";
    let challenge = gateway.send_body("POST", "/v1/generate", &[json], CHAT).await;
    assert_eq!(challenge.json()["price_msat"], 250_000);
    let credential = gateway.pay_for(&challenge).await;
    assert!(server.seen().is_empty());

    let headers = [json, credential.as_str(), "Authorization: Bearer upstream-key"];
    let answer = gateway.send_body("POST", "/v1/generate", &headers, CHAT).await;
    assert_eq!((answer.status, answer.header("x-l402")), (200, Some("spent")));
    assert_eq!(answer.json()["object"], "chat.completion");
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].method.as_str(), &*seen[0].body), ("POST", CHAT));
    assert_eq!(seen[0].target, "/v1/chat/completions");
    assert_eq!(seen[0].headers["content-type"], "application/json");
    assert_eq!(seen[0].headers["host"], server.addr.to_string());
    // Our credential stays here; another scheme's goes on.
    let authorization: Vec<_> = seen[0].headers.get_all("authorization").iter().collect();
    assert_eq!(authorization, ["Bearer upstream-key"]);
}

#[tokio::test]
async fn a_credential_is_for_its_body_alone() {
    let server = openai().await;
    let gateway = Running::demo(at(server.url())).await;
    let credential = gateway.buy("POST", "/v1/generate", CHAT).await;
    let other = br#"{"messages":[{"role":"user","content":"another"}]}"#;
    let answer = gateway.send_body("POST", "/v1/generate", &[&credential], other).await;
    answer.expect(402, "out_of_scope");
    assert_eq!(answer.json()["detail"], "demo_digest");
    challenge_of(&answer);
    assert!(server.seen().is_empty());
    let answer = gateway.send_body("POST", "/v1/generate", &[&credential], CHAT).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_chunked_prompt_is_the_same_prompt() {
    let server = openai().await;
    let gateway = Running::demo(at(format!("{}/v1", server.url()))).await;
    let body = br#"{"prompt":"hello"}"#;
    let credential = gateway.buy("POST", "/v1/generate", body).await;
    let mut wire = gateway.wire().await;
    let head = format!(
        "POST /v1/generate HTTP/1.1\r\nHost: a\r\n{credential}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    wire.write(head.as_bytes()).await;
    for piece in body.chunks(5) {
        wire.write(format!("{:x}\r\n", piece.len()).as_bytes()).await;
        wire.write(piece).await;
        wire.write(b"\r\n").await;
    }
    wire.write(b"0\r\n\r\n").await;
    assert_eq!(wire.answer().await.status, 200);
    let seen = server.seen();
    assert_eq!((seen[0].target.as_str(), &*seen[0].body), ("/v1/completions", &body[..]));
}

#[tokio::test]
async fn a_prompt_that_cannot_work_is_refused_before_any_challenge() {
    let server = openai().await;
    let gateway = Running::demo(at(server.url())).await;
    for body in [
        &b""[..],
        b"{}",
        b"[]",
        b"not json",
        b"{\"prompt\":5}",
        b"{\"prompt\":null}",
        b"{\"messages\":\"hi\"}",
        b"{\"messages\":[]}",
    ] {
        let answer = gateway.send_body("POST", "/v1/generate", &[], body).await;
        answer.expect(400, "bad_request");
        assert!(answer.json()["detail"].is_string());
    }
    assert!(gateway.lightning.devnet.invoices().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_prompt_above_the_limit_is_413() {
    let server = openai().await;
    let gateway = Running::demo(|config| {
        let mut limits = Limits::default();
        limits.body = 1_000;
        at(server.url())(config).limits(limits)
    })
    .await;
    let body = format!("{{\"prompt\":\"{}\"}}", "a".repeat(200_000));
    let answer = gateway.send_body("POST", "/v1/generate", &[], body.as_bytes()).await;
    answer.expect(413, "body_too_large");
    let mut wire = gateway.wire().await;
    wire.write(b"POST /v1/generate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    wire.write(b"400\r\n").await;
    wire.write(&[b' '; 1024]).await;
    wire.write(b"\r\n").await;
    wire.answer().await.expect(413, "body_too_large");
    assert!(gateway.lightning.devnet.invoices().await.unwrap().is_empty());
}

#[tokio::test]
async fn without_a_url_the_route_is_not_offered() {
    let gateway = Running::demo(|config| config).await;
    let answer = gateway.send_body("POST", "/v1/generate", &[], CHAT).await;
    answer.expect(404, "not_found");
}

#[tokio::test]
async fn with_the_model_down_the_credential_is_kept() {
    let addr = free_addr().await;
    let gateway = Running::demo(at(format!("http://{addr}"))).await;
    let credential = gateway.buy("POST", "/v1/generate", CHAT).await;
    for _ in 0..2 {
        let answer = gateway.send_body("POST", "/v1/generate", &[&credential], CHAT).await;
        answer.expect(502, "upstream_unreachable");
        assert_eq!(answer.header("x-l402"), Some("unspent"));
    }
    let server = Upstream::answering(addr, |_| Response::new(Full::new("{}".into()))).await;
    let answer = gateway.send_body("POST", "/v1/generate", &[&credential], CHAT).await;
    assert_eq!((answer.status, answer.header("x-l402")), (200, Some("spent")));
    assert_eq!(server.seen().len(), 1);
}

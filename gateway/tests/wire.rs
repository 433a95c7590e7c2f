//! Bytes that no HTTP client would send, and how long the gateway waits for them.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use plannt_gateway::{GatewayConfig, Limits, Timeouts};
use support::Running;
use support::upstream::Upstream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A proxy whose requests are free: what counts is what arrives.
async fn free_proxy(upstream: &Upstream) -> Running {
    free_proxy_with(upstream, |config| config).await
}

async fn free_proxy_with(
    upstream: &Upstream,
    change: impl FnOnce(GatewayConfig) -> GatewayConfig,
) -> Running {
    Running::proxy(&upstream.url(), |config| change(config.free_paths(["/*"]).unwrap())).await
}

#[tokio::test]
async fn contradictory_lengths_are_400_and_nothing_is_forwarded() {
    let upstream = Upstream::start().await;
    let gateway = free_proxy(&upstream).await;
    for lines in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "transfer-encoding: chunked\r\ncontent-length: 0",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5,5",
        "Content-Length: +5",
        "Content-Length: five",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "X: y\r\n Content-Length: 5",
        "Content-Length: 5\rX: y",
    ] {
        let mut wire = gateway.wire().await;
        let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
        let head = format!("POST /a HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n0\r\n\r\n{smuggled}");
        wire.write(head.as_bytes()).await;
        let answer = wire.answer().await;
        answer.expect(400, "bad_request");
        assert_eq!(answer.header("connection"), Some("close"), "{lines:?}");
        assert!(wire.is_closed().await, "{lines:?}");
    }
    let mut wire = gateway.wire().await;
    wire.write(b"POST /a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").await;
    wire.answer().await.expect(400, "bad_request");
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

#[tokio::test]
async fn a_pipelined_request_is_judged_like_the_first() {
    let upstream = Upstream::start().await;
    let gateway = free_proxy(&upstream).await;
    let mut wire = gateway.wire().await;
    // All at once: two good ones, a contradictory one, and one that must never be read.
    wire.write(
        b"POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\
          POST /second HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
          6\r\nsecond\r\n0\r\n\r\n\
          \r\nPOST /third HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n\
          0\r\n\r\nGET /fourth HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .await;
    assert_eq!(wire.answer().await.body, b"hello");
    assert_eq!(wire.answer().await.body, b"second");
    wire.answer().await.expect(400, "bad_request");
    assert!(wire.is_closed().await);
    let targets: Vec<_> = upstream.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, ["/first", "/second"]);
}

#[tokio::test]
async fn the_same_bytes_one_at_a_time_are_the_same_requests() {
    let upstream = Upstream::start().await;
    let gateway = free_proxy(&upstream).await;
    let mut wire = gateway.wire().await;
    for byte in b"POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                  3;x=y\r\nabc\r\n0\r\nX-Trailer: t\r\n\r\n\
                  POST /two HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nde"
    {
        wire.write(&[*byte]).await;
    }
    assert_eq!(wire.answer().await.body, b"abc");
    assert_eq!(wire.answer().await.body, b"de");
}

#[tokio::test]
async fn chunks_that_readers_split_differently_never_become_requests() {
    let upstream = Upstream::start().await;
    let gateway = free_proxy(&upstream).await;
    for chunks in [
        "5\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "00000000000000005\r\nhello\r\n0\r\n\r\n",
        "5;\nx\r\nhello\r\n0\r\n\r\n",
        "0\r\nX: y\n\r\n",
    ] {
        let mut wire = gateway.wire().await;
        wire.write(b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        wire.write(chunks.as_bytes()).await;
        wire.write(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n").await;
        wire.answer().await.expect(400, "bad_request");
    }
    assert!(upstream.seen().iter().all(|seen| seen.target != "/smuggled"));
}

#[tokio::test]
async fn what_is_not_http_gets_an_answer_all_the_same() {
    let gateway = Running::demo(|config| config).await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET /status HTTP/3.0\r\n\r\n",
        b"GET /status\r\n\r\n",
        b"GET  /status HTTP/1.1\r\nHost: a\r\n\r\n",
        b"G@T /status HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n",
        b"GET /status HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
    ] {
        let mut wire = gateway.wire().await;
        wire.write(bytes).await;
        let answer = wire.answer().await;
        let text = bytes.escape_ascii().to_string();
        assert_eq!(answer.status, 400, "{text}");
        assert!(["bad_request", "bad_path"].contains(&answer.code().as_str()), "{text}");
    }
}

#[tokio::test]
async fn slow_clients_are_not_waited_for() {
    let upstream = Upstream::start().await;
    let gateway = free_proxy_with(&upstream, |config| {
        let mut timeouts = Timeouts::default();
        timeouts.head = Duration::from_millis(100);
        timeouts.idle = Duration::from_millis(200);
        timeouts.body = Duration::from_millis(100);
        config.timeouts(timeouts)
    })
    .await;
    let mut half_a_head = gateway.wire().await;
    half_a_head.write(b"GET / HTTP/1.1\r\nHost: a").await;
    half_a_head.answer().await.expect(408, "request_timeout");
    assert!(half_a_head.is_closed().await);

    let mut half_a_body = gateway.wire().await;
    half_a_body.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe").await;
    half_a_body.answer().await.expect(408, "request_timeout");

    let mut silent = gateway.wire().await;
    assert!(silent.is_closed().await);

    let mut idle = gateway.wire().await;
    idle.request("GET", "/", &[], b"").await;
    assert_eq!(idle.answer().await.status, 200);
    assert!(idle.is_closed().await);
}

#[tokio::test]
async fn an_answer_is_not_lost_with_the_rest_of_a_large_request() {
    let gateway = Running::demo(|config| {
        let mut limits = Limits::default();
        limits.body = 10;
        config.limits(limits).generate_url("http://127.0.0.1:9").unwrap()
    })
    .await;
    let mut wire = gateway.wire().await;
    wire.write(b"POST /v1/generate HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n").await;
    let _ = wire.stream.write_all(&vec![b'x'; 500_000]).await;
    wire.answer().await.expect(413, "body_too_large");
}

#[tokio::test]
async fn a_client_that_expects_100_continue_gets_it() {
    let upstream = Upstream::start().await;
    let gateway = free_proxy(&upstream).await;
    let mut wire = gateway.wire().await;
    wire.write(b"POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        .await;
    assert_eq!(wire.answer_to("HEAD").await.status, 100);
    wire.write(b"hi").await;
    assert_eq!(wire.answer().await.body, b"hi");
    assert!(!upstream.seen()[0].headers.contains_key("expect"));
}

#[tokio::test]
async fn a_client_that_says_it_has_no_more_to_send_gets_its_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let gateway = Running::proxy(&url, |config| config).await;
    let credential = gateway.buy("GET", "/a", b"").await;
    let mut wire = gateway.wire().await;
    wire.request("GET", "/a", &[&credential], b"").await;
    wire.stream.shutdown().await.unwrap();
    let (mut upstream, _) = listener.accept().await.unwrap();
    assert!(upstream.read(&mut [0; 4096]).await.unwrap() > 0);
    upstream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npaid").await.unwrap();
    let answer = wire.answer().await;
    assert_eq!((answer.header("x-l402"), &*answer.body), (Some("spent"), &b"paid"[..]));
    assert!(wire.is_closed().await);
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let gateway = Running::proxy(&url, |config| {
        let mut timeouts = Timeouts::default();
        timeouts.send = Duration::from_millis(100);
        config.free_paths(["/*"]).unwrap().timeouts(timeouts)
    })
    .await;
    let mut wire = gateway.wire().await;
    wire.request("GET", "/", &[], b"").await;
    let (mut upstream, _) = listener.accept().await.unwrap();
    upstream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await.unwrap();
    // The upstream is let go, too.
    let endless = async { while upstream.write_all(&[b'x'; 65_536]).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(20), endless).await.expect("cut off");
}

#[tokio::test]
async fn a_bound_body_that_trickles_in_is_not_waited_for() {
    let gateway = Running::demo(|config| {
        let mut timeouts = Timeouts::default();
        timeouts.bound_body = Duration::from_millis(100);
        config.timeouts(timeouts).generate_url("http://127.0.0.1:9").unwrap()
    })
    .await;
    let mut wire = gateway.wire().await;
    wire.write(b"POST /v1/generate HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{").await;
    // Long before the time for one piece is over.
    wire.answer().await.expect(408, "request_timeout");
    assert!(gateway.lightning.devnet.invoices().await.unwrap().is_empty());
}

//! The reverse proxy: what is forwarded, what comes back, and what is said when nothing does.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use http::{HeaderValue, Response};
use http_body_util::Full;
use plannt_gateway::Timeouts;
use support::Running;
use support::upstream::{Upstream, free_addr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::test]
async fn exactly_what_was_priced_is_forwarded() {
    let upstream = Upstream::start().await;
    let gateway = Running::proxy(&upstream.url(), |config| config).await;
    let target = "/%7Euser/a%2a%20b?q=%7e&x=//..";
    let credential = gateway.buy("PUT", target, b"").await;
    assert!(upstream.seen().is_empty());
    let headers = [
        credential.as_str(),
        "Authorization: Basic dXNlcg==",
        "Connection: X-Hop, keep-alive",
        "X-Hop: 1",
        "Upgrade: h2c",
        "HTTP2-Settings: x",
        "X-HTTP-Method-Override: DELETE",
        "X-Original-URL: /other",
        "X-Forwarded-For: 1.2.3.4",
        "X-Forwarded-Host: evil.example",
        "X-L402: spent",
        "Cookie: a=b",
    ];
    let answer = gateway.send_body("PUT", target, &headers, b"\x00body\xff").await;
    assert_eq!((answer.status, answer.header("x-l402")), (200, Some("spent")));
    assert_eq!(answer.body, b"\x00body\xff");

    let [seen] = <[_; 1]>::try_from(upstream.seen()).unwrap();
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("PUT", "/~user/a%2A%20b?q=%7e&x=//..")
    );
    let lines: Vec<_> = seen
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    let mut expected = vec![
        "authorization: Basic dXNlcg==".to_owned(),
        "content-length: 6".to_owned(),
        "cookie: a=b".to_owned(),
        "forwarded: for=127.0.0.1;host=\"shop.example\";proto=http".to_owned(),
        format!("host: {}", upstream.addr),
        "via: 1.1 plannt".to_owned(),
        "x-forwarded-for: 127.0.0.1".to_owned(),
        "x-forwarded-host: shop.example".to_owned(),
        "x-forwarded-proto: http".to_owned(),
    ];
    let mut lines = lines;
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_credential_is_bound_to_method_path_and_query() {
    let upstream = Upstream::start().await;
    let gateway = Running::proxy(&upstream.url(), |config| config).await;
    let credential = gateway.buy("GET", "/report?year=2024", b"").await;
    for (method, target, caveat) in [
        ("POST", "/report?year=2024", "api_method"),
        ("GET", "/Report?year=2024", "api_path"),
        ("GET", "/report/?year=2024", "api_path"),
        ("GET", "/report?year=2025", "api_query"),
        ("GET", "/report?year=%32024", "api_query"),
        ("GET", "/report", "api_query"),
    ] {
        let answer = gateway.send(method, target, &[&credential]).await;
        answer.expect(402, "out_of_scope");
        assert_eq!(answer.json()["detail"], caveat, "{method} {target}");
    }
    for path in ["//report", "/./report", "/%2e%2e/report", "/report;x", "/a%2freport"] {
        gateway.get(path, &[&credential]).await.expect(400, "bad_path");
    }
    assert!(upstream.seen().is_empty());
    assert_eq!(gateway.get("/%72eport?year=2024", &[&credential]).await.status, 200);
    assert_eq!(upstream.seen()[0].target, "/report?year=2024");
}

#[tokio::test]
async fn free_paths_need_no_payment() {
    let upstream = Upstream::start().await;
    let url = format!("{}/base/", upstream.url());
    let gateway =
        Running::proxy(&url, |config| config.free_paths(["/health", "/public/*"]).unwrap()).await;
    for path in ["/health", "/public/", "/public/a?b=c"] {
        assert_eq!(gateway.get(path, &[]).await.status, 200, "{path}");
    }
    for path in ["/health/", "/public", "/Health"] {
        gateway.get(path, &[]).await.expect(402, "payment_required");
    }
    let targets: Vec<_> = upstream.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, ["/base/health", "/base/public/", "/base/public/a?b=c"]);
}

#[tokio::test]
async fn while_the_upstream_is_down_a_credential_is_kept() {
    let addr = free_addr().await;
    let gateway = Running::proxy(&format!("http://{addr}"), |config| {
        // No request goes out on a connection that the upstream may be hanging up.
        let mut timeouts = Timeouts::default();
        timeouts.pool_idle = Duration::ZERO;
        config.timeouts(timeouts)
    })
    .await;
    let credential = gateway.buy("GET", "/a", b"").await;
    for _ in 0..3 {
        let answer = gateway.get("/a", &[&credential]).await;
        answer.expect(502, "upstream_unreachable");
        assert_eq!(answer.header("x-l402"), Some("unspent"));
    }
    let upstream = Upstream::answering(addr, |_| Response::new(Full::new("up".into()))).await;
    let answer = gateway.get("/a", &[&credential]).await;
    assert_eq!((answer.status, answer.header("x-l402")), (200, Some("spent")));
    gateway.get("/a", &[&credential]).await.expect(402, "spent");

    // And down again.
    let credential = gateway.buy("GET", "/b", b"").await;
    drop(upstream);
    let answer = gateway.get("/b", &[&credential]).await;
    assert_eq!((answer.status, answer.header("x-l402")), (502, Some("unspent")));
}

#[tokio::test]
async fn head_on_a_free_path_is_the_upstreams() {
    let upstream = Upstream::answering("127.0.0.1:0".parse().unwrap(), |_| {
        Response::new(Full::new("twelve bytes".into()))
    })
    .await;
    let gateway =
        Running::proxy(&upstream.url(), |config| config.free_paths(["/free"]).unwrap()).await;
    let answer = gateway.send("HEAD", "/free", &[]).await;
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("12")));
    assert_eq!(upstream.seen()[0].method, "HEAD");
    let answer = gateway.send("HEAD", "/paid", &[]).await;
    assert_eq!((answer.status, answer.header("x-l402-price-msat")), (402, Some("5000")));
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn an_upstream_that_may_have_seen_the_request_has_been_paid() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            // Reads something, and hangs up without an answer.
            let _ = socket.read(&mut [0; 16]).await;
        }
    });
    let gateway = Running::proxy(&url, |config| config).await;
    let credential = gateway.buy("GET", "/a", b"").await;
    let answer = gateway.get("/a", &[&credential]).await;
    answer.expect(502, "upstream_failed");
    assert_eq!(answer.header("x-l402"), Some("spent"));
    gateway.get("/a", &[&credential]).await.expect(402, "spent");
}

#[tokio::test]
async fn an_upstream_that_does_not_answer_is_504() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let gateway = Running::proxy(&url, |config| {
        let mut timeouts = Timeouts::default();
        timeouts.response = Duration::from_millis(100);
        config.timeouts(timeouts)
    })
    .await;
    let credential = gateway.buy("GET", "/a", b"").await;
    // The system takes the connection; nobody reads from it.
    let answer = gateway.get("/a", &[&credential]).await;
    answer.expect(504, "upstream_silent");
    assert_eq!(answer.header("x-l402"), Some("spent"));
}

#[tokio::test]
async fn a_connection_that_takes_too_long_is_504_and_unspent() {
    // TLS is part of connecting, and nobody here speaks it.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let gateway = Running::proxy(&url, |config| {
        let mut timeouts = Timeouts::default();
        timeouts.connect = Duration::from_millis(100);
        config.timeouts(timeouts)
    })
    .await;
    let credential = gateway.buy("GET", "/a", b"").await;
    let answer = gateway.get("/a", &[&credential]).await;
    answer.expect(504, "upstream_timeout");
    assert_eq!(answer.header("x-l402"), Some("unspent"));
}

#[tokio::test]
async fn an_upstream_cannot_speak_for_the_gateway() {
    let upstream = Upstream::answering("127.0.0.1:0".parse().unwrap(), |seen| {
        let mut response = Response::new(Full::new(seen.body.clone()));
        for (name, value) in [
            ("x-l402", "unspent"),
            ("x-l402-price-msat", "0"),
            ("cache-control", "public, s-maxage=60"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("alt-svc", "h3=\":443\""),
            ("location", "/here"),
            ("set-cookie", "a=b"),
            ("set-cookie", "c=d"),
            ("www-authenticate", "Basic realm=\"upstream\""),
        ] {
            response.headers_mut().append(name, HeaderValue::from_static(value));
        }
        response
    })
    .await;
    let gateway = Running::proxy(&upstream.url(), |config| config).await;
    let credential = gateway.buy("GET", "/a", b"").await;
    let answer = gateway.get("/a", &[&credential]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header_values("x-l402"), ["spent"]);
    assert_eq!(answer.header("x-l402-price-msat"), None);
    let cache = answer.header("cache-control").unwrap();
    assert!(cache.contains("private") && !cache.contains("public") && !cache.contains("s-maxage"));
    assert_eq!(answer.header("x-hop"), None);
    assert_eq!(answer.header("alt-svc"), None);
    assert_eq!(answer.header("location"), Some("/here"));
    assert_eq!(answer.header_values("set-cookie"), ["a=b", "c=d"]);
    assert!(answer.headers.iter().any(|(name, _)| name == "WWW-Authenticate"));
}

#[tokio::test]
async fn large_bodies_stream_both_ways() {
    const SIZE: usize = 32 * 1024 * 1024;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Answers at once, and echoes while it reads: that works only if nothing on the way waits for the end.
    let echo = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.unwrap());
        }
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n");
        socket.write_all(answer.as_bytes()).await.unwrap();
        let (mut read, mut write) = socket.split();
        let mut read = (&mut read).take(SIZE as u64);
        tokio::io::copy(&mut read, &mut write).await.unwrap()
    });
    let gateway = Running::proxy(&url, |config| config.free_paths(["/*"]).unwrap()).await;
    let mut wire = gateway.wire().await;
    let head = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n");
    wire.write(head.as_bytes()).await;
    let (mut read, mut write) = wire.stream.into_split();
    let piece: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
    let expected = piece.clone();
    let sender = tokio::spawn(async move {
        for _ in 0..SIZE / piece.len() {
            write.write_all(&piece).await.unwrap();
        }
        write
    });
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(read.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 200 OK\r\n"));
    let mut received = vec![0; expected.len()];
    for _ in 0..SIZE / expected.len() {
        read.read_exact(&mut received).await.unwrap();
        assert!(received == expected);
    }
    sender.await.unwrap();
    assert_eq!(echo.await.unwrap(), SIZE as u64);
}

#[tokio::test]
async fn a_hung_up_client_does_not_lose_a_use_that_reached_nobody() {
    // TLS is part of connecting: the upstream is not reached before the client has gone.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let gateway = Running::proxy(&url, |config| config.challenges_per_minute(1_000_000)).await;
    let credential = gateway.buy("GET", "/a", b"").await;
    let mut wire = gateway.wire().await;
    wire.request("GET", "/a", &[&credential], b"").await;
    let (upstream_side, _) = listener.accept().await.unwrap();
    drop(wire);
    drop((upstream_side, listener));
    // The use is given back by the task that outlived the client: from then on it is there again.
    let answer = loop {
        let answer = gateway.get("/a", &[&credential]).await;
        if answer.status != 402 {
            break answer;
        }
        assert_eq!(answer.code(), "spent");
    };
    answer.expect(502, "upstream_unreachable");
    assert_eq!(answer.header("x-l402"), Some("unspent"));
}

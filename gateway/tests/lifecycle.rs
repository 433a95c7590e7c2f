//! Starting, stopping, and HTTP/2.
#![allow(clippy::unwrap_used)]

mod support;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Version};
use http_body_util::{BodyExt, Empty, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use plannt_core::Network;
use plannt_gateway::{Gateway, GatewayConfig};
use support::upstream::Upstream;
use support::{Lightning, Running};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn http2(gateway: &Running) -> http2::SendRequest<Full<Bytes>> {
    let socket = TcpStream::connect(gateway.addr).await.unwrap();
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    sender
}

#[tokio::test]
async fn http2_by_prior_knowledge_is_spoken() {
    let gateway = Running::demo(|config| config.hosts(["shop.example"])).await;
    let mut sender = http2(&gateway).await;
    let uri = "http://shop.example/v1/demo";
    let request = || Request::get(uri).body(Full::default()).unwrap();
    let challenge = sender.send_request(request()).await.unwrap();
    assert_eq!(challenge.version(), Version::HTTP_2);
    assert_eq!(challenge.status(), StatusCode::PAYMENT_REQUIRED);
    assert!(challenge.headers().contains_key("www-authenticate"));
    assert_eq!(challenge.headers()["access-control-allow-origin"], "*");

    let credential = gateway.buy("GET", "/v1/demo", b"").await;
    let mut paid = request();
    let value = credential.strip_prefix("Authorization: ").unwrap();
    paid.headers_mut().insert("authorization", value.parse().unwrap());
    let answer = sender.send_request(paid).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["x-l402"], "spent");
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&*body, br#"{"result":"verified"}"#);

    let mut head = request();
    *head.method_mut() = Method::HEAD;
    let answer = sender.send_request(head).await.unwrap();
    assert_eq!(answer.headers()["x-l402-price-msat"], "21000");

    let mut other = request();
    *other.uri_mut() = "http://other.example/v1/demo".parse().unwrap();
    let answer = sender.send_request(other).await.unwrap();
    assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST);
    let mut unlike = request();
    unlike.headers_mut().insert("host", "other.example".parse().unwrap());
    let answer = sender.send_request(unlike).await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn http2_bodies_reach_an_http1_upstream() {
    let upstream = Upstream::start().await;
    let gateway =
        Running::proxy(&upstream.url(), |config| config.free_paths(["/*"]).unwrap()).await;
    let mut sender = http2(&gateway).await;
    let body = Bytes::from(vec![b'x'; 300_000]);
    let request = Request::post("http://a.example/echo?q").body(Full::new(body.clone())).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), body);
    let seen = &upstream.seen()[0];
    assert_eq!(seen.target, "/echo?q");
    assert_eq!(seen.headers["x-forwarded-host"], "a.example");
}

#[tokio::test]
async fn running_requests_end_before_the_gateway_does() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut gateway = Running::proxy(&url, |config| config.free_paths(["/*"]).unwrap()).await;
    let mut idle = gateway.wire().await;
    idle.request("TRACE", "/", &[], b"").await;
    assert_eq!(idle.answer().await.status, 405);

    let mut busy = gateway.wire().await;
    busy.request("GET", "/slow", &[], b"").await;
    let (mut socket, _) = listener.accept().await.unwrap();
    assert!(socket.read(&mut [0; 1024]).await.unwrap() > 0);
    gateway.begin_stop();
    // The idle connection ends at once, and no new one is taken; the busy one gets its answer.
    assert!(idle.is_closed().await);
    assert!(TcpStream::connect(gateway.addr).await.is_err());
    socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone").await.unwrap();
    assert_eq!(busy.answer().await.body, b"done");
    gateway.stopped().await;
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_keep_the_gateway() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut gateway = Running::proxy(&url, |config| {
        let mut timeouts = plannt_gateway::Timeouts::default();
        timeouts.shutdown = std::time::Duration::from_millis(100);
        config.free_paths(["/*"]).unwrap().timeouts(timeouts)
    })
    .await;
    let mut wire = gateway.wire().await;
    wire.request("GET", "/slow", &[], b"").await;
    let (_socket, _) = listener.accept().await.unwrap();
    gateway.begin_stop();
    gateway.stopped().await;
}

#[tokio::test]
async fn what_makes_no_sense_does_not_start() {
    let lightning = Lightning::start().await;
    let dir = TempDir::new().unwrap();
    let invoicer = || std::sync::Arc::clone(&lightning.invoicer);
    let demo = || {
        GatewayConfig::demo(invoicer(), Network::Regtest, dir.path())
            .listen("127.0.0.1:0".parse().unwrap())
    };
    let proxy = |url: &str, price| {
        GatewayConfig::upstream(invoicer(), Network::Regtest, dir.path(), url, price)
            .map_err(|error| error.code())
    };
    for url in ["", "/path", "ftp://a", "a:80", "http://user:secret@a", "http://a?b", "http://"] {
        assert_eq!(proxy(url, 1).err(), Some("config"), "{url}");
    }
    assert_eq!(proxy("http://a", 0).err(), Some("config"));
    let paths = proxy("http://a", 1).unwrap().free_paths(["/a/../b"]);
    assert_eq!(paths.err().unwrap().code(), "config");

    let start = async |config: GatewayConfig| Gateway::bind(config).await.map_err(|e| e.code());
    assert_eq!(start(demo().service("No Name")).await.err(), Some("config"));
    assert_eq!(start(demo().challenges_per_minute(0)).await.err(), Some("config"));
    let first = start(demo()).await.unwrap();
    assert_eq!(start(demo().listen(first.local_addr())).await.err(), Some("bind"));
    drop(first);

    // A used keyring whose store is gone.
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("spends") {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(start(demo()).await.err(), Some("store_missing"));
}

#[tokio::test]
async fn an_empty_body_stays_empty() {
    let upstream = Upstream::start().await;
    let gateway =
        Running::proxy(&upstream.url(), |config| config.free_paths(["/*"]).unwrap()).await;
    let mut sender = {
        let socket = TcpStream::connect(gateway.addr).await.unwrap();
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.unwrap();
        tokio::spawn(connection);
        sender
    };
    let request = Request::get("/").header("host", "a").body(Empty::<Bytes>::new()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), StatusCode::OK);
    let headers = &upstream.seen()[0].headers;
    assert!(!headers.contains_key("content-length") && !headers.contains_key("transfer-encoding"));
}

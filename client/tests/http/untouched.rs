//! What is not a 402 with a complete challenge is handed back as it came.

use axum::body::{Body, Bytes};
use axum::response::Response as AxumResponse;
use futures_util::{StreamExt, stream};
use plannt_client::{CredentialUse, Request};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn any_other_status_even_with_a_challenge() {
    for status in [200, 301, 401, 403, 404, 429, 500, 503] {
        let world = World::ruled(move |_| {
            let response = AxumResponse::builder()
                .status(status)
                .header("www-authenticate", "L402 macaroon=\"AA\", invoice=\"lnbcrt1\"")
                .header("x-own", "kept")
                .body("as it came".into());
            Reply::Answer(response.unwrap())
        })
        .await;
        let response = world.client().send(world.get("/")).await.unwrap();
        assert_eq!((response.status.as_u16(), response.credential), (status, CredentialUse::None));
        assert_eq!(response.headers["x-own"], "kept");
        assert_eq!(response.body.bytes().await.unwrap(), b"as it came");
        assert_eq!((world.attempts().await, world.seen().len()), (0, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_402_without_a_complete_challenge_with_its_whole_body() {
    let large = "x".repeat(300_000);
    for body in ["", "{}", r#"{"invoice":""}"#, "<html>pay</html>", &large] {
        let text = body.to_owned();
        let world = World::ruled(move |_| {
            let chunks: Vec<Result<Bytes, std::io::Error>> = text
                .as_bytes()
                .chunks(50_000)
                .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
                .collect();
            let response = AxumResponse::builder()
                .status(402)
                .header("www-authenticate", "L402 invoice=\"lnbcrt1\"")
                .body(Body::from_stream(stream::iter(chunks)));
            Reply::Answer(response.unwrap())
        })
        .await;
        let response = world.client().send(world.get("/")).await.unwrap();
        assert_eq!(response.status, 402);
        assert_eq!(response.body.bytes().await.unwrap(), body.as_bytes());
        assert_eq!(world.attempts().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_streamed_as_it_arrives() {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<&'static str>();
    let receiver = std::sync::Mutex::new(Some(receiver));
    let world = World::ruled(move |_| {
        let receiver = receiver.lock().unwrap().take().unwrap();
        let chunks = stream::unfold(receiver, |mut receiver| async {
            let chunk = receiver.recv().await?;
            Some((Ok::<_, std::io::Error>(Bytes::from(chunk)), receiver))
        });
        Reply::Answer(AxumResponse::new(Body::from_stream(chunks)))
    })
    .await;
    let mut body = world.client().send(world.get("/")).await.unwrap().body;
    for chunk in ["one", "two"] {
        // The next is sent only after the last has arrived.
        sender.send(chunk).unwrap();
        assert_eq!(body.next().await.unwrap().unwrap(), chunk);
    }
    drop(sender);
    assert!(body.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_body_stays_compressed() {
    let world = World::ruled(|_| {
        let response =
            AxumResponse::builder().header("content-encoding", "gzip").body("\x1f".into());
        Reply::Answer(response.unwrap())
    })
    .await;
    let response = world.client().send(world.get("/")).await.unwrap();
    assert_eq!(response.headers["content-encoding"], "gzip");
    assert_eq!(response.body.bytes().await.unwrap(), b"\x1f");
    assert!(!world.seen()[0].headers.contains_key("accept-encoding"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_costs_nothing() {
    let world = World::selling(1).await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let request = Request::get(&format!("http://{gone}/?key=secret")).unwrap();
    let error = world.client().send(request).await.unwrap_err();
    assert_eq!(error.code(), "connect");
    assert!(!error.to_string().contains("secret"));
    assert_eq!(world.attempts().await, 0);
}

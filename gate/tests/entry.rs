//! The way through the gate for servers that are no tower services.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

mod support;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use plannt_gate::Entry;
use support::http::Ask;
use support::world::World;

type Entered = Result<Entry<Full<Bytes>>, Response<Bytes>>;

async fn enter(world: &World, method: &str, target: &str, credential: Option<&str>) -> Entered {
    let mut request = Request::builder().method(method).uri(target).header("x-l402", "spent");
    if let Some(credential) = credential {
        request = request.header(AUTHORIZATION, credential);
    }
    let body = Full::new(Bytes::from_static(b"body"));
    world.gate.enter(request.body(body).unwrap(), &*world.prices).await
}

fn public() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public"));
    headers.insert("x-l402", HeaderValue::from_static("valid; remaining=9"));
    headers
}

#[tokio::test]
async fn a_paid_request_goes_through_once() {
    let world = World::start().await;
    let credential = world.credential(&Ask::get("/v1/demo")).await;
    let refused = enter(&world, "GET", "/v1/demo", None).await.unwrap_err();
    assert_eq!(refused.status(), 402);

    let Entry { request, mut passage, .. } =
        enter(&world, "GET", "/v1/%64emo?a=1", Some(&credential)).await.unwrap();
    assert_eq!(request.uri(), "/v1/demo?a=1", "normalized");
    assert!(request.headers().is_empty(), "neither our credential nor our names go on");
    assert_eq!(request.into_body().collect().await.unwrap().to_bytes(), "body");
    assert_eq!(passage.grant().unwrap().remaining(), 0);
    passage.forward();
    let mut headers = public();
    passage.answer(&mut headers);
    assert_eq!(
        (&headers["x-l402"], &headers[CACHE_CONTROL]),
        (&"spent".parse().unwrap(), &"private".parse().unwrap())
    );

    let again = enter(&world, "GET", "/v1/demo", Some(&credential)).await.unwrap_err();
    assert!(std::str::from_utf8(again.body()).unwrap().contains("\"code\":\"spent\""));
}

#[tokio::test]
async fn what_was_not_reached_is_not_spent() {
    let world = World::start().await;
    let credential = world.credential(&Ask::get("/v1/demo")).await;
    let mut entry = enter(&world, "GET", "/v1/demo", Some(&credential)).await.unwrap();
    entry.passage.forward();
    let mut headers = public();
    entry.passage.not_reached(&mut headers).await;
    assert_eq!(headers["x-l402"], "unspent");

    // Dropped before it went on: given back in the background.
    drop(enter(&world, "GET", "/v1/demo", Some(&credential)).await.unwrap());
    let all_back = async {
        while world.gate.pending_releases() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), all_back).await.unwrap();
    assert!(enter(&world, "GET", "/v1/demo", Some(&credential)).await.is_ok());
}

#[tokio::test]
async fn free_requests_pass_and_unknown_ones_do_not() {
    let world = World::start().await;
    let mut entry = enter(&world, "POST", "/free", None).await.unwrap();
    assert!(entry.passage.grant().is_none());
    entry.passage.forward();
    let mut headers = public();
    entry.passage.answer(&mut headers);
    assert_eq!(headers.get("x-l402"), None);
    assert_eq!(headers[CACHE_CONTROL], "public", "a free answer is anyone's");

    let status = |entered: Entered| entered.unwrap_err().status();
    assert_eq!(status(enter(&world, "GET", "/none", None).await), 404);
    assert_eq!(status(enter(&world, "GET", "/v1//demo", None).await), 400);
}

#[tokio::test]
async fn no_header_changes_what_was_priced() {
    let world = World::start().await;
    let credential = world.credential(&Ask::get("/v1/demo")).await;
    let request = Request::builder()
        .uri("/v1/demo")
        .header(AUTHORIZATION, credential)
        .header("x-http-method-override", "DELETE")
        .header("x-original-url", "/v1/dearer")
        .header("x-forwarded-for", "192.0.2.1")
        .body(Full::new(Bytes::new()))
        .unwrap();
    let entered = world.gate.enter(request, &*world.prices).await.unwrap();
    let names: Vec<_> = entered.request.headers().keys().map(ToString::to_string).collect();
    assert_eq!(names, ["x-forwarded-for"]);
    for method in ["TRACE", "CONNECT"] {
        let refused = enter(&world, method, "/v1/demo", None).await.unwrap_err();
        assert_eq!(refused.status(), 405);
    }
}

#[tokio::test]
async fn a_host_is_said_once_and_in_one_way() {
    let world = World::start().await;
    for (hosts, status) in [
        (&["a.example"][..], 402),
        (&[], 402),
        (&["a.example", "a.example"], 400),
        (&["a.example", "b.example"], 400),
        (&["a.example, b.example"], 400),
        (&["user@a.example"], 400),
        (&[""], 400),
    ] {
        let mut request = Request::builder().uri("/v1/demo");
        for host in hosts {
            request = request.header("host", *host);
        }
        let request = request.body(Full::new(Bytes::new())).unwrap();
        let refused = world.gate.enter(request, &*world.prices).await.unwrap_err();
        assert_eq!(refused.status(), status, "{hosts:?}");
    }
}

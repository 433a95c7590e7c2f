//! Addresses of this machine and its network, for callers whose URLs come from somebody else.

use axum::response::Response as AxumResponse;
use plannt_client::{Hosts, Request};

use crate::support::*;

fn port(url: &str) -> &str {
    url.rsplit_once(':').unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_an_address_that_is_not_allowed() {
    let world = World::selling(1).await;
    let client = world.builder().private_hosts(Hosts::none()).build().unwrap();
    let port = port(&world.url);
    for host in [
        "127.0.0.1",
        "localhost",
        "x.localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "2130706433",
        "0x7f.1",
    ] {
        let request = || Request::get(&format!("http://{host}:{port}/")).unwrap();
        assert_eq!(code(client.send(request()).await), "address_not_allowed", "{host}");
        assert_eq!(code(client.send_unpaid(request()).await), "address_not_allowed", "{host}");
        assert_eq!(client.quote(request()).await.unwrap_err().code(), "address_not_allowed");
    }
    assert_eq!((world.seen().len(), world.attempts().await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_named_is_reached() {
    let world = World::selling(1).await;
    let hosts = Hosts::listed([format!("127.0.0.1:{}", port(&world.url))]);
    let client = world.builder().private_hosts(hosts).build().unwrap();
    assert_eq!(client.send(world.get("/")).await.unwrap().status, 200);
    let other = format!("{}/", world.second_server().await);
    assert_eq!(code(client.send(Request::get(&other).unwrap()).await), "address_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_leads_to_no_other_address() {
    let world = World::selling(1).await;
    let elsewhere = format!("{}/secret", world.second_server().await);
    world.rule(move |seen| match seen.proven {
        _ if seen.target == "/secret" => status(200),
        None if seen.target == "/paid" => Reply::Challenge,
        _ => {
            let response = AxumResponse::builder().status(302).header("location", &elsewhere);
            Reply::Answer(response.body("moved".into()).unwrap())
        }
    });
    let hosts = Hosts::listed([format!("127.0.0.1:{}", port(&world.url))]);
    let client = world.builder().private_hosts(hosts).follow_redirects(true).build().unwrap();
    assert_eq!(code(client.send(world.get("/")).await), "address_not_allowed");
    let error = client.send(world.get("/paid")).await.unwrap_err();
    // It paid, so the error tells of that.
    assert_eq!(error.code(), "redirect_failed");
    assert!(error.receipt().is_some());
    assert!(world.seen().iter().all(|seen| seen.target != "/secret"));
}

//! The caller's own headers.

use plannt_client::{CredentialUse, Request};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_own_authorization_of_another_scheme_goes_along_behind_the_credential() {
    let world = World::selling(1).await;
    let request = world.get("/").header("authorization", "Bearer mine").unwrap();
    assert_eq!(world.client().send(request).await.unwrap().status, 200);
    let seen = world.seen();
    assert_eq!(seen[0].authorization, ["Bearer mine"]);
    assert!(seen[1].authorization[0].starts_with("L402 "));
    assert_eq!(seen[1].authorization[1..], ["Bearer mine"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_l402_credential_is_sent_as_it_is_and_never_paid_for() {
    for scheme in ["L402", "lsat"] {
        let world = World::selling(1).await;
        let own = format!("{scheme} token:{}", "0".repeat(64));
        let request = world.get("/").header("authorization", &own).unwrap();
        let response = world.client().send(request).await.unwrap();
        assert_eq!((response.status.as_u16(), response.credential), (402, CredentialUse::None));
        assert_eq!(world.seen()[0].authorization, [own]);
        assert_eq!(world.attempts().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_in_the_url_becomes_a_header_and_nothing_else() {
    let world = World::selling(1).await;
    let url = world.url.replace("http://", "http://me:pa%20ss@");
    let response = world.client().send(Request::get(&url).unwrap()).await.unwrap();
    assert_eq!(response.url.as_str(), format!("{}/", world.url));
    // base64 of "me:pa ss"
    assert_eq!(world.seen()[0].authorization, ["Basic bWU6cGEgc3M="]);
    let receipts = world.client().receipts(1).await.unwrap();
    assert_eq!(receipts[0].origin.to_string(), world.url);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_header_of_its_own_is_refused() {
    let world = World::selling(1).await;
    let request = world.get("/").header("host", "other.example").unwrap();
    assert_eq!(code(world.client().send(request).await), "invalid_request");
    assert_eq!(world.seen().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_it_understands_l402() {
    let world = World::selling(1).await;
    world.client().send(world.get("/")).await.unwrap();
    let seen = &world.seen()[0];
    assert_eq!(seen.headers["accept-authenticate"], "L402");
    assert!(seen.headers["user-agent"].to_str().unwrap().starts_with("plannt/"));
    assert!(!seen.headers.contains_key("cookie"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_name_of_this_machine_leads_to_it() {
    let world = World::selling(1).await;
    let port = world.url.rsplit(':').next().unwrap().to_owned();
    for host in ["localhost", "a.localhost", "localhost.", "b\u{fc}cher.localhost"] {
        let request = plannt_client::Request::get(&format!("http://{host}:{port}/")).unwrap();
        assert_eq!(world.client().send(request).await.unwrap().status, 200, "{host}");
    }
}

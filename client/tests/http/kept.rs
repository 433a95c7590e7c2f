//! Credentials that are good for more than one call.

use plannt_client::{CredentialState, CredentialUse};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_used_up_before_it_is_bought_again() {
    let world = World::selling(3).await;
    let mut uses = Vec::new();
    for _ in 0..4 {
        // A new client each time: what is kept is in the journal.
        let response = world.client().send(world.get("/")).await.unwrap();
        assert_eq!(response.status, 200);
        uses.push(response.credential);
    }
    use CredentialUse::{Bought, Kept};
    assert_eq!(uses, [Bought, Kept, Kept, Bought]);
    assert_eq!(world.paid().await, 2);
    let states: Vec<_> =
        world.client().receipts(9).await.unwrap().iter().map(|r| r.credential.unwrap()).collect();
    assert_eq!(states, [CredentialState::Delivered, CredentialState::Spent]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_402_to_it_drops_it_and_the_call_goes_on_as_a_new_one() {
    let world = World::selling(9).await;
    let client = world.client();
    client.send(world.get("/")).await.unwrap();
    // The server forgot it.
    let first = world.seen()[1].proven;
    world.rule(move |seen| match seen.proven {
        Some(hash) if Some(hash) != first => status(200),
        _ => Reply::Challenge,
    });
    let response = client.send(world.get("/")).await.unwrap();
    assert_eq!((response.status.as_u16(), response.credential), (200, CredentialUse::Bought));
    assert_eq!(world.paid().await, 2);
    let receipts = client.receipts(9).await.unwrap();
    assert_eq!(receipts[1].credential, Some(CredentialState::Dropped));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_402_without_a_challenge_to_it_sends_the_request_anew() {
    let world = World::selling(9).await;
    let client = world.client();
    client.send(world.get("/")).await.unwrap();
    world.rule(|seen| if seen.authorization.is_empty() { status(200) } else { status(402) });
    let response = client.send(world.get("/")).await.unwrap();
    assert_eq!((response.status.as_u16(), response.credential), (200, CredentialUse::None));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_tried_only_where_its_caveats_and_its_origin_allow() {
    let world = World::selling(9).await;
    let client = world.client();
    client.send(world.get("/")).await.unwrap();
    // The token's method is GET.
    let post = || plannt_client::Request::new("POST", &world.url).unwrap();
    assert_eq!(client.send(post()).await.unwrap().credential, CredentialUse::Bought);
    let other = world.second_server().await;
    let elsewhere = plannt_client::Request::get(&other).unwrap();
    assert_eq!(client.send(elsewhere).await.unwrap().credential, CredentialUse::Bought);
    assert!(world.seen()[2].authorization.is_empty() && world.seen()[4].authorization.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_leaves_it_kept() {
    let world = World::selling(9).await;
    let client = world.client();
    client.send(world.get("/")).await.unwrap();
    world.rule(|_| status(500));
    assert_eq!(client.send(world.get("/")).await.unwrap().status, 500);
    world.rule(|seen| if seen.proven.is_some() { status(200) } else { Reply::Challenge });
    let response = client.send(world.get("/")).await.unwrap();
    assert_eq!((response.status.as_u16(), response.credential), (200, CredentialUse::Kept));
    assert_eq!(world.paid().await, 1);
}

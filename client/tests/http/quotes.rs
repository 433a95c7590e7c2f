//! A dry run.

use plannt_client::{Pending, Quoted};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn it_shows_the_price_and_pays_nothing() {
    let world = World::selling(1).await;
    let client = world.client();
    let Quoted::Charged(quote) = client.quote(world.get("/")).await.unwrap() else {
        panic!("free");
    };
    assert_eq!((quote.amount_msat, quote.max_fee_msat), (PRICE_MSAT, FEE_MSAT));
    assert_eq!(quote.description.as_deref(), Some("one call"));
    assert_eq!((&quote.refusal, &quote.pending), (&None, &None));
    assert_eq!((world.attempts().await, world.seen().len()), (0, 1));
    assert_eq!(client.receipts(1).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_why_a_call_would_not_pay() {
    let world = World::selling(1).await;
    let client = world.builder().max_payment_msat(1).build().unwrap();
    let Quoted::Charged(quote) = client.quote(world.get("/")).await.unwrap() else {
        panic!("free");
    };
    assert_eq!(quote.refusal.as_ref().map(|r| r.code()), Some("above_limit"));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_of_a_credential_that_brought_no_answer_yet_and_does_not_present_it() {
    let world = World::selling(1).await;
    world.rule(|seen| if seen.proven.is_some() { status(500) } else { Reply::Challenge });
    let client = world.client();
    client.send(world.get("/")).await.unwrap();
    let Quoted::Charged(quote) = client.quote(world.get("/")).await.unwrap() else {
        panic!("free");
    };
    assert!(matches!(quote.pending, Some(Pending::Undelivered(_))));
    assert!(world.seen()[2].authorization.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_nothing_is_handed_back() {
    let world = World::ruled(|_| status(200)).await;
    let Quoted::Free(response) = world.client().quote(world.get("/")).await.unwrap() else {
        panic!("charged");
    };
    assert_eq!(response.body.bytes().await.unwrap(), b"body");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_use_up_the_callers_own_credential() {
    let world = World::selling(1).await;
    let request = world.get("/").header("authorization", " lsat AgEE:00").unwrap();
    let request = request.header("authorization", "Bearer mine").unwrap();
    let quoted = world.client().quote(request).await.unwrap();
    assert!(matches!(quoted, Quoted::Charged(_)));
    assert_eq!(world.seen()[0].authorization, ["Bearer mine"]);
}

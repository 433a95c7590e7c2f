//! Several calls at once, through journal handles of their own, as several processes have them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use plannt_client::CredentialUse;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn two_calls_never_present_one_undelivered_credential_at_once() {
    let world = World::selling(1).await;
    world.rule(|seen| if seen.proven.is_some() { status(500) } else { Reply::Challenge });
    world.client().send(world.get("/")).await.unwrap();

    // The first to present it hangs: the second has to wait for it, and gives up in time.
    world.rule(|_| Reply::Hang);
    let before = world.seen().len();
    let (first, request) = (world.client(), world.get("/"));
    let call = tokio::spawn(async move { first.send(request).await.map(|r| r.status) });
    eventually(|| async { world.seen().len() == before + 1 }).await;
    let second = world.builder().lock_wait(Duration::from_millis(100)).build().unwrap();
    assert_eq!(code(second.send(world.get("/")).await), "busy");
    assert_eq!(world.seen().len(), before + 1);

    // The first is killed; the next call goes on at once.
    call.abort();
    let _ = call.await;
    world.rule(|_| status(200));
    let response = second.send(world.get("/")).await.unwrap();
    assert_eq!(response.credential, CredentialUse::Recovered);
    assert_eq!(world.paid().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_once_share_what_one_of_them_bought() {
    let world = World::selling(100).await;
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let (client, request) = (world.client(), world.get("/"));
            tokio::spawn(async move { client.send(request).await.map(|r| r.status.as_u16()) })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), 200);
    }
    assert_eq!(world.paid().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_once_for_single_uses_each_pay_once() {
    let world = World::selling(1).await;
    let calls: Vec<_> = (0..6)
        .map(|_| {
            let (client, request) = (world.client(), world.get("/"));
            tokio::spawn(async move { client.send(request).await.map(|r| r.status.as_u16()) })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), 200);
    }
    assert_eq!(world.paid().await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_for_one_request_key_never_overlap() {
    let world = World::selling(1).await;
    let presenting = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now_in, most_in) = (presenting.clone(), most.clone());
    world.rule(move |seen| {
        if seen.proven.is_none() {
            return Reply::Challenge;
        }
        most_in.fetch_max(now_in.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::yield_now();
        now_in.fetch_sub(1, Ordering::SeqCst);
        let response = axum::response::Response::builder().header("x-l402", "spent");
        Reply::Answer(response.body("".into()).unwrap())
    });
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let (client, request) = (world.client(), world.get("/"));
            tokio::spawn(async move { client.send(request).await.map(|r| r.status.as_u16()) })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), 200);
    }
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

//! What a call that ended halfway leaves, and what the next one makes of it.

use std::time::Duration;

use plannt_client::{
    Client, ClientError, CredentialState, CredentialUse, IntentState, RecoveredState,
};
use plannt_core::PaymentHash;
use plannt_lightning::devnet::{FaultKind, Operation};

use crate::support::*;

/// Lets a call come as far as `is_so`, then drops it, as a kill would.
async fn killed_when<F: Future<Output = bool>>(
    world: &World,
    client: Client,
    is_so: impl FnMut() -> F,
) {
    let request = world.get("/");
    let call = tokio::spawn(async move { client.send(request).await.map(|r| r.status) });
    eventually(is_so).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
}

async fn in_flight(world: &World) -> Option<PaymentHash> {
    let payments = world.devnet.payments().await.unwrap();
    payments.iter().find(|p| p.status == "IN_FLIGHT").map(|p| p.payment_hash.parse().unwrap())
}

async fn stuck(world: &World) -> PaymentHash {
    world.devnet.faults().once(Operation::Pay, FaultKind::Stuck);
    killed_when(world, world.client(), || async { in_flight(world).await.is_some() }).await;
    in_flight(world).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_payment_and_retry_the_next_call_succeeds_with_one_payment() {
    let world = World::selling(1).await;
    world.rule(|seen| if seen.proven.is_some() { Reply::Hang } else { Reply::Challenge });
    killed_when(&world, world.client(), || async { world.seen().len() == 2 }).await;

    world.rule(|seen| if seen.proven.is_some() { status(200) } else { Reply::Challenge });
    let response = world.client().send(world.get("/")).await.unwrap();
    assert_eq!((response.status.as_u16(), response.credential), (200, CredentialUse::Recovered));
    assert!(response.payment.is_none() && response.receipt.is_some());
    assert_eq!((world.paid().await, world.seen().len()), (1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_never_comes_keeps_the_credential() {
    let world = World::selling(1).await;
    world.rule(|seen| if seen.proven.is_some() { Reply::Hang } else { Reply::Challenge });
    let hasty = world.builder().response_timeout(Some(Duration::from_millis(300)));
    match hasty.build().unwrap().send(world.get("/")).await {
        Err(ClientError::NotDelivered { receipt, source }) => {
            assert_eq!(source.code(), "timeout");
            assert_eq!(receipt.credential, Some(CredentialState::Undelivered));
        }
        other => panic!("{other:?}"),
    }
    world.rule(|_| status(200));
    let response = world.client().send(world.get("/")).await.unwrap();
    assert_eq!(response.credential, CredentialUse::Recovered);
    assert_eq!(world.paid().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_after_paying_is_handed_back_and_the_credential_is_kept() {
    let world = World::selling(1).await;
    world.rule(|seen| if seen.proven.is_some() { status(502) } else { Reply::Challenge });
    let response = world.client().send(world.get("/")).await.unwrap();
    assert_eq!((response.status.as_u16(), response.credential), (502, CredentialUse::Bought));
    for _ in 0..2 {
        let again = world.client().send(world.get("/")).await.unwrap();
        assert_eq!((again.status.as_u16(), again.credential), (502, CredentialUse::Recovered));
    }
    // Another request does not take it.
    world.rule(|seen| if seen.proven.is_some() { status(200) } else { Reply::Challenge });
    let other = world.client().send(world.get("/other")).await.unwrap();
    assert_eq!(other.credential, CredentialUse::Bought);
    let response = world.client().send(world.get("/")).await.unwrap();
    assert_eq!((response.status.as_u16(), response.credential), (200, CredentialUse::Recovered));
    assert_eq!(world.paid().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_402_to_a_paid_credential_is_payment_lost_with_the_receipt() {
    let world = World::ruled(|_| Reply::Challenge).await;
    let error = world.client().send(world.get("/")).await.unwrap_err();
    assert_eq!(error.code(), "payment_lost");
    let receipt = error.receipt().unwrap();
    assert_eq!(receipt.paid_msat(), PRICE_MSAT + 7);
    assert_eq!(receipt.credential, Some(CredentialState::Lost));
    assert_eq!(world.paid().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_402_to_an_undelivered_credential_pays_only_when_told_to() {
    let lose = async |pay_again: bool| {
        let world = World::selling(1).await;
        world.rule(|seen| if seen.proven.is_some() { status(500) } else { Reply::Challenge });
        world.client().send(world.get("/")).await.unwrap();
        let first = world.seen()[1].proven;
        world.rule(move |seen| match seen.proven {
            Some(hash) if Some(hash) != first => status(200),
            _ => Reply::Challenge,
        });
        let client = world.builder().pay_after_loss(pay_again).build().unwrap();
        let result = client.send(world.get("/")).await;
        (result, world.paid().await)
    };
    let (result, paid) = lose(false).await;
    assert_eq!((code(result), paid), ("payment_lost", 1));
    let (result, paid) = lose(true).await;
    assert_eq!((result.unwrap().credential, paid), (CredentialUse::Bought, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_in_flight_takes_no_new_challenge_until_it_settles() {
    let world = World::selling(1).await;
    let hash = stuck(&world).await;
    let before = world.seen().len();
    for _ in 0..2 {
        assert_eq!(code(world.client().send(world.get("/")).await), "payment_unresolved");
    }
    assert_eq!(world.seen().len(), before);
    let receipts = world.client().receipts(1).await.unwrap();
    assert_eq!(receipts[0].state, IntentState::InFlight);
    assert_eq!(receipts[0].charged_msat, PRICE_MSAT + FEE_MSAT);

    world.devnet.settle(&hash).await.unwrap();
    let response = world.client().send(world.get("/")).await.unwrap();
    assert_eq!((response.status.as_u16(), response.credential), (200, CredentialUse::Recovered));
    assert_eq!(world.seen().len(), before + 1);
    assert_eq!(world.attempts().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_in_flight_that_fails_makes_room_for_a_new_one() {
    let world = World::selling(1).await;
    let hash = stuck(&world).await;
    world.devnet.fail(&hash).await.unwrap();
    let response = world.client().send(world.get("/")).await.unwrap();
    assert_eq!((response.status.as_u16(), response.credential), (200, CredentialUse::Bought));
    assert_eq!((world.attempts().await, world.paid().await), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intent_that_the_wallet_never_saw_fails_only_once_the_invoice_has_expired() {
    let world = World::selling(1).await;
    // Killed while the pay request is on its way: nothing arrives.
    world.devnet.faults().always(Operation::Pay, FaultKind::Slow { ms: 600_000 });
    let journal = world.journal();
    killed_when(&world, world.client(), || async { !journal.receipts(1).unwrap().is_empty() })
        .await;
    assert_eq!(journal.receipts(1).unwrap()[0].state, IntentState::Intended);
    world.devnet.faults().clear();

    assert_eq!(code(world.client().send(world.get("/")).await), "payment_unresolved");
    assert_eq!(journal.receipts(1).unwrap()[0].charged_msat, PRICE_MSAT + FEE_MSAT);
    let later = world.builder().clock(Ahead::by(601)).build().unwrap();
    assert_eq!(later.recover().await.unwrap()[0].state, RecoveredState::Failed);
    assert_eq!(journal.receipts(1).unwrap()[0].charged_msat, 0);
    assert_eq!(world.client().send(world.get("/")).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_resolves_what_it_can() {
    let world = World::selling(1).await;
    let hash = stuck(&world).await;
    let client = world.client();
    let recovered = client.recover().await.unwrap();
    assert_eq!(recovered.len(), 1);
    assert!(matches!(recovered[0].state, RecoveredState::Unresolved(_)));
    world.devnet.settle(&hash).await.unwrap();
    let recovered = client.recover().await.unwrap();
    assert_eq!((recovered[0].payment_hash, &recovered[0].state), (hash, &RecoveredState::Paid));
    assert_eq!(client.recover().await.unwrap(), []);
    assert_eq!(client.send(world.get("/")).await.unwrap().credential, CredentialUse::Recovered);
}

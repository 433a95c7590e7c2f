//! A call that pays.

use plannt_client::{CredentialState, CredentialUse, IntentState, Request};
use std::sync::{Arc, Mutex};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn it_pays_once_and_repeats_the_request_with_the_credential() {
    let world = World::selling(1).await;
    let response = world.client().send(world.get("/v1/demo?a=b")).await.unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.headers["x-l402"], "spent");
    assert_eq!(response.credential, CredentialUse::Bought);

    let payment = response.payment.as_ref().unwrap();
    let receipt = &payment.receipt;
    assert_eq!((receipt.amount_msat, receipt.fee_msat), (PRICE_MSAT, Some(7)));
    assert_eq!((receipt.method.as_str(), receipt.path()), ("GET", "/v1/demo"));
    assert_eq!(receipt.origin.to_string(), world.url);
    assert_eq!(receipt.credential, Some(CredentialState::Spent));
    assert_eq!(receipt.payee_hex().unwrap().len(), 66);
    assert_eq!(response.body.bytes().await.unwrap(), b"goods");

    let seen = world.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen[0].authorization.is_empty());
    assert!(seen[1].authorization[0].starts_with("L402 "));
    assert!(seen.iter().all(|s| s.target == "/v1/demo?a=b"));
    assert_eq!(world.paid().await, 1);
    let receipts = world.client().receipts(10).await.unwrap();
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0].state, IntentState::Paid);
    assert_eq!(receipts[0].charged_msat, PRICE_MSAT + 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_call_for_a_single_use_pays_again() {
    let world = World::selling(1).await;
    let client = world.client();
    for _ in 0..2 {
        assert_eq!(client.send(world.get("/")).await.unwrap().status, 200);
    }
    assert_eq!((world.paid().await, world.seen().len()), (2, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_body_goes_along_both_times() {
    let world = World::selling(1).await;
    let request = Request::new("POST", &format!("{}/v1/generate", world.url))
        .unwrap()
        .header("content-type", "application/json")
        .unwrap()
        .body(r#"{"prompt":"hello"}"#);
    assert_eq!(world.client().send(request).await.unwrap().status, 200);
    for seen in world.seen() {
        assert_eq!(
            (seen.method.as_str(), seen.body.as_slice()),
            ("POST", &br#"{"prompt":"hello"}"#[..])
        );
        assert_eq!(seen.headers["content-type"], "application/json");
        assert_eq!(seen.headers["content-length"], "18");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_that_only_the_body_holds_is_paid() {
    let world = World::selling(1).await;
    let (devnet_invoicer, sold) = (
        plannt_lightning::invoicer_from_url(&world.devnet.invoicer_url()).unwrap(),
        Arc::new(Mutex::new(false)),
    );
    let request = plannt_lightning::InvoiceRequest {
        amount_msat: PRICE_MSAT,
        memo: String::new(),
        expiry_seconds: 600,
    };
    let invoice = devnet_invoicer.issue(&request).await.unwrap();
    world.rule(move |seen| {
        if seen.proven.is_some() {
            *sold.lock().unwrap() = true;
            return status(200);
        }
        let body = format!(
            r#"{{"error":"Payment Required","invoice":"{invoice}","format":"L402 {}:<preimage>"}}"#,
            token_for(&invoice)
        );
        Reply::Answer(
            axum::response::Response::builder()
                .status(402)
                .header("content-type", "application/json")
                .body(body.into())
                .unwrap(),
        )
    });
    assert_eq!(world.client().send(world.get("/")).await.unwrap().status, 200);
    assert_eq!(world.paid().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_tells_how_far_it_is_and_may_have_a_limit_of_its_own() {
    use plannt_client::Progress;
    let world = World::selling(1).await;
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = seen.clone();
    let client = world
        .client()
        .with_observer(std::sync::Arc::new(move |step| told.lock().unwrap().push(step)));
    let limited = client.with_max_payment_msat(PRICE_MSAT);
    assert_eq!(code(limited.send(world.get("/")).await), "above_limit");
    client.send(world.get("/")).await.unwrap();
    let (amount_msat, max_fee_msat) = (PRICE_MSAT, FEE_MSAT);
    assert_eq!(
        *seen.lock().unwrap(),
        [
            Progress::Requesting { with_credential: false },
            Progress::Requesting { with_credential: false },
            Progress::Paying { amount_msat, max_fee_msat },
            Progress::Paid { amount_msat },
            Progress::Requesting { with_credential: true },
        ]
    );
}

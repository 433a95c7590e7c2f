//! What the wallet does, and what it can't.

use std::sync::Arc;

use async_trait::async_trait;
use plannt_client::{Budget, BudgetRule, Client, FeeLimit, IntentState};
use plannt_core::{Network, PaymentHash, Preimage};
use plannt_lightning::devnet::{FaultKind, Operation};
use plannt_lightning::{LightningError, PayOutcome, PayRequest, Payer, Payment, PaymentState};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn every_certain_failure_is_told_and_nothing_is_paid() {
    for (fault, words) in [
        (FaultKind::NoRoute, "no_route"),
        (FaultKind::NoBalance, "insufficient_balance"),
        (FaultKind::IncorrectDetails, "incorrect_payment_details"),
        (FaultKind::Timeout, "payment_timeout"),
    ] {
        let world = World::selling(1).await;
        world.devnet.faults().once(Operation::Pay, fault);
        let client = world.client();
        let error = client.send(world.get("/")).await.unwrap_err();
        assert_eq!(error.code(), "payment_failed");
        assert!(error.to_string().contains(words), "{error}");
        let receipts = client.receipts(1).await.unwrap();
        assert_eq!((receipts[0].state, receipts[0].charged_msat), (IntentState::Failed, 0));
        assert_eq!(receipts[0].failure.as_deref(), Some(words));
        assert_eq!(world.paid().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_that_is_down_is_a_certain_failure() {
    let world = World::selling(1).await;
    let client = world.client();
    let invoicer = plannt_lightning::invoicer_from_url(&world.devnet.invoicer_url()).unwrap();
    let request = plannt_lightning::InvoiceRequest {
        amount_msat: PRICE_MSAT,
        memo: String::new(),
        expiry_seconds: 600,
    };
    let invoice = invoicer.issue(&request).await.unwrap();
    world.rule(move |_| Reply::Answer(challenge_response(&invoice)));
    world.devnet.faults().always(Operation::Any, FaultKind::Down);
    let error = client.send(world.get("/")).await.unwrap_err();
    assert_ne!(error.code(), "ok");
    assert!(["payment_failed", "payment_unresolved"].contains(&error.code()), "{error}");
    world.devnet.faults().clear();
    assert_eq!(world.paid().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_is_asked_for_and_the_call_succeeds() {
    let world = World::selling(1).await;
    world.devnet.faults().once(Operation::Pay, FaultKind::ReplyLost);
    assert_eq!(world.client().send(world.get("/")).await.unwrap().status, 200);
    assert_eq!(world.paid().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_preimage_stores_nothing_and_keeps_the_reservation() {
    let world = World::selling(1).await;
    world.devnet.faults().always(Operation::Pay, FaultKind::WrongPreimage);
    world.devnet.faults().always(Operation::LookUpPayment, FaultKind::WrongPreimage);
    let client = world.client();
    let error = client.send(world.get("/")).await.unwrap_err();
    assert!(["payment_unresolved", "preimage_mismatch"].contains(&error.code()), "{error}");
    let receipts = client.receipts(1).await.unwrap();
    assert_eq!(receipts[0].state, IntentState::Unknown);
    assert_eq!(receipts[0].charged_msat, PRICE_MSAT + FEE_MSAT);
    // The next call takes no new challenge either.
    let before = world.seen().len();
    assert!(client.send(world.get("/")).await.is_err());
    assert_eq!(world.seen().len(), before);
}

/// A wallet that takes no fee limit, and charges what it likes.
struct NoLimit {
    inner: Arc<dyn Payer>,
    fee_msat: u64,
}

#[async_trait]
impl Payer for NoLimit {
    async fn pay(&self, request: &PayRequest) -> PayOutcome {
        match self.inner.pay(request).await {
            PayOutcome::Paid(payment) => {
                PayOutcome::Paid(Payment { fee_msat: self.fee_msat, ..payment })
            }
            outcome => outcome,
        }
    }

    async fn look_up_payment(&self, hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        self.inner.look_up_payment(hash).await
    }

    async fn balance_msat(&self) -> Result<u64, LightningError> {
        self.inner.balance_msat().await
    }

    fn limits_fee(&self) -> bool {
        false
    }

    fn wallet_id(&self) -> String {
        "no-limit".into()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_fee_limit_the_worst_case_is_reserved_and_any_excess_charged() {
    let world = World::selling(1).await;
    let payer = Arc::new(NoLimit { inner: world.payer(), fee_msat: 9_000 });
    let budget = |limit| Budget::new([BudgetRule::in_total(limit)]);
    let client = |limit| {
        world
            .builder_with(payer.clone())
            .worst_case_fee(FeeLimit::fixed(5_000))
            .budget(budget(limit))
            .build()
            .unwrap()
    };
    let needed = PRICE_MSAT + 5_000;
    assert_eq!(code(client(needed - 1).send(world.get("/")).await), "budget_exceeded");
    let client = client(needed);
    assert_eq!(client.send(world.get("/")).await.unwrap().status, 200);
    let status = client.budget().await.unwrap()[0];
    assert_eq!((status.spent_msat, status.left_msat), (PRICE_MSAT + 9_000, 0));
}

/// A wallet that lies about the proof.
struct Liar;

#[async_trait]
impl Payer for Liar {
    async fn pay(&self, _: &PayRequest) -> PayOutcome {
        PayOutcome::Paid(Payment { preimage: Preimage::from_bytes([9; 32]), fee_msat: 0 })
    }

    async fn look_up_payment(&self, _: &PaymentHash) -> Result<PaymentState, LightningError> {
        let payment = Payment { preimage: Preimage::from_bytes([9; 32]), fee_msat: 0 };
        Ok(PaymentState::Paid(payment))
    }

    async fn balance_msat(&self) -> Result<u64, LightningError> {
        Ok(0)
    }

    fn wallet_id(&self) -> String {
        "liar".into()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_checked_here_too() {
    let world = World::selling(1).await;
    let client = world.builder_with(Arc::new(Liar)).build().unwrap();
    for _ in 0..2 {
        assert_eq!(code(client.send(world.get("/")).await), "preimage_mismatch");
    }
    assert_eq!(world.seen().len(), 1);
    assert_eq!(client.receipts(1).await.unwrap()[0].state, IntentState::Unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_needs_a_journal_and_a_wallet_of_its_network() {
    let world = World::selling(1).await;
    let bare = Client::builder(world.payer(), Network::Regtest).build();
    assert_eq!(bare.unwrap_err().code(), "config");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_time_is_too_long_to_wait() {
    let world = World::selling(1).await;
    let longest = std::time::Duration::MAX;
    let builder = world.builder().payment_timeout(longest).lock_wait(longest);
    let client = builder.response_timeout(Some(longest)).build().unwrap();
    assert_eq!(client.send(world.get("/")).await.unwrap().status, 200);
}

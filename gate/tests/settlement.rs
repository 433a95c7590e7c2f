//! Strict settlement: a preimage is not enough, the node has to say that it was paid.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use plannt_core::PaymentHash;
use plannt_lightning::devnet::{FaultKind, Operation};
use plannt_lightning::{InvoiceRequest, InvoiceState, Invoicer, LightningError};
use support::http::Ask;
use support::world::{Setup, World};

/// A node that tells no news and says what a test wants, while the devnet does the rest.
struct Says {
    inner: Arc<dyn Invoicer>,
    state: Arc<Mutex<InvoiceState>>,
    asked: Arc<AtomicUsize>,
}

#[async_trait]
impl Invoicer for Says {
    async fn issue(&self, request: &InvoiceRequest) -> Result<String, LightningError> {
        self.inner.issue(request).await
    }

    async fn look_up_invoice(&self, _: &PaymentHash) -> Result<InvoiceState, LightningError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(*self.state.lock().unwrap())
    }
}

async fn strict() -> World {
    let builder = Box::new(|builder: plannt_gate::GateBuilder| builder.require_settled(true));
    World::start_with(Setup { builder, ..Setup::default() }).await
}

async fn saying(state: InvoiceState) -> (World, Arc<AtomicUsize>) {
    let (world, _, asked) = changing(state).await;
    (world, asked)
}

async fn changing(state: InvoiceState) -> (World, Arc<Mutex<InvoiceState>>, Arc<AtomicUsize>) {
    let state = Arc::new(Mutex::new(state));
    let said = state.clone();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let setup = Setup {
        builder: Box::new(|builder| builder.require_settled(true)),
        invoicer: Box::new(move |inner| Arc::new(Says { inner, state: said, asked: count })),
        ..Setup::default()
    };
    (World::start_with(setup).await, state, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_settled_is_let_in_once() {
    let world = strict().await;
    let credential = world.credential(&Ask::get("/v1/demo")).await;
    assert_eq!(world.send(Ask::get("/v1/demo").with(&credential)).await.status, 200);
    world.send(Ask::get("/v1/demo").with(&credential)).await.assert_challenge("spent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preimage_without_a_settled_invoice_opens_nothing_and_spends_nothing() {
    for state in [InvoiceState::Canceled, InvoiceState::Settled { amount_msat: 20_999 }] {
        let (world, asked) = saying(state).await;
        let credential = world.credential(&Ask::get("/v1/demo")).await;
        let answer = world.send(Ask::get("/v1/demo").with(&credential)).await;
        answer.assert_challenge("invalid_credential");
        assert_eq!(world.store.entries().await.unwrap(), 0, "{state:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_is_asked_once_for_a_payment_and_never_for_what_is_forged() {
    let (world, asked) = saying(InvoiceState::Settled { amount_msat: 21_000 }).await;
    let credential = world.credential(&Ask::get("/v1/demo")).await;
    let forged = format!("{}0", &credential[..credential.len() - 1]);
    let forged = if forged == credential {
        format!("{}1", &credential[..credential.len() - 1])
    } else {
        forged
    };
    world.send(Ask::get("/v1/demo").with(&forged)).await.assert_challenge("invalid_credential");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    for _ in 0..3 {
        world.send(Ask::get("/v1/demo").with(&credential)).await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_node_can_t_tell_nobody_is_let_in_and_nothing_is_spent() {
    let world = strict().await;
    let credential = world.credential(&Ask::get("/v1/demo")).await;
    world.devnet.faults().always(Operation::LookUpInvoice, FaultKind::Down);
    let answer = world.send(Ask::get("/v1/demo").with(&credential)).await;
    answer.assert_error(503, "unavailable");
    assert_eq!(world.store.entries().await.unwrap(), 0);
    world.devnet.faults().clear();
    assert_eq!(world.send(Ask::get("/v1/demo").with(&credential)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_tells_of_settled_invoices_is_not_asked_again() {
    let world = strict().await;
    // The first presentation begins to listen.
    let first = world.credential(&Ask::get("/v1/demo")).await;
    assert_eq!(world.send(Ask::get("/v1/demo").with(&first)).await.status, 200);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let second = world.credential(&Ask::get("/v1/demo")).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    // It could not be asked now; the stream, which is open already, has told.
    world.devnet.faults().always(Operation::LookUpInvoice, FaultKind::Down);
    assert_eq!(world.send(Ask::get("/v1/demo").with(&second)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_not_asked_for_the_node_is_not_needed() {
    let world = World::start().await;
    let credential = world.credential(&Ask::get("/v1/demo")).await;
    world.devnet.faults().always(Operation::Any, FaultKind::Down);
    assert_eq!(world.send(Ask::get("/v1/demo").with(&credential)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_still_be_settled_is_not_lost() {
    for first in [InvoiceState::Accepted, InvoiceState::Open, InvoiceState::NotFound] {
        let (world, state, asked) = changing(first).await;
        let credential = world.credential(&Ask::get("/v1/demo")).await;
        let ask = Ask::get("/v1/demo").with(&credential);
        world.send(ask.clone()).await.assert_error(503, "unavailable");
        assert_eq!(world.store.entries().await.unwrap(), 0, "{first:?}");
        let times = if first == InvoiceState::NotFound { 1 } else { 5 };
        assert_eq!(asked.load(Ordering::SeqCst), times, "{first:?}");
        *state.lock().unwrap() = InvoiceState::Settled { amount_msat: 21_000 };
        assert_eq!(world.send(ask).await.status, 200, "{first:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_notes_a_payment_late_is_asked_again() {
    let (world, state, asked) = changing(InvoiceState::Open).await;
    let credential = world.credential(&Ask::get("/v1/demo")).await;
    let presented = world.send(Ask::get("/v1/demo").with(&credential));
    let noted = async {
        while asked.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        *state.lock().unwrap() = InvoiceState::Settled { amount_msat: 21_000 };
    };
    let (answer, ()) = tokio::join!(presented, noted);
    assert_eq!(answer.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_cut_is_taken_up_again() {
    let world = strict().await;
    let first = world.credential(&Ask::get("/v1/demo")).await;
    assert_eq!(world.send(Ask::get("/v1/demo").with(&first)).await.status, 200);
    // Open connections go, and none can be made.
    world.devnet.faults().always(Operation::Any, FaultKind::Down);
    // Spent, and there is no node for a challenge.
    let again = world.send(Ask::get("/v1/demo").with(&first)).await;
    again.assert_error(503, "unavailable");
    world.devnet.faults().clear();
    // What is settled before there is a stream again, it does not tell: so each time another one is paid. Until then
    // the node can't be asked, and nobody is let in.
    for _ in 0..40 {
        let credential = world.credential(&Ask::get("/v1/demo")).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        // Only this look-up fails: a stream that is not open yet goes on trying.
        world.devnet.faults().always(Operation::LookUpInvoice, FaultKind::Down);
        let answer = world.send(Ask::get("/v1/demo").with(&credential)).await;
        world.devnet.faults().clear();
        if answer.status == 200 {
            return;
        }
        answer.assert_error(503, "unavailable");
    }
    panic!("the stream never came back");
}

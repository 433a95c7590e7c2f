//! Each failure that a node has, through real HTTPS, and what the backend makes of it.

mod common;

use common::{failed, is_paid, net, paid, unknown};
use plannt_lightning::devnet::{FaultKind, Operation};
use plannt_lightning::{
    InvoiceRequest, InvoiceState, Invoicer, LightningError, PayFailure, Payer, PaymentState,
};

#[tokio::test]
async fn a_refused_payment_is_known_to_have_failed() {
    let net = net().await;
    let before = net.balance().await;
    let error =
        |status, code, message: &str| FaultKind::Error { status, code, message: message.into() };
    for (fault, code) in [
        (FaultKind::AlreadyPaid, "already_paid"),
        (FaultKind::Expired, "invoice_expired"),
        (FaultKind::IncorrectDetails, "incorrect_payment_details"),
        (FaultKind::NoBalance, "insufficient_balance"),
        (FaultKind::NoRoute, "no_route"),
        (FaultKind::Timeout, "payment_timeout"),
        (error(500, 2, "permission denied"), "node_auth"),
        (error(500, 2, "wallet locked, unlock it to enable full RPC access"), "node_error"),
        (error(400, 3, "proto: syntax error"), "rejected"),
    ] {
        let request = net.invoice(21_000).await;
        net.devnet.faults().once(Operation::Pay, fault.clone());
        assert_eq!(failed(net.payer.pay(&request).await).code(), code, "{fault:?}");
        let state = net.payer.look_up_payment(&request.payment_hash).await.expect("a state");
        assert!(matches!(state, PaymentState::Failed(_) | PaymentState::NotFound), "{state:?}");
        assert_eq!(net.balance().await, before);
        // What failed for sure may be tried again, and works once the fault is gone.
        assert!(net.devnet.faults().active().is_empty());
    }
}

#[tokio::test]
async fn a_failed_payment_can_be_made_later() {
    let net = net().await;
    let request = net.invoice(21_000).await;
    net.devnet.faults().once(Operation::Pay, FaultKind::NoRoute);
    assert_eq!(failed(net.payer.pay(&request).await), PayFailure::NoRoute);
    paid(net.payer.pay(&request).await);
    let payments = net.devnet.payments().await.expect("payments");
    assert_eq!(payments.len(), 1);
    assert_eq!((payments[0].status.as_str(), payments[0].requests), ("SUCCEEDED", 2));
}

#[tokio::test]
async fn a_lost_reply_is_unknown_and_the_look_up_finds_the_payment() {
    let net = net().await;
    for (fault, code) in
        [(FaultKind::ReplyLost, "connection_lost"), (FaultKind::Nonsense, "invalid_response")]
    {
        let before = net.balance().await;
        let request = net.invoice(21_000).await;
        net.devnet.faults().once(Operation::Pay, fault);
        assert_eq!(unknown(net.payer.pay(&request).await).code(), code);
        assert!(is_paid(net.payer.look_up_payment(&request.payment_hash).await));
        // And asking again gives the proof, not a second payment.
        let payment = paid(net.payer.pay(&request).await);
        assert!(payment.preimage.proves(&request.payment_hash));
        assert_eq!(before - net.balance().await, 21_007);
    }
}

#[tokio::test]
async fn a_connection_cut_before_the_work_is_unknown_too() {
    let net = net().await;
    let request = net.invoice(21_000).await;
    net.devnet.faults().once(Operation::Pay, FaultKind::Down);
    assert_eq!(unknown(net.payer.pay(&request).await).code(), "connection_lost");
    let state = net.payer.look_up_payment(&request.payment_hash).await;
    assert!(matches!(state, Ok(PaymentState::NotFound)));
}

#[tokio::test]
async fn a_node_that_is_down_was_certainly_not_asked() {
    let net = net().await;
    let request = net.invoice(21_000).await;
    net.balance().await;
    net.devnet.faults().always(Operation::Any, FaultKind::Down);
    for _ in 0..3 {
        let failure = failed(net.payer.pay(&request).await);
        assert!(matches!(failure, PayFailure::NotSent(_)));
        assert_eq!(failure.code(), "node_unreachable");
    }
    assert!(net.payer.look_up_payment(&request.payment_hash).await.is_err());
    assert!(net.payer.balance_msat().await.is_err());
    let ask = InvoiceRequest { amount_msat: 1, memo: String::new(), expiry_seconds: 60 };
    assert!(net.merchant.issue(&ask).await.is_err());
    net.devnet.faults().clear();
    paid(net.payer.pay(&request).await);
}

#[tokio::test]
async fn what_nobody_understands_is_unknown() {
    let net = net().await;
    for (status, code, message) in [
        (500, 2, "context canceled"),
        (503, 14, "transport is closing"),
        (409, 6, "payment is in transition"),
        (302, 2, "elsewhere"),
    ] {
        let request = net.invoice(21_000).await;
        let fault = FaultKind::Error { status, code, message: message.into() };
        net.devnet.faults().once(Operation::Pay, fault);
        unknown(net.payer.pay(&request).await);
    }
}

#[tokio::test]
async fn a_slow_payment_is_made_after_its_caller_gave_up() {
    let net = net().await;
    let request = net.invoice(21_000).await;
    net.devnet.faults().once(Operation::Pay, FaultKind::Slow { ms: 1_500 });
    assert_eq!(unknown(net.payer.pay(&request).await), LightningError::TimeoutUnknown);
    // Not found now means nothing; it is paid in the end.
    while !is_paid(net.payer.look_up_payment(&request.payment_hash).await) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn stuck_payments_are_in_flight_until_told_otherwise() {
    let net = net().await;
    let before = net.balance().await;
    let (settled, failing) = (net.invoice(21_000).await, net.invoice(5_000).await);
    for request in [&settled, &failing] {
        net.devnet.faults().once(Operation::Pay, FaultKind::Stuck);
        assert_eq!(unknown(net.payer.pay(request).await), LightningError::TimeoutUnknown);
        let state = net.payer.look_up_payment(&request.payment_hash).await;
        assert!(matches!(state, Ok(PaymentState::InFlight)));
        assert_eq!(unknown(net.payer.pay(request).await), LightningError::PaymentInFlight);
    }
    assert_eq!(before - net.balance().await, 26_014);

    net.devnet.settle(&settled.payment_hash).await.expect("settled");
    net.devnet.fail(&failing.payment_hash).await.expect("failed");
    assert!(is_paid(net.payer.look_up_payment(&settled.payment_hash).await));
    let state = net.payer.look_up_payment(&failing.payment_hash).await;
    assert!(matches!(state, Ok(PaymentState::Failed(_))));
    assert_eq!(before - net.balance().await, 21_007);
    for request in [&settled, &failing] {
        let again = net.devnet.settle(&request.payment_hash).await;
        assert_eq!(again.expect_err("nothing there").code(), "devnet_not_in_flight");
    }
    let state = net.merchant.look_up_invoice(&settled.payment_hash).await;
    assert_eq!(state, Ok(InvoiceState::Settled { amount_msat: 21_000 }));
    assert_eq!(net.merchant.look_up_invoice(&failing.payment_hash).await, Ok(InvoiceState::Open));
}

#[tokio::test]
async fn a_waiting_caller_hears_when_a_stuck_payment_ends() {
    let net = net().await;
    for settle in [true, false] {
        let mut request = net.invoice(21_000).await;
        request.timeout = std::time::Duration::from_secs(60);
        net.devnet.faults().once(Operation::Pay, FaultKind::Stuck);
        let end = async {
            loop {
                let ended = match settle {
                    true => net.devnet.settle(&request.payment_hash).await,
                    false => net.devnet.fail(&request.payment_hash).await,
                };
                if ended.is_ok() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        let (outcome, ()) = tokio::join!(net.payer.pay(&request), end);
        match settle {
            true => drop(paid(outcome)),
            false => assert_eq!(failed(outcome), PayFailure::IncorrectPaymentDetails),
        }
    }
}

#[tokio::test]
async fn a_wrong_preimage_is_no_proof_and_no_failure() {
    let net = net().await;
    let request = net.invoice(21_000).await;
    net.devnet.faults().once(Operation::Pay, FaultKind::WrongPreimage);
    assert_eq!(unknown(net.payer.pay(&request).await), LightningError::PreimageMismatch);
    net.devnet.faults().once(Operation::LookUpPayment, FaultKind::WrongPreimage);
    let state = net.payer.look_up_payment(&request.payment_hash).await;
    assert_eq!(state.expect_err("no proof"), LightningError::PreimageMismatch);
    assert!(is_paid(net.payer.look_up_payment(&request.payment_hash).await));
}

#[tokio::test]
async fn the_fee_limit_holds() {
    let net = net().await;
    let mut request = net.invoice(21_000).await;
    request.max_fee_msat = 6;
    assert_eq!(failed(net.payer.pay(&request).await), PayFailure::NoRoute);
    request.max_fee_msat = 7;
    assert_eq!(paid(net.payer.pay(&request).await).fee_msat, 7);
}

#[tokio::test]
async fn calls_that_move_no_money_fail_by_name() {
    let net = net().await;
    let request = net.invoice(21_000).await;
    let hash = &request.payment_hash;
    let ask = InvoiceRequest { amount_msat: 1, memo: String::new(), expiry_seconds: 60 };
    let error = |message: &str| FaultKind::Error { status: 500, code: 2, message: message.into() };
    for (fault, code) in [
        (FaultKind::Down, "connection_lost"),
        (FaultKind::ReplyLost, "connection_lost"),
        (FaultKind::Nonsense, "invalid_response"),
        (error("permission denied"), "node_auth"),
        (error("the database is on fire"), "node_error"),
    ] {
        let faults = net.devnet.faults();
        faults.once(Operation::Issue, fault.clone());
        assert_eq!(net.merchant.issue(&ask).await.expect_err("issue").code(), code);
        faults.once(Operation::LookUpInvoice, fault.clone());
        assert_eq!(net.merchant.look_up_invoice(hash).await.expect_err("look up").code(), code);
        faults.once(Operation::LookUpPayment, fault.clone());
        assert_eq!(net.payer.look_up_payment(hash).await.expect_err("look up").code(), code);
        faults.once(Operation::Balance, fault);
        assert_eq!(net.payer.balance_msat().await.expect_err("balance").code(), code);
        assert!(faults.active().is_empty());
    }
}

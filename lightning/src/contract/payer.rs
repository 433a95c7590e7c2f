//! Checks of a [`Payer`](crate::Payer).

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Mutex;
use std::time::Duration;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{Secp256k1, SecretKey};
use futures_util::future::{Either, join_all, select};
use lightning_invoice::{Currency, InvoiceBuilder, PaymentSecret};
use plannt_core::{Network, PaymentHash};

use super::{Fixture, ask, hash_of, issue, pay_request};
use crate::{
    InvoiceRequest, InvoiceState, LightningError, PayFailure, PayOutcome, Payment, PaymentState,
};

/// The preimage proves it, both nodes know, and the balance has gone down by amount and fee.
pub async fn paying_moves_the_amount_and_proves_it(fixture: &impl Fixture) {
    let (payer, invoicer) = (fixture.payer(), fixture.invoicer());
    let before = payer.balance_msat().await.expect("a balance");
    let invoice = issue(fixture, &ask(21_000)).await;
    let hash = hash_of(&invoice);

    let outcome = payer.pay(&pay_request(&invoice)).await;
    assert!(outcome_prints_no_preimage(&outcome));
    let payment = paid(outcome);
    assert!(payment.preimage.proves(&hash));
    assert!(payment.fee_msat <= 10_000);

    assert_eq!(
        invoicer.look_up_invoice(&hash).await,
        Ok(InvoiceState::Settled { amount_msat: 21_000 })
    );
    let Ok(PaymentState::Paid(known)) = payer.look_up_payment(&hash).await else {
        panic!("the wallet does not know its payment")
    };
    assert!(known.preimage.proves(&hash));
    assert_eq!(known.fee_msat, payment.fee_msat);
    let after = payer.balance_msat().await.expect("a balance");
    // A channel's balance is shown in whole satoshis' worth of outputs at some nodes.
    let spent = before - after;
    assert!(spent.abs_diff(21_000 + payment.fee_msat) < 1_000, "{spent} msat were spent");
}

/// A node that has news of settled invoices tells of a payment, and lnd has them; others say that they have none.
pub async fn a_settled_invoice_is_told(fixture: &impl Fixture) {
    let (payer, invoicer) = (fixture.payer(), fixture.invoicer());
    let told = Mutex::new(HashSet::new());
    let tell = |hash| {
        told.lock().expect("no panic while held").insert(hash);
        Some(())
    };
    let pay = async {
        // Nobody says when the stream has begun: what was paid before is not told.
        for _ in 0..20 {
            let invoice = issue(fixture, &ask(3_000)).await;
            paid(payer.pay(&pay_request(&invoice)).await);
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_millis(25)).await;
                if told.lock().expect("no panic while held").contains(&hash_of(&invoice)) {
                    return;
                }
            }
        }
        panic!("nothing was told");
    };
    let news = invoicer.follow_settled(&tell);
    if let Either::Left((end, _)) = select(news, pin!(pay)).await {
        assert!(matches!(end, Err(LightningError::InvalidRequest { .. })), "{end:?}");
        assert!(!invoicer.invoicer_id().starts_with("lnd:"), "lnd has news");
    }
}

/// The node refuses to pay twice; the caller gets its proof nevertheless.
pub async fn paying_again_shows_the_same_payment(fixture: &impl Fixture) {
    let payer = fixture.payer();
    let invoice = issue(fixture, &ask(5_000)).await;
    let first = paid(payer.pay(&pay_request(&invoice)).await);
    let between = payer.balance_msat().await.expect("a balance");
    let again = paid(payer.pay(&pay_request(&invoice)).await);
    assert_eq!(first.preimage.expose_bytes(), again.preimage.expose_bytes());
    assert_eq!(payer.balance_msat().await, Ok(between));
}

/// Each caller hears "paid" or "in flight", never "failed".
pub async fn concurrent_payments_of_one_invoice_pay_once(fixture: &impl Fixture) {
    let (payer, invoicer) = (fixture.payer(), fixture.invoicer());
    let before = payer.balance_msat().await.expect("a balance");
    let invoice = issue(fixture, &ask(7_000)).await;
    let request = pay_request(&invoice);
    let outcomes = join_all((0..8).map(|_| payer.pay(&request))).await;
    let mut fee_msat = None;
    for outcome in outcomes {
        match outcome {
            PayOutcome::Paid(payment) => fee_msat = Some(payment.fee_msat),
            PayOutcome::Unknown(LightningError::PaymentInFlight) => {}
            other => panic!("neither paid nor in flight: {other:?}"),
        }
    }
    let fee_msat = fee_msat.expect("one of them paid");
    assert_eq!(
        invoicer.look_up_invoice(&request.payment_hash).await,
        Ok(InvoiceState::Settled { amount_msat: 7_000 })
    );
    let after = payer.balance_msat().await.expect("a balance");
    let spent = before - after;
    assert!(spent.abs_diff(7_000 + fee_msat) < 1_000, "{spent} msat were spent");
}

/// Not an error: it is an answer.
pub async fn an_unknown_payment_is_not_found(fixture: &impl Fixture) {
    let hash = PaymentHash::from_bytes([0x5a; 32]);
    let state = fixture.payer().look_up_payment(&hash).await;
    assert!(matches!(state, Ok(PaymentState::NotFound)), "{state:?}");
}

/// A wrong hash, a wrong amount, another network, no invoice at all.
pub async fn a_request_unlike_its_invoice_is_not_sent(fixture: &impl Fixture) {
    let payer = fixture.payer();
    let invoice = issue(fixture, &ask(3_000)).await;
    let right = pay_request(&invoice);
    for (wrong, code) in [
        (
            crate::PayRequest { payment_hash: PaymentHash::from_bytes([1; 32]), ..right.clone() },
            "rejected",
        ),
        (crate::PayRequest { amount_msat: 2_999, ..right.clone() }, "rejected"),
        (crate::PayRequest { bolt11: "lnbc1".into(), ..right.clone() }, "rejected"),
    ] {
        assert_eq!(failed(payer.pay(&wrong).await).code(), code);
    }
    if payer.network().is_some_and(|network| network != Network::Bitcoin) {
        let request = crate::PayRequest { bolt11: mainnet_invoice(), ..right.clone() };
        assert_eq!(failed(payer.pay(&request).await), PayFailure::WrongNetwork);
    }
    let state = payer.look_up_payment(&right.payment_hash).await;
    assert!(matches!(state, Ok(PaymentState::NotFound)), "{state:?}");
}

/// Insufficient balance, or no route: nodes differ.
pub async fn more_than_the_balance_fails(fixture: &impl Fixture) {
    let payer = fixture.payer();
    let before = payer.balance_msat().await.expect("a balance");
    let invoice = issue(fixture, &ask((before / 1_000 + 1_000) * 1_000)).await;
    let failure = failed(payer.pay(&pay_request(&invoice)).await);
    assert!(
        matches!(failure, PayFailure::InsufficientBalance | PayFailure::NoRoute),
        "{failure:?}"
    );
    assert_eq!(payer.balance_msat().await, Ok(before));
}

/// Also when the wallet was not asked to look at the clock.
pub async fn an_expired_invoice_fails(fixture: &impl Fixture) {
    let payer = fixture.payer();
    let invoice = issue(fixture, &InvoiceRequest { expiry_seconds: 1, ..ask(4_000) }).await;
    while !invoice.is_expired() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Nodes count whole seconds, and not all of them the same way.
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    let failure = failed(payer.pay(&pay_request(&invoice)).await);
    assert_eq!(failure, PayFailure::InvoiceExpired);
    let state = fixture.invoicer().look_up_invoice(&hash_of(&invoice)).await;
    assert!(matches!(state, Ok(InvoiceState::Canceled | InvoiceState::Open)), "{state:?}");
}

/// Part of the journal's keys: printable and always the same.
pub async fn the_wallet_has_a_stable_name(fixture: &impl Fixture) {
    let name = fixture.payer().wallet_id();
    assert_eq!(name, fixture.payer().wallet_id());
    assert!(!name.is_empty() && name.len() <= 100 && name.chars().all(|c| c.is_ascii_graphic()));
}

/// Anybody can sign one.
fn mainnet_invoice() -> String {
    let key = SecretKey::from_slice(&[1; 32]).expect("a key");
    InvoiceBuilder::new(Currency::Bitcoin)
        .description(String::new())
        .payment_hash(sha256::Hash::from_byte_array([1; 32]))
        .payment_secret(PaymentSecret([1; 32]))
        .current_timestamp()
        .min_final_cltv_expiry_delta(80)
        .amount_milli_satoshis(3_000)
        .build_signed(|message| Secp256k1::signing_only().sign_ecdsa_recoverable(message, &key))
        .expect("an invoice")
        .to_string()
}

fn paid(outcome: PayOutcome) -> Payment {
    match outcome {
        PayOutcome::Paid(payment) => payment,
        other => panic!("not paid: {other:?}"),
    }
}

fn failed(outcome: PayOutcome) -> PayFailure {
    match outcome {
        PayOutcome::Failed(failure) => failure,
        other => panic!("not failed: {other:?}"),
    }
}

fn outcome_prints_no_preimage(outcome: &PayOutcome) -> bool {
    match outcome {
        PayOutcome::Paid(payment) => {
            !format!("{outcome:?}").contains(payment.preimage.expose_hex().as_str())
        }
        _ => true,
    }
}

//! What a wallet's own record of a payment makes of an answer that proves nothing by itself.
#![cfg_attr(not(feature = "all"), allow(dead_code))]

use std::time::Duration;

use plannt_core::PaymentHash;
use tokio::time::{Instant, sleep};

use crate::{LightningError, PayFailure, PayOutcome, PayRequest, Payer, PaymentState};

/// The first pause between two look-ups; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What is decided before a payment is sent to a wallet that may not look at the clock itself:
/// `None` means "send it".
pub(crate) async fn before(payer: &impl Payer, request: &PayRequest) -> Option<PayOutcome> {
    if let Err(failure) = request.check(payer.network()) {
        return Some(PayOutcome::Failed(failure));
    }
    if request.has_expired() {
        // It may have been paid by this wallet while it was good.
        return Some(confirm(payer, &request.payment_hash, PayFailure::InvoiceExpired).await);
    }
    None
}

/// The wallet says that it did not pay. That counts where its record agrees, or it has none:
/// such answers are also given while an attempt is still in flight.
pub(crate) async fn confirm(
    payer: &impl Payer,
    hash: &PaymentHash,
    failure: PayFailure,
) -> PayOutcome {
    match payer.look_up_payment(hash).await {
        Ok(PaymentState::Failed(_) | PaymentState::NotFound) => PayOutcome::Failed(failure),
        Ok(PaymentState::InFlight) => PayOutcome::Unknown(LightningError::PaymentInFlight),
        Ok(PaymentState::Paid(payment)) => PayOutcome::Paid(payment),
        Err(error) => PayOutcome::Unknown(error),
    }
}

/// The wallet says that the payment is under way. Asks it until it has ended, or until `deadline`.
/// A record that is not there proves nothing.
pub(crate) async fn follow(
    payer: &impl Payer,
    hash: &PaymentHash,
    deadline: Instant,
) -> PayOutcome {
    let mut pause = FIRST_PAUSE;
    loop {
        let unresolved = match payer.look_up_payment(hash).await {
            Ok(PaymentState::Failed(failure)) => return PayOutcome::Failed(failure),
            Ok(PaymentState::Paid(payment)) => return PayOutcome::Paid(payment),
            Ok(PaymentState::InFlight | PaymentState::NotFound) => LightningError::PaymentInFlight,
            Err(error @ LightningError::PreimageMismatch) => return PayOutcome::Unknown(error),
            Err(error) => error,
        };
        if Instant::now() + pause >= deadline {
            return PayOutcome::Unknown(unresolved);
        }
        sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

//! Paying for what is tested, within limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plannt_core::{InvoiceFacts, Preimage};
use plannt_lightning::{PayOutcome, PayRequest, Payer};

use crate::wire::check::{Verdict, fail, skip};

pub(super) struct Purse {
    payer: Arc<dyn Payer>,
    max_invoice_msat: u64,
    max_total_msat: u64,
    paid_msat: AtomicU64,
    payments: AtomicU64,
}

impl Purse {
    pub(super) fn new(payer: Arc<dyn Payer>, max_invoice_msat: u64, max_total_msat: u64) -> Self {
        let (paid_msat, payments) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { payer, max_invoice_msat, max_total_msat, paid_msat, payments }
    }

    /// Pays; the fee may be 1% and 10 sat, as everywhere in `plannt`.
    pub(super) async fn pay(&self, invoice: &str, facts: &InvoiceFacts) -> Verdict<Preimage> {
        let Some(amount_msat) = facts.amount_msat else {
            return fail("the invoice has no amount, so it is not paid");
        };
        let max_fee_msat = amount_msat / 100 + 10_000;
        let most = amount_msat.saturating_add(max_fee_msat);
        if amount_msat > self.max_invoice_msat {
            return skip(format!("{amount_msat} msat is above the limit of one invoice"));
        }
        if self.paid_msat.load(Ordering::SeqCst).saturating_add(most) > self.max_total_msat {
            return skip("the limit of the whole run is used up");
        }
        let request = PayRequest {
            bolt11: invoice.to_owned(),
            payment_hash: facts.payment_hash,
            amount_msat,
            max_fee_msat,
            timeout: Duration::from_secs(60),
        };
        match self.payer.pay(&request).await {
            PayOutcome::Paid(payment) => {
                self.paid_msat.fetch_add(amount_msat + payment.fee_msat, Ordering::SeqCst);
                self.payments.fetch_add(1, Ordering::SeqCst);
                Ok(payment.preimage)
            }
            PayOutcome::Failed(failure) => skip(format!("the wallet did not pay: {failure}")),
            PayOutcome::Unknown(error) => {
                // Counted as spent: it may still be.
                self.paid_msat.fetch_add(most, Ordering::SeqCst);
                skip(format!("the wallet does not know whether it paid: {error}"))
            }
        }
    }

    pub(super) fn statement(&self) -> String {
        let (payments, msat) =
            (self.payments.load(Ordering::SeqCst), self.paid_msat.load(Ordering::SeqCst));
        format!("{payments} payments, {msat} msat with fees")
    }
}

//! What a wallet's answers mean (NIP-47).

use plannt_core::{PaymentHash, Preimage};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::http::{cut, invalid, is_about, preimage, proof};
use crate::{InvoiceState, LightningError, PayFailure, Payment, PaymentState};

/// An error of the wallet.
#[derive(Deserialize)]
pub(super) struct Refusal {
    code: String,
    #[serde(default)]
    message: String,
}

impl Refusal {
    pub(super) fn is_not_found(&self) -> bool {
        self.code == "NOT_FOUND"
    }

    /// The refusal of a request that moves no money.
    pub(super) fn into_error(self) -> LightningError {
        let message = cut(&format!("{}: {}", self.code, self.message));
        match self.code.as_str() {
            "RESTRICTED" | "UNAUTHORIZED" => LightningError::NodeAuth { message },
            "NOT_IMPLEMENTED" | "UNSUPPORTED_ENCRYPTION" => LightningError::Unsupported { message },
            _ => LightningError::NodeError { message },
        }
    }

    /// The refusal of a payment. `Err`: it may still be in flight, and would have failed for this.
    pub(super) fn into_failure(self) -> Result<PayFailure, (PayFailure, String)> {
        match self.code.as_str() {
            "INSUFFICIENT_BALANCE" => Ok(PayFailure::InsufficientBalance),
            "QUOTA_EXCEEDED" => Ok(PayFailure::QuotaExceeded),
            "NOT_IMPLEMENTED"
            | "RATE_LIMITED"
            | "RESTRICTED"
            | "UNAUTHORIZED"
            | "UNSUPPORTED_ENCRYPTION" => Ok(self.into_error().into()),
            _ => {
                let message = cut(&format!("{}: {}", self.code, self.message));
                Err((PayFailure::Rejected { message: message.clone() }, message))
            }
        }
    }
}

/// Reads an answer to `method`.
pub(super) fn read<T: DeserializeOwned>(
    text: &str,
    method: &str,
) -> Result<Result<T, Refusal>, LightningError> {
    #[derive(Deserialize)]
    struct Answer<T> {
        result_type: Option<String>,
        error: Option<Refusal>,
        #[serde(default = "none")]
        result: Option<T>,
    }
    fn none<T>() -> Option<T> {
        None
    }
    // serde's messages quote the input, and that may be a preimage.
    let answer: Answer<T> =
        serde_json::from_str(text).map_err(|_| invalid("not an answer of a wallet"))?;
    if answer.result_type.is_some_and(|told| told != method) {
        return Err(invalid("an answer to another request"));
    }
    match (answer.error, answer.result) {
        (Some(refusal), _) => Ok(Err(refusal)),
        (None, Some(result)) => Ok(Ok(result)),
        (None, None) => Err(invalid("neither a result nor an error")),
    }
}

#[derive(Deserialize)]
pub(super) struct Balance {
    /// msat.
    pub(super) balance: u64,
}

/// The result of `pay_invoice`.
#[derive(Deserialize)]
pub(super) struct Paid {
    #[serde(default, deserialize_with = "preimage")]
    preimage: Option<Preimage>,
    /// msat.
    pub(super) fees_paid: Option<u64>,
}

impl Paid {
    pub(super) fn proof(&self, hash: &PaymentHash) -> Result<Preimage, LightningError> {
        proof(self.preimage.clone(), hash)
    }
}

/// The result of `make_invoice` and of `lookup_invoice`.
#[derive(Deserialize)]
pub(super) struct Transaction {
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Newer wallets tell it: `pending`, `accepted`, `settled`, `expired`, `failed`.
    state: Option<String>,
    pub(super) invoice: Option<String>,
    payment_hash: Option<String>,
    #[serde(default, deserialize_with = "preimage")]
    preimage: Option<Preimage>,
    /// msat.
    amount: Option<u64>,
    /// msat.
    fees_paid: Option<u64>,
    /// Set once it is settled.
    settled_at: Option<u64>,
}

impl Transaction {
    fn check(&self, hash: &PaymentHash) -> Result<(), LightningError> {
        let told = self.payment_hash.as_deref();
        is_about(told.ok_or_else(|| invalid("a transaction without its hash"))?, hash)
    }

    fn is_settled(&self) -> bool {
        match self.state.as_deref() {
            Some(state) => state == "settled",
            None => self.settled_at.is_some_and(|at| at > 0),
        }
    }

    pub(super) fn invoice_state(self, hash: &PaymentHash) -> Result<InvoiceState, LightningError> {
        self.check(hash)?;
        if self.kind.as_deref() == Some("outgoing") {
            return Ok(InvoiceState::NotFound);
        }
        if self.is_settled() {
            let amount_msat =
                self.amount.ok_or_else(|| invalid("an invoice without its amount"))?;
            return Ok(InvoiceState::Settled { amount_msat });
        }
        Ok(match self.state.as_deref() {
            Some("accepted") => InvoiceState::Accepted,
            Some("failed") => InvoiceState::Canceled,
            // Expired, too: the wallet may note later what was paid before.
            _ => InvoiceState::Open,
        })
    }

    pub(super) fn payment_state(self, hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        self.check(hash)?;
        if self.kind.as_deref() == Some("incoming") {
            return Ok(PaymentState::NotFound);
        }
        if self.is_settled() {
            let preimage = proof(self.preimage, hash)?;
            // Required by NIP-47; a wallet that leaves it out tells nothing to count.
            let fee_msat = self.fees_paid.unwrap_or_default();
            return Ok(PaymentState::Paid(Payment { preimage, fee_msat }));
        }
        Ok(match self.state.as_deref() {
            Some("failed") => PaymentState::Failed(PayFailure::Rejected {
                message: "the wallet has it as failed".into(),
            }),
            // Also of an invoice that has expired under way.
            _ => PaymentState::InFlight,
        })
    }
}

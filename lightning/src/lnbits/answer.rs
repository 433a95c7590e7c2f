//! What LNbits's answers mean.

use plannt_core::{PaymentHash, Preimage};
use serde::Deserialize;
use serde_json::Value;

use crate::http::{Answer, Msat, cut, invalid, is_about, preimage, proof};
use crate::{InvoiceState, LightningError, PayFailure, Payment, PaymentState};

/// LNbits's own status for "a payment or invoice went wrong".
const PAYMENT_ERROR: u16 = 520;

/// An error of LNbits: `{"detail"}`, with a `status` where it is about a payment.
pub(super) struct Refusal {
    http_status: u16,
    detail: String,
    status: Option<String>,
}

/// What a refusal says of a payment.
pub(super) enum Told {
    /// There is no payment, as far as LNbits says.
    Failed(PayFailure),
    /// LNbits did not look at the payment.
    NotSent(PayFailure),
    PaidBefore,
    Pending,
}

impl Refusal {
    pub(super) fn read(answer: &Answer) -> Result<Self, LightningError> {
        #[derive(Deserialize)]
        struct Body {
            detail: Value,
            status: Option<String>,
        }
        let body: Body = answer.json("an error of LNbits")?;
        // Of arguments that do not fit, `detail` is a list of objects.
        let detail = body.detail.as_str().map(cut);
        let detail = detail.unwrap_or_else(|| cut(&body.detail.to_string()));
        Ok(Self { http_status: answer.status, detail, status: body.status })
    }

    /// No wallet has this payment; a key that no wallet has is told in the same way, with other words.
    pub(super) fn is_not_found(&self) -> bool {
        self.http_status == 404 && self.detail == "Payment does not exist."
    }

    fn is_auth(&self) -> bool {
        matches!(self.http_status, 401 | 403)
            || (self.http_status == 404 && self.detail == "Wallet not found.")
    }

    /// The refusal of a call that moves no money.
    pub(super) fn into_error(self) -> LightningError {
        let message = self.detail.clone();
        match self.http_status {
            _ if self.is_auth() => LightningError::NodeAuth { message },
            400 | 422 => LightningError::InvalidRequest { message },
            _ => LightningError::NodeError { message },
        }
    }

    pub(super) fn into_told(self) -> Result<Told, LightningError> {
        match (self.http_status, self.status.as_deref()) {
            // 429: its limiter stands before all else.
            (401 | 403 | 404 | 405 | 429, _) => Ok(Told::NotSent(self.into_error().into())),
            (400 | 422, _) => Ok(Told::NotSent(PayFailure::Rejected { message: self.detail })),
            (PAYMENT_ERROR, Some("pending")) => Ok(Told::Pending),
            (PAYMENT_ERROR, Some("success")) => Ok(Told::PaidBefore),
            (PAYMENT_ERROR, Some("failed")) => Ok(Told::Failed(read_detail(self.detail))),
            _ => Err(self.into_error()),
        }
    }
}

/// LNbits's own words, or those of the node behind it: lnd's are the reasons of its REST interface.
fn read_detail(detail: String) -> PayFailure {
    let has = |words: &str| detail.to_ascii_lowercase().contains(words);
    if has("insufficient") || has("must reserve") {
        PayFailure::InsufficientBalance
    } else if has("already paid") {
        PayFailure::AlreadyPaid
    } else if has("expired") {
        PayFailure::InvoiceExpired
    } else if has("no_route") || has("no route") {
        PayFailure::NoRoute
    } else if has("incorrect_payment_details") {
        PayFailure::IncorrectPaymentDetails
    } else if has("failure_reason_timeout") {
        PayFailure::Timeout
    } else if has("limit") || has("max allowed") {
        PayFailure::QuotaExceeded
    } else if has("permission") || has("only incoming") {
        LightningError::NodeAuth { message: detail }.into()
    } else {
        PayFailure::Rejected { message: detail }
    }
}

#[derive(Deserialize)]
pub(super) struct Issued {
    pub(super) bolt11: String,
}

#[derive(Deserialize)]
pub(super) struct Wallet {
    /// msat.
    pub(super) balance: Msat,
}

/// The answer to a payment.
#[derive(Deserialize)]
pub(super) struct Paid {
    payment_hash: String,
    status: String,
    /// msat, negative.
    fee: i64,
    #[serde(default, deserialize_with = "preimage")]
    preimage: Option<Preimage>,
}

impl Paid {
    pub(super) fn state(self, hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        is_about(&self.payment_hash, hash)?;
        match self.status.as_str() {
            "success" => {
                let preimage = proof(self.preimage, hash)?;
                Ok(PaymentState::Paid(Payment { preimage, fee_msat: self.fee.unsigned_abs() }))
            }
            "pending" => Ok(PaymentState::InFlight),
            "failed" => Ok(PaymentState::Failed(PayFailure::Rejected {
                message: "LNbits has it as failed".into(),
            })),
            _ => Err(invalid("an unknown payment status")),
        }
    }
}

/// The answer to a look-up.
#[derive(Deserialize)]
pub(super) struct Record {
    paid: bool,
    status: Option<String>,
    #[serde(default, deserialize_with = "preimage")]
    preimage: Option<Preimage>,
    details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    payment_hash: String,
    /// msat; negative where it went out.
    amount: i64,
    /// msat, negative.
    fee: i64,
}

impl Record {
    pub(super) fn invoice_state(self, hash: &PaymentHash) -> Result<InvoiceState, LightningError> {
        let details = details(self.details, hash)?;
        Ok(match (self.paid, self.status.as_deref()) {
            (true, _) => InvoiceState::Settled { amount_msat: details.amount.unsigned_abs() },
            (false, Some("failed")) => InvoiceState::Canceled,
            (false, _) => InvoiceState::Open,
        })
    }

    pub(super) fn payment_state(self, hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        let details = details(self.details, hash)?;
        if details.amount > 0 {
            // An invoice of this wallet, and no payment.
            return Ok(PaymentState::NotFound);
        }
        match (self.paid, self.status.as_deref()) {
            (true, _) => {
                let preimage = proof(self.preimage, hash)?;
                Ok(PaymentState::Paid(Payment { preimage, fee_msat: details.fee.unsigned_abs() }))
            }
            (false, Some("failed")) => Ok(PaymentState::Failed(PayFailure::Rejected {
                message: "LNbits has it as failed".into(),
            })),
            (false, _) => Ok(PaymentState::InFlight),
        }
    }
}

/// Only the wallet's own keys are shown them.
fn details(details: Option<Details>, hash: &PaymentHash) -> Result<Details, LightningError> {
    let details = details.ok_or_else(|| LightningError::NodeAuth {
        message: "the key is of no wallet of this LNbits".into(),
    })?;
    is_about(&details.payment_hash, hash)?;
    Ok(details)
}
